"""Reading several rows as they were at one moment, so that a move in between is not taken for an altered row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from troth.storage.database import Database


@contextmanager
def moment(database: Database) -> Iterator[Connection]:
    """A connection that sees one moment, whatever is written meanwhile, in the current scope."""
    with database.read() as connection:
        if database.dialect != "sqlite":
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield connection
            return
        connection.exec_driver_sql("BEGIN")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")
