"""Counters against entries, on both databases: at one moment, across restarts, with entries that still wait."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from database_world import DATABASES, opened
from troth.audit.integration import Integration
from troth.audit.store import entries, logs
from troth.gateway.store import ReceiptRow, add_receipt
from troth.kernel.clock import SystemClock
from troth.kernel.record import Entry, Outcome
from troth.kernel.uses import READ, VENDOR
from troth.promises import reconciling
from troth.promises.reconciling import LOST, UNRECEIPTED, Reconciliation
from troth.storage.database import Database
from troth.storage.meters import Meters
from troth.storage.outbox import Outbox, outbox


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with opened(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def recorder(database: Database) -> Iterator[Outbox]:
    recorder = Outbox(database)
    yield recorder
    recorder.close()


@pytest.fixture
def compare(database: Database, recorder: Outbox) -> Reconciliation:
    return Reconciliation(database, recorder, SystemClock())


def told(request: str, **uses: int) -> Entry:
    named = {name.replace("_", "-"): count for name, count in uses.items()}
    return Entry("ten_a", "x.y", "closed", Outcome.DONE, request, "usr_a", "ten_a", 1, facts={"uses": named})


def used(recorder: Outbox, meters: Meters, entry: Entry) -> None:
    """As the road does: the entry and the count in one transaction."""
    uses = entry.facts["uses"]
    assert isinstance(uses, dict)
    recorder.record(entry, [meters.change(uses)])


def sequenced(database: Database) -> None:
    """What waits moves into its log, as the sequencer does it."""
    with database.write() as connection:
        number = connection.scalar(select(logs.c.number).where(logs.c.log == "ten_a"))
        size = connection.scalar(select(logs.c.size).where(logs.c.log == "ten_a")) or 0
        waiting = [leaf for log, leaf in connection.execute(select(outbox.c.log, outbox.c.leaf)) if log == "ten_a"]
        if number is None:
            empty = {"log": "ten_a", "size": 0, "root": b"", "signed_size": 0}
            number = connection.execute(insert(logs), empty).inserted_primary_key[0]
        blank = {"request": "r", "actor": "a", "operation": "x.y", "outcome": "done", "time": 1}
        for at, leaf in enumerate(waiting, size):
            connection.execute(insert(entries), {"number": number, "position": at, "leaf": leaf, **blank})
        connection.execute(logs.update().values(size=size + len(waiting)))
        connection.execute(outbox.delete().where(outbox.c.log == "ten_a"))


def test_the_first_time_only_begins(database: Database, compare: Reconciliation, recorder: Outbox) -> None:
    used(recorder, Meters(database), told("req_1", object_read=2))  # waits, and is counted already
    assert compare.run().begun
    sequenced(database)
    assert compare.run().differences == {}


def test_equal_whether_entries_wait_or_stand(database: Database, compare: Reconciliation, recorder: Outbox) -> None:
    compare.run()
    meters = Meters(database)
    used(recorder, meters, told("req_1", object_read=2))
    assert (compare.run().counted[READ], compare.run().differences) == (2, {})
    sequenced(database)
    used(recorder, meters, told("req_2", object_read=1))
    assert compare.run().differences == {}
    sequenced(database)
    assert compare.run().differences == {}


def test_an_opening_without_an_entry_is_found_after_a_restart(database: Database, compare: Reconciliation) -> None:
    compare.run()
    Meters(database).count(READ)
    Meters(database).count(VENDOR)
    assert compare.run().differences == {READ: 1, VENDOR: 1}
    assert compare.run().differences == {}  # told once, and kept in the log


def replayed(recorder: Outbox) -> None:
    recorder.record(Entry("operator", "log.replayed", "event", Outcome.DONE, "req_r", "machine", None, 1))


@pytest.mark.parametrize("placed", [False, True])
def test_after_a_replay_it_begins_anew(
    database: Database, compare: Reconciliation, recorder: Outbox, placed: bool
) -> None:
    compare.run()
    Meters(database).count(READ)
    assert compare.run().differences == {READ: 1}
    recorder.record(told("req_1", object_read=7))  # the counters are those of the older database
    replayed(recorder)
    if placed:
        sequencer = Integration(database, lambda _log: None)
        assert sequencer.run() > 2
    anew = compare.run()
    assert (anew.begun, anew.differences) == (True, {})
    if not placed:
        Integration(database, lambda _log: None).run()
        assert compare.run().begun
    assert (compare.run().begun, compare.run().differences) == (False, {})
    used(recorder, Meters(database), told("req_2", object_read=1))
    assert compare.run().differences == {}
    Meters(database).count(READ)
    assert compare.run().differences == {READ: 1}


def test_only_the_operators_log_tells_of_a_replay(
    database: Database, compare: Reconciliation, recorder: Outbox
) -> None:
    compare.run()
    recorder.record(Entry("ten_a", "log.replayed", "event", Outcome.DONE, "req_r", "usr_a", "ten_a", 1))
    recorder.record(told("req_1", object_read=7))
    assert compare.run().differences == {READ: -7}


def test_a_long_outbox_is_read_in_pages(
    database: Database, compare: Reconciliation, recorder: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "_BATCH", 3)
    compare.run()
    for number in range(10):
        used(recorder, Meters(database), told(f"req_{number}", object_read=1))
    assert (compare.run().counted[READ], compare.run().differences) == (10, {})


def test_an_entry_without_an_opening_is_found(database: Database, compare: Reconciliation, recorder: Outbox) -> None:
    compare.run()
    recorder.record(told("req_1", object_read=1))
    assert compare.run().differences == {READ: -1}


def test_a_vendor_asked_without_a_receipt_and_a_lost_receipt(
    database: Database, compare: Reconciliation, recorder: Outbox
) -> None:
    compare.run()
    meters = Meters(database)
    with database.write() as connection:
        add_receipt(connection, ReceiptRow("ten_a", "req_1", "obj_a", "v", "m", 1))
    used(recorder, meters, told("req_1", vendor_call=1, vendor_receipt=1))
    sequenced(database)
    assert compare.run().differences == {}
    used(recorder, meters, told("req_2", vendor_call=1))
    used(recorder, meters, told("req_3", vendor_call=1, vendor_receipt=1))
    sequenced(database)
    assert compare.run().differences == {UNRECEIPTED: 1, LOST: 1}


def test_what_came_of_it_is_an_entry(database: Database, compare: Reconciliation) -> None:
    compare.run()
    compare.run()
    Meters(database).count(READ)
    compare.run()
    with database.read() as connection:
        leaves = [json.loads(leaf) for (leaf,) in connection.execute(select(outbox.c.leaf).order_by(outbox.c.seq))]
    assert [one["op"].partition(".")[2] for one in leaves] == ["begun", "done", "mismatch"]
    assert leaves[2]["outcome"] == "failed"
    assert leaves[2]["facts"]["differences"] == {"object-read": 1}
