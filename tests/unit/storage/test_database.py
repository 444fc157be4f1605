"""Two doors to one database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from troth.kernel.errors import Unavailable
from troth.storage.database import Database
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
    database.checkpoint()
    assert (tmp_path / "test.db-wal").stat().st_size == 0
