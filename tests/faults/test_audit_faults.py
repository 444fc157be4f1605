"""The audit log when what it stands on fails: disk, database, object store, guard, clock, a second sequencer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from audit_ledger import Ledger
from database_world import DATABASES, opened
from log_world import TestKey, entry
from troth.audit import sequencer as sequencer_module
from troth.audit.lock import SequencerLock
from troth.audit.log import LogPublisher
from troth.audit.origins import Origins
from troth.audit.sequencer import Sequencer
from troth.audit.verify import verify_log
from troth.kernel.errors import IntegrityError, TrothError, Unavailable
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.outbox import Outbox
from worlds import MovableClock


class Place(LocalBlobs):
    """A folder on a machine that can go away, before or after it did what it was asked."""

    away: str = ""
    calls = 0

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        if name not in ("create", "create_all", "swap", "swap_all", "get", "delete", "delete_all", "names"):
            return found

        def asked(*values: object) -> object:
            self.calls += 1
            if self.away == "before":
                raise Unavailable("The place is away.")
            result = found(*values)  # type: ignore[operator]
            if self.away == "after":
                raise Unavailable("The answer was lost.")
            return result

        return asked


class House:
    """The real outbox and sequencer on places that can fail."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database, self.clock = folder, database, MovableClock()
        self.blobs, self.guard = Place(folder / "blobs"), Place(folder / "guard")
        self.outbox, self.ledger = Outbox(database), Ledger(folder)
        self.sequencer = self.another()
        self.number = 0

    def another(self) -> Sequencer:
        return Sequencer(self.database, self.blobs, TestKey(), self.clock, guard=self.guard, checkpoint_seconds=0.01)

    def record(self, count: int = 1, log: str = "operator") -> None:
        """Entries that are acknowledged, or the refusal of one."""
        for _ in range(count):
            self.number += 1
            request = f"req_{self.number}"
            self.outbox.record(entry(log, self.number, request=request))
            self.ledger.acknowledged[request] = log

    def signed(self, log: str = "operator") -> int:
        """Entries under the checkpoint beside the keys."""
        path = self.folder / "guard/tlog" / log / "checkpoint"
        return int(path.read_text().split("\n")[1]) if path.exists() else 0

    def eventually_signed(self, size: int) -> None:
        end = time.monotonic() + 20
        while self.signed() < size:
            assert time.monotonic() < end, self.sequencer.state()
            time.sleep(0.01)

    def look(self) -> None:
        """Nothing is lost, nothing stands twice, everything that waited is placed and signed, and auditors agree."""
        self.sequencer.flush()
        self.ledger.look(self.database)
        self.ledger.settled()
        key = str(Origins.of(TestKey(), None).key("operator"))
        size = verify_log(self.folder / "blobs/tlog/operator", key).size
        publisher = LogPublisher(self.database)
        assert verify_log(lambda path: publisher.resource("operator", path), key).size == size


@pytest.fixture(params=DATABASES)
def house(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(sequencer_module, "DRAIN_SECONDS", 0.01)
    with opened(request.param, tmp_path) as database:
        made = House(tmp_path, database)
        yield made
        made.blobs.away = made.guard.away = ""
        made.sequencer.stop()
        made.outbox.close()


@pytest.mark.parametrize("away", ["before", "after"])
@pytest.mark.parametrize("place", ["blobs", "guard"])
def test_while_a_place_is_away_records_go_on_and_nothing_is_shown(house: House, place: str, away: str) -> None:
    house.record(3)
    house.sequencer.start()
    house.eventually_signed(3)
    house.sequencer.flush()
    shown = LogPublisher(house.database).resource("operator", "checkpoint")
    gone = getattr(house, place)
    gone.away, before = away, gone.calls
    house.record(4)
    end = time.monotonic() + 20
    while gone.calls < before + 3:  # the publisher tries again and again
        assert time.monotonic() < end
        time.sleep(0.01)
    assert LogPublisher(house.database).resource("operator", "checkpoint") == shown
    state = house.sequencer.state()
    assert state.running
    assert state.stalled is not None
    gone.away = ""
    house.eventually_signed(7)
    house.look()


def test_a_folder_of_the_guard_that_cannot_be_written_signs_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.record(2)
    house.sequencer.flush()
    house.record(2)
    guard = house.folder / "guard/tlog/operator"
    write = LocalBlobs._write

    def read_only(self: LocalBlobs, path: Path, content: bytes) -> Path:
        if guard in path.parents:
            raise Unavailable("The object store cannot be written; nothing was kept.")
        return write(self, path, content)

    with monkeypatch.context() as patch:
        patch.setattr(LocalBlobs, "_write", read_only)
        with pytest.raises(Unavailable):
            house.sequencer.flush()
        assert house.signed() == 2
        assert (house.folder / "blobs/tlog/operator/checkpoint").read_text().split("\n")[1] == "2"
    house.look()
    assert house.signed() == 4


def test_a_clock_that_goes_back_changes_nothing_that_was_signed(house: House) -> None:
    house.record(3)
    house.sequencer.flush()
    house.clock.forward(hours=-30)
    house.record(3)
    house.sequencer.flush()
    house.clock.forward(days=400)
    house.record(1)
    house.look()
    assert house.signed() == 7


def test_a_full_database_acknowledges_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with opened("sqlite", tmp_path) as database:
        house = House(tmp_path, database)
        house.record(50)
        house.sequencer.flush()
        with database.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")
        with pytest.raises(Unavailable) as caught:
            house.record(5000)
        assert caught.value.code == "no-record"
        taken = house.number - 1
        with pytest.raises((OperationalError, TrothError)):
            house.sequencer.flush()
        assert house.signed() == 50
        with database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1073741823")
        house.record(5)
        house.look()
        assert house.signed() == taken + 5
        house.sequencer.stop()
        house.outbox.close()


class _Unlocked(SequencerLock):
    """A lock that holds nobody back, as on a file system that ignores locks."""

    def acquire(self) -> None:
        self._open = True

    @property
    def held(self) -> bool:
        return getattr(self, "_open", False)

    def release(self) -> None:
        self._open = False


def test_two_sequencers_at_once_place_nothing_twice_and_sign_no_fork(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer_module, "SequencerLock", _Unlocked)
    both = [house.another(), house.another()]
    stop = threading.Event()

    def work(sequencer: Sequencer) -> None:
        while not stop.is_set():
            try:
                sequencer.flush()
            except IntegrityError:
                return
            except (TrothError, SQLAlchemyError):
                continue

    threads = [threading.Thread(target=work, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 20
    while all(thread.is_alive() for thread in threads) and time.monotonic() < end:
        house.record()
    stop.set()
    for thread in threads:
        thread.join()
    faults = [one.state().fault for one in both]
    assert any(faults), "neither noticed the other"
    monkeypatch.undo()
    house.sequencer = house.another()
    house.look()


def test_a_sequencer_whose_thread_died_is_not_called_running(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: died.append(args.exc_type.__name__))
    house.sequencer.start()
    assert house.sequencer.state().running
    monkeypatch.setattr(house.sequencer._integration, "run", lambda: {}["x"])
    end = time.monotonic() + 20
    while not died:
        assert time.monotonic() < end
        time.sleep(0.01)
    house.sequencer._threads[0].join()
    assert died == ["KeyError"]
    assert not house.sequencer.state().running
    monkeypatch.undo()
    house.record()
    house.look()
