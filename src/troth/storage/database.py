"""One SQL database, two doors: `read()` and `write()`. SQLite is the embedded default, PostgreSQL the same schema.

SQLite: WAL, synchronous=FULL, secure_delete, and one writer at a time in this process (threads that fight over SQLite's
own lock starve each other); other processes wait on busy_timeout. A transaction never spans a network call.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Integer, MetaData, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from troth.kernel.errors import Unavailable

# Stable constraint names, so that migrations mean the same on SQLite and PostgreSQL.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# 64 bits everywhere; SQLite only numbers a plain INTEGER key by itself.
Big = BigInteger().with_variant(Integer(), "sqlite")

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",  # deleted rows are overwritten, not left in free pages
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    "PRAGMA temp_store=MEMORY",  # sorts never spill rows to a temporary file in clear
)


class Database:
    """Connections to one database.

    Raises `Unavailable` from `read` and `write` when the database cannot be reached.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self._engine = _engine(url, pool_size)
        self._writer = threading.Lock()

    @property
    def engine(self) -> Engine:
        """For migrations only."""
        return self._engine

    @property
    def dialect(self) -> str:
        """ "sqlite" or "postgresql"."""
        return str(self._engine.dialect.name)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; whatever it did is rolled back."""
        try:
            connection = self._engine.connect()
        except OperationalError as error:
            raise _unreachable() from error
        with connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        if self.dialect != "sqlite":
            with self._transaction() as connection:
                yield connection
            return
        with self._writer, self._transaction() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            connection = self._engine.connect()
        except OperationalError as error:
            raise _unreachable() from error
        with connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def checkpoint(self) -> None:
        """Fold SQLite's write-ahead log into the file and empty it, so that no old page lingers there."""
        if self.dialect == "sqlite":
            with self._writer, self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()


def is_unique_violation(error: SQLAlchemyError) -> bool:
    """True when an insert met a row of the same key."""
    text = str(getattr(error, "orig", error))
    return "UNIQUE constraint" in text or "duplicate key value" in text


def _engine(url: str, pool_size: int) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=pool_size, pool_pre_ping=True)
    engine = create_engine(url, pool_size=pool_size, connect_args={"check_same_thread": False, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    return engine


def _unreachable() -> Unavailable:
    return Unavailable("The database cannot be reached; try again, and tell the operator if it stays so.")
