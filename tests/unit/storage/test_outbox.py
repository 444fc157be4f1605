"""Entries are durable before `record` returns, or the caller is refused."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from troth.kernel.details import SealedDetails
from troth.kernel.errors import Conflict, Invalid, Unavailable
from troth.kernel.record import Entry, Outcome
from troth.storage.database import Database, metadata
from troth.storage.outbox import MAX_LEAF, Outbox, discard, pending, row
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
        discard(connection, pending(connection, 10))
    assert _requests(database) == []


def test_an_entry_that_no_log_can_take_is_refused_before_it_blocks_the_rest(database: Database, outbox: Outbox) -> None:
    huge = replace(_entry("req_1"), facts={"counts": {f"kind{number}": 1 for number in range(6000)}})
    with pytest.raises(Invalid) as caught:
        outbox.record(huge)
    assert caught.value.code == "leaf-too-large"
    assert _requests(database) == []


def _lines(database: Database) -> list[str]:
    with database.read() as connection:
        return [str(log) for log in connection.exec_driver_sql("SELECT log FROM other ORDER BY log").scalars()]


@pytest.fixture
def other(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE other (log VARCHAR(9) PRIMARY KEY)")


def _line(name: str) -> Callable[[Connection], None]:
    def change(connection: Connection) -> None:
        connection.exec_driver_sql(f"INSERT INTO other (log) VALUES ('{name}')")

    return change


@pytest.mark.usefixtures("other")
def test_a_change_is_made_with_its_entry(database: Database, outbox: Outbox) -> None:
    outbox.record(_entry("req_1"), [_line("a"), _line("b")])
    assert (_requests(database), _lines(database)) == (["req_1"], ["a", "b"])


@pytest.mark.usefixtures("other")
def test_a_change_that_fails_takes_its_entry_with_it_and_no_other(database: Database, outbox: Outbox) -> None:
    outbox.record(_entry("req_1"), [_line("a")])
    with database.write():  # all three wait for one commit
        bad = outbox.submit(_entry("req_2"), [_line("b"), _line("a")])
        good = [outbox.submit(_entry("req_3"), [_line("c")]), outbox.submit(_entry("req_4"))]
    with pytest.raises(Unavailable):
        bad.result()
    assert [one.result() for one in good] == [None, None]
    assert sorted(_requests(database)) == ["req_1", "req_3", "req_4"]
    assert _lines(database) == ["a", "c"]


TEXT = st.text(max_size=20) | st.sampled_from(['"\\\b\f\n\r\t\x00\x1f\x7f', "é\u2028", "\U0001f600", "1" * 17])
FACTS = st.dictionaries(
    TEXT,
    TEXT | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.dictionaries(TEXT, st.integers(0, 99), max_size=3),
)


MAYBE = st.none() | TEXT
SEALED = TEXT.map(lambda commitment: SealedDetails(("ten_a", "usr_a"), commitment, b""))
MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("log", "operation", "phase", "request", "actor"), TEXT),
    **dict.fromkeys(("tenant", "code", "evidence", "clock"), MAYBE),
    "outcome": st.sampled_from(Outcome),
    "time": st.integers(1 - 2**53, 2**53 - 1),
    "policies": st.lists(TEXT).map(tuple),
    "facts": FACTS,
    "sealed": st.none() | SEALED,
}


@given(members=st.fixed_dictionaries({}, optional=MEMBERS))
def test_the_leaf_is_canonical_json(members: dict[str, Any]) -> None:
    entry = replace(_entry("req_1"), **members)
    assert row(entry)["leaf"] == rfc8785.dumps(entry.as_json())


def test_the_test_above_sets_every_member() -> None:
    assert {one.name for one in fields(Entry)} == {*MEMBERS}  # a new one must reach the leaf


def test_a_number_that_canonical_json_cannot_carry_is_refused() -> None:
    with pytest.raises(rfc8785.IntegerDomainError):
        row(replace(_entry("req_1"), facts={"bytes": 2**53 + 1}))


def test_an_event_loop_waits_until_its_entries_are_durable(database: Database, outbox: Outbox) -> None:
    names = [f"req_{number}" for number in range(50)]

    async def kept() -> list[str]:
        await asyncio.gather(*(outbox.keep(_entry(name)) for name in names))
        return _requests(database)

    assert sorted(asyncio.run(kept())) == sorted(names)


@pytest.mark.usefixtures("other")
def test_an_event_loop_hears_of_what_was_refused_and_only_of_that(database: Database, outbox: Outbox) -> None:
    async def kept() -> list[BaseException | None]:
        with database.write():  # all three wait for the same commit
            waiting = [asyncio.ensure_future(outbox.keep(_entry("req_1"))),
                       asyncio.ensure_future(outbox.keep(_entry("req_2"), [_line("x"), _line("x")])),
                       asyncio.ensure_future(outbox.keep(_entry("req_3")))]  # fmt: skip
            await asyncio.sleep(0.05)
            assert not any(one.done() for one in waiting)
        return await asyncio.gather(*waiting, return_exceptions=True)

    ended = asyncio.run(kept())
    assert [type(one) for one in ended] == [type(None), Unavailable, type(None)]
    assert sorted(_requests(database)) == ["req_1", "req_3"]


def test_an_entry_is_kept_although_who_waited_for_it_left(database: Database, outbox: Outbox) -> None:
    async def leave() -> None:
        waiting = asyncio.ensure_future(outbox.keep(_entry("req_1")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await outbox.keep(_entry("req_2"))

    asyncio.run(leave())
    assert _requests(database) == ["req_1", "req_2"]


def test_a_closed_outbox_refuses_an_event_loop(outbox: Outbox) -> None:
    outbox.close()
    with pytest.raises(Unavailable):
        asyncio.run(outbox.keep(_entry("req_1")))


def test_entries_that_changed_while_they_were_placed_stay(database: Database, outbox: Outbox) -> None:
    for number in range(4):
        outbox.record(_entry(f"req_{number}"))
    with database.read() as connection:
        rows = pending(connection, 10)
    for wrong in ([rows[0], rows[2]], [*rows, (rows[-1].seq + 1, *rows[-1][1:])]):
        with pytest.raises(Conflict), database.write() as connection:
            discard(connection, wrong)
    assert len(_requests(database)) == 4


def test_a_number_that_was_given_anew_is_not_taken_for_the_entry_that_had_it(
    database: Database, outbox: Outbox
) -> None:
    outbox.record(_entry("req_1"))
    with database.read() as connection:
        seen = pending(connection, 10)
    with database.write() as connection:
        discard(connection, seen)
    outbox.record(_entry("req_2"))
    with pytest.raises(Conflict), database.write() as connection:
        discard(connection, seen)
    assert _requests(database) == ["req_2"]


def test_whatever_ends_the_outbox_nobody_waits_for_ever(
    database: Database, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda died: ended.append(died.exc_type.__name__))
    monkeypatch.setattr(database, "apply_each", lambda _changes: {}["x"])
    with pytest.raises(Unavailable):
        outbox.record(_entry("req_1"))
    outbox._thread.join()
    with pytest.raises(Unavailable):
        outbox.record(_entry("req_2"))
    assert ended == ["KeyError"]


def test_a_leaf_of_the_greatest_length_is_taken_and_one_more_byte_is_not(database: Database, outbox: Outbox) -> None:
    base = len(row(replace(_entry("req_1"), facts={"object": ""}))["leaf"])
    outbox.record(replace(_entry("req_1"), facts={"object": "x" * (MAX_LEAF - base)}))
    with pytest.raises(Invalid), database.write() as connection:
        outbox.record_within(connection, replace(_entry("req_1"), facts={"object": "x" * (MAX_LEAF - base + 1)}))
    with database.read() as connection:
        assert [len(leaf) for _, _, leaf in pending(connection, 10)] == [MAX_LEAF]
