"""One SQL database, two doors: `read()` and `write()`. SQLite is the embedded default, PostgreSQL the same schema.

SQLite: WAL, synchronous=FULL, secure_delete, and one writer at a time in this process (threads that fight over SQLite's
own lock starve each other); other processes wait on busy_timeout. A transaction never spans a network call.
Small changes that many requests make go through `apply`, which lets those that wait share one commit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Connection, Engine, Integer, MetaData, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from troth.kernel.errors import Unavailable
from troth.storage.group_commit import Change, GroupCommit, SingleCommits, applied

Result = TypeVar("Result")

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

_BUSY_MS = 10_000  # what a connection waits for another process
_CHECKPOINT_WAIT_MS = 200  # writers wait behind a checkpoint, so one try is short
_CHECKPOINT_PAUSES = (0.0, *([0.1] * 19))  # seconds before each try

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",  # deleted rows are overwritten, not left in free pages
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={_BUSY_MS}",
    "PRAGMA temp_store=MEMORY",  # sorts never spill rows to a temporary file in clear
)


class Database:
    """Connections to one database.

    Raises `Unavailable` from `read` and `write` when the database cannot be reached.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self._engine = _engine(url, pool_size)
        self.dialect = str(self._engine.dialect.name)
        """ "sqlite" or "postgresql"."""
        self._writer = threading.Lock()
        self._held: Connection | None = None  # SQLite's one writing connection; whoever has the lock uses it
        shared = self.dialect == "sqlite"
        self._line = GroupCommit(self._writer, self._begun) if shared else SingleCommits(self.write)

    @property
    def engine(self) -> Engine:
        """For migrations only."""
        return self._engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; whatever it did is rolled back."""
        with self._connected() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        if self.dialect != "sqlite":
            with self._connected() as connection:
                yield connection
                connection.commit()
            return
        with self._writer, self._begun() as connection:
            yield connection

    def apply(self, change: Change[Result]) -> Result:
        """The result of a small change in a transaction, durable on return; raises what the change raises.

        On SQLite, changes that wait at the same time share one commit; PostgreSQL groups commits by itself.
        """
        result: Result = applied(*self._line.apply([change]))
        return result

    def apply_each(self, changes: Sequence[Change[object]]) -> list[Exception | None]:
        """The same for several at once; what refused each, or None."""
        return [one.refusal for one in self._line.apply(changes)]

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            connection = self._engine.connect()
        except OperationalError as error:
            raise _unreachable() from error
        with connection:
            yield connection

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """A transaction on the writing connection; the caller has the lock."""
        if self._held is None:
            try:
                self._held = self._engine.connect()
            except OperationalError as error:
                raise _unreachable() from error
        connection = self._held
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()
        finally:
            if connection.in_transaction():
                connection.rollback()

    def checkpoint(self) -> bool:
        """Fold SQLite's write-ahead log into the file and empty it, so that no old page lingers there.

        False when somebody read or wrote throughout all tries; call again later. True on PostgreSQL, whose server keeps
        its log by its own rules: there is nothing here to empty.
        """
        return self.dialect != "sqlite" or any(self._truncated(pause) for pause in _CHECKPOINT_PAUSES)

    def _truncated(self, pause: float) -> bool:
        """One try, after a pause: readers end meanwhile, and writers get their turn."""
        time.sleep(pause)
        with self._writer, self._connected() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_CHECKPOINT_WAIT_MS}")
            try:
                busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            except OperationalError:  # another process is at it
                return False
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MS}")
        return not busy

    def close(self) -> None:
        """Give every connection back."""
        with self._writer:
            if self._held is not None:
                self._held.close()
                self._held = None
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
