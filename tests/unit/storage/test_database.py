"""Two doors to one database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, event, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from troth.kernel.errors import Unavailable
from troth.storage.database import Database
from troth.storage.outbox import outbox
from troth.storage.prepared import PreparedSelect
from worlds import sqlite


def test_sqlite_is_durable_and_wipes_what_it_deletes(tmp_path: Path) -> None:
    with sqlite(tmp_path).read() as connection:
        pragma = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in
                  ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "temp_store")}  # fmt: skip
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "temp_store": 2}


def test_a_block_that_raises_changes_nothing(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute(text("INSERT INTO outbox (log, leaf) VALUES ('x', x'00')"))
        raise RuntimeError
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar() == 0


@pytest.mark.parametrize("inner", [lambda one: one.write().__enter__(), lambda one: one.apply(lambda _: None)])
def test_a_transaction_inside_another_one_is_refused_and_does_not_wait_for_itself(
    tmp_path: Path, inner: Callable[[Database], object]
) -> None:
    database = sqlite(tmp_path)
    with pytest.raises(RuntimeError, match="inside another"), database.write():
        inner(database)
    database.apply(lambda connection: connection.execute(insert(outbox), {"log": "x", "leaf": b""}))


def test_a_database_out_of_reach_is_a_typed_refusal(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(Unavailable), database.read():
        pass
    with pytest.raises(Unavailable), database.write():
        pass


def test_a_checkpoint_empties_the_write_ahead_log(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    with database.write() as connection:
        connection.execute(text("INSERT INTO outbox (log, leaf) VALUES ('x', x'00')"))
    assert database.checkpoint()
    assert (tmp_path / "test.db-wal").stat().st_size == 0


def test_a_checkpoint_waits_for_a_reader_and_says_when_it_waited_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, opened = sqlite(tmp_path), threading.Event()
    log = tmp_path / "test.db-wal"

    def read(seconds: float) -> None:
        with database.read() as connection:
            connection.exec_driver_sql("BEGIN")
            connection.execute(text("SELECT count(*) FROM outbox")).scalar()
            opened.set()
            time.sleep(seconds)

    def busy(seconds: float) -> threading.Thread:
        opened.clear()
        reader = threading.Thread(target=read, args=(seconds,))
        reader.start()
        opened.wait(5)
        database.apply(lambda connection: connection.exec_driver_sql(INSERT, ("x",)))
        return reader

    reader = busy(0.6)
    assert database.checkpoint()
    reader.join()
    assert log.stat().st_size == 0
    monkeypatch.setattr("troth.storage.database._CHECKPOINT_PAUSES", (0.0,))
    reader = busy(1.0)
    assert not database.checkpoint()
    reader.join()
    assert log.stat().st_size > 0
    with database.read() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 10_000


INSERT = "INSERT INTO outbox (log, leaf) VALUES (?, x'00')"


def _count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM outbox")).scalar_one())


def _together(database: Database, *changes: Callable[[Connection], object]) -> list[object]:
    """Results or refusals of changes that wait in line while another one writes."""
    with ThreadPoolExecutor(len(changes)) as pool:
        with database.write():
            waiting = [pool.submit(database.apply, change) for change in changes]
            while len(database._line._line) < len(changes):
                time.sleep(0.001)
        return [one.exception() or one.result() for one in waiting]


def test_a_change_is_there_when_apply_returns(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    database.apply(lambda connection: connection.exec_driver_sql(INSERT, ("x",)))
    assert _count(database) == 1


def test_changes_that_wait_share_one_commit(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    commits: list[int] = []
    event.listen(database.engine, "commit", lambda _connection: commits.append(1))
    found = _together(database, *([lambda sql: sql.exec_driver_sql(INSERT, ("x",)).rowcount] * 5))
    assert (found, _count(database)) == ([1] * 5, 5)
    assert len(commits) == 2  # the writer that they waited for, and theirs


def test_a_refused_change_takes_nothing_with_it(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    refusal = Unavailable("No.")

    def good(connection: Connection) -> str:
        connection.exec_driver_sql(INSERT, ("good",))
        return "kept"

    def refused(connection: Connection) -> None:
        connection.exec_driver_sql(INSERT, ("bad",))
        raise refusal

    def broken(connection: Connection) -> None:
        connection.exec_driver_sql(INSERT, ("bad",))
        connection.exec_driver_sql("INSERT INTO outbox (log) VALUES ('bad')")

    first, second, third, fourth = _together(database, good, refused, broken, good)
    assert (first, second, fourth) == ("kept", refusal, "kept")
    assert isinstance(third, IntegrityError)
    assert _count(database) == 2


def test_a_commit_that_fails_is_told_to_all(tmp_path: Path) -> None:
    database = sqlite(tmp_path)

    def change(connection: Connection) -> None:
        connection.exec_driver_sql(INSERT, ("x",))

    def lost(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")  # what SQLite does by itself when the disk is full
        raise Unavailable("Full.")

    found = _together(database, change, lost, change)
    assert all(isinstance(one, SQLAlchemyError | Unavailable) for one in found)
    assert _count(database) == 0
    database.apply(change)
    assert _count(database) == 1


def test_a_bug_in_a_change_is_told_to_its_owner_only(tmp_path: Path) -> None:
    database = sqlite(tmp_path)

    def change(connection: Connection) -> None:
        connection.exec_driver_sql(INSERT, ("x",))

    def bug(_connection: Connection) -> None:
        raise ZeroDivisionError

    first, second, third = _together(database, change, bug, change)
    assert (first, third) == (None, None)
    assert isinstance(second, ZeroDivisionError)
    assert _count(database) == 2
    with pytest.raises(ZeroDivisionError):
        database.apply(bug)


_LOGS = PreparedSelect(select(outbox.c.log).where(outbox.c.seq >= bindparam("least")).order_by(outbox.c.seq))


def test_a_prepared_query_sees_what_was_committed_a_moment_ago(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    for log in ("a", "b", "c"):
        with database.write() as connection:
            connection.execute(insert(outbox).values(log=log, leaf=b""))
            assert [row[0] for row in database.rows(_LOGS, {"least": 1})] == ["a", "b", "c"][: ord(log) - ord("a")]
    assert [row[0] for row in database.rows(_LOGS, {"least": 2})] == ["b", "c"]


def test_prepared_queries_of_many_threads_do_not_meet(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    with database.write() as connection:
        connection.execute(insert(outbox), [{"log": str(number), "leaf": b""} for number in range(200)])
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda least: [row[0] for row in database.rows(_LOGS, {"least": least})], range(1, 201)))
    assert found == [[str(number) for number in range(least - 1, 200)] for least in range(1, 201)]
    database.close()
    assert len(database.rows(_LOGS, {"least": 1})) == 200  # opens a connection again


def test_a_prepared_query_out_of_reach_is_a_typed_refusal(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(Unavailable):
        database.rows(_LOGS, {"least": 1})
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(Unavailable):
        empty.rows(_LOGS, {"least": 1})
