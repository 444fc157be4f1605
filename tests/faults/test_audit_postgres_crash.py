"""PostgreSQL crashes in the middle of group commits, and comes back."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

import postgres_server
from database_world import RoomDatabase
from faults.test_audit_faults import House
from log_world import entry
from troth.audit import sequencer as sequencer_module
from troth.audit.lock import SequencerLock
from troth.kernel.errors import Conflict, Unavailable
from troth.kernel.scope import as_system
from troth.storage.database import metadata

CRASHES = 3


class Clients:
    """Threads that record without end; only an acknowledgement counts."""

    def __init__(self, house: House) -> None:
        self.house, self.refused = house, 0
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=as_system(self._run), args=(at,)) for at in range(12)]
        for thread in self.threads:
            thread.start()

    def _run(self, at: int) -> None:
        number = 0
        while not self.stopped.is_set():
            number += 1
            request = f"req_{at}_{number}"
            try:
                self.house.outbox.record(entry("operator", number, request=request))
                self.house.ledger.acknowledged[request] = "operator"
            except Unavailable:
                self.refused += 1
                time.sleep(0.01)

    def more(self, count: int) -> None:
        """Wait until so many more are acknowledged."""
        goal, end = len(self.house.ledger.acknowledged) + count, time.monotonic() + 60
        while len(self.house.ledger.acknowledged) < goal:
            assert time.monotonic() < end
            time.sleep(0.01)

    def stop(self) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.postgres
def test_what_a_crashed_server_acknowledged_is_there_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer_module, "DRAIN_SECONDS", 0.01)
    url = postgres_server.start(tmp_path)
    database = RoomDatabase(url)
    metadata.create_all(database.engine)
    house = House(tmp_path, database)
    house.sequencer.start()
    clients = Clients(house)
    for _ in range(CRASHES):
        clients.more(200)
        refused = clients.refused
        postgres_server.crash(url)
        while clients.refused == refused:
            time.sleep(0.01)
        postgres_server.revive(url)
        clients.more(50)
    clients.stop()
    house.look()
    assert house.sequencer.state().running
    other = SequencerLock(database)
    with pytest.raises(Conflict):  # the lock went with the server's sessions, and was taken again
        other.acquire()
    house.sequencer.stop()
    house.outbox.close()
    database.close()
