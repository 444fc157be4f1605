"""The write-ahead log goes into the file beside the writer, and nobody waits for it."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from troth.storage.database import Database
from troth.storage.folding import _DUE_ROWS, Folding


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'one.db'}")
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers (n INTEGER)")
    yield database
    database.close()


def _write(database: Database, count: int) -> None:
    many = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"
    with database.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO numbers {many}")


def _in_the_file(tmp_path: Path) -> int:
    """Rows that the file has without its log. Copied by another process: closing it here would drop SQLite's locks."""
    subprocess.run(["cp", tmp_path / "one.db", tmp_path / "two.db"], check=True)
    with closing(sqlite3.connect(tmp_path / "two.db")) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM numbers").fetchone()[0])
        except sqlite3.OperationalError:  # not even the table
            return 0


def test_what_many_commits_wrote_is_folded_into_the_file(database: Database, tmp_path: Path) -> None:
    _write(database, _DUE_ROWS // 2)
    database._folding.wait()
    assert _in_the_file(tmp_path) == 0
    _write(database, _DUE_ROWS // 2)
    database._folding.wait()
    assert _in_the_file(tmp_path) == _DUE_ROWS // 2 * 2
    size = (tmp_path / "one.db-wal").stat().st_size
    _write(database, _DUE_ROWS)
    database._folding.wait()
    assert (tmp_path / "one.db-wal").stat().st_size < size * 3 // 2  # begun anew, not appended to
    assert _in_the_file(tmp_path) == _DUE_ROWS // 2 * 2 + _DUE_ROWS


def test_what_is_committed_meanwhile_is_folded_too(database: Database, tmp_path: Path) -> None:
    class Interrupted(sqlite3.Connection):
        commits = 0

        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            found = super().execute(*arguments)
            if not Interrupted.commits:
                Interrupted.commits = 1
                _write(database, 7)
            return found

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(tmp_path / "one.db", check_same_thread=False, factory=Interrupted)

    folding = Folding(database._writer, connect)
    folding.wrote(_DUE_ROWS)
    folding.wait()
    assert (Interrupted.commits, _in_the_file(tmp_path)) == (1, 7)


def test_a_reader_of_an_older_state_is_no_hindrance(database: Database) -> None:
    with database.read() as connection:
        connection.exec_driver_sql("BEGIN")
        assert connection.exec_driver_sql("SELECT count(*) FROM numbers").scalar() == 0
        _write(database, _DUE_ROWS)
        database._folding.wait()
        _write(database, 1)
        assert connection.exec_driver_sql("SELECT count(*) FROM numbers").scalar() == 0
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM numbers").scalar() == _DUE_ROWS + 1


def test_a_file_that_cannot_be_folded_hurts_no_commit() -> None:
    tried = []

    def connect() -> sqlite3.Connection:
        tried.append(1)
        raise sqlite3.OperationalError("unable to open database file")

    folding = Folding(threading.Lock(), connect)
    for _ in range(2):
        folding.wrote(_DUE_ROWS)
        folding.wait()
    assert len(tried) == 2


def test_a_thread_that_is_not_to_be_had_hurts_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> threading.Thread:
        raise MemoryError

    folding = Folding(threading.Lock(), lambda: sqlite3.connect(":memory:"))
    monkeypatch.setattr(threading, "Thread", refuse)
    folding.wrote(_DUE_ROWS)
    folding.wait()


def test_it_takes_its_time_between_two(database: Database) -> None:
    for _ in range(20):
        _write(database, 1)
    assert database._folding._thread is None
