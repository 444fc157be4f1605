"""Entries are durable before `record` returns, or the caller is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from troth.kernel.errors import Invalid, Unavailable
from troth.kernel.record import Entry, Outcome
from troth.storage.database import Database, metadata
from troth.storage.outbox import Outbox, discard, pending
from worlds import sqlite


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = sqlite(tmp_path)
    yield database
    database.close()


@pytest.fixture
def outbox(database: Database) -> Iterator[Outbox]:
    outbox = Outbox(database)
    yield outbox
    outbox.close()


def _entry(request: str) -> Entry:
    return Entry("operator", "a.b", "opened", Outcome.PENDING, request, "usr_x", None, 1)


def _requests(database: Database) -> list[str]:
    with database.read() as connection:
        return [json.loads(leaf)["request"] for _, _, leaf in pending(connection, 10_000)]


def test_an_entry_is_there_when_record_returns(database: Database, outbox: Outbox) -> None:
    outbox.record(_entry("req_1"))
    assert _requests(database) == ["req_1"]


def test_entries_of_many_threads_are_all_kept_once(database: Database, outbox: Outbox) -> None:
    names = [f"req_{number}" for number in range(200)]
    threads = [threading.Thread(target=outbox.record, args=(_entry(name),)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(_requests(database)) == sorted(names)


def test_an_entry_shares_the_fate_of_its_transaction(database: Database, outbox: Outbox) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:
        outbox.record_within(connection, _entry("req_lost"))
        raise RuntimeError
    with database.write() as connection:
        outbox.record_within(connection, _entry("req_kept"))
    assert _requests(database) == ["req_kept"]


def test_without_a_table_the_caller_is_refused(database: Database, outbox: Outbox) -> None:
    metadata.drop_all(database.engine)
    with pytest.raises(Unavailable) as caught:
        outbox.record(_entry("req_1"))
    assert caught.value.code == "no-record"


def test_a_closed_outbox_refuses(outbox: Outbox) -> None:
    outbox.close()
    with pytest.raises(Unavailable):
        outbox.record(_entry("req_1"))


def test_discarded_entries_do_not_come_back(database: Database, outbox: Outbox) -> None:
    outbox.record(_entry("req_1"))
    with database.write() as connection:
        discard(connection, [seq for seq, _, _ in pending(connection, 10)])
    assert _requests(database) == []


def test_an_entry_that_no_log_can_take_is_refused_before_it_blocks_the_rest(database: Database, outbox: Outbox) -> None:
    huge = replace(_entry("req_1"), facts={"counts": {f"kind{number}": 1 for number in range(6000)}})
    with pytest.raises(Invalid) as caught:
        outbox.record(huge)
    assert caught.value.code == "leaf-too-large"
    assert _requests(database) == []
