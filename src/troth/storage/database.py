"""One SQL database, two doors: `read()` and `write()`. SQLite is the embedded default, PostgreSQL the same schema.

SQLite: WAL, synchronous=FULL, secure_delete, and one writer at a time in this process (threads that fight over SQLite's
own lock starve each other); other processes wait on busy_timeout. A transaction never spans a network call.
PostgreSQL: every transaction begins with the scope of who asks (`kernel.scope`), which row-level security judges by
(`storage.isolation`); it rides on the BEGIN, so it costs no round trip, and ends with the transaction.
Small changes that many requests make go through `apply`, which lets those that wait share one commit.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Connection, Engine, Integer, MetaData, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from troth.kernel.errors import IntegrityError, Unavailable
from troth.kernel.scope import NOBODY, Scope, current
from troth.kernel.watch import UNWATCHED, Kind, Watch, watched
from troth.storage.folding import MOST_PAGES, Folding
from troth.storage.group_commit import Change, GroupCommit, SingleCommits, Writer, applied
from troth.storage.marks import MARK, SQLITE_MARK
from troth.storage.prepared import PreparedSelect, Readers

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
_SCOPE = "troth.scope"  # where a pooled connection carries the scope of its next transaction
TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")  # an id that may stand in a statement or a path
_CHECKPOINT_PAUSES = (0.0, *([0.1] * 19))  # seconds before each try

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",  # deleted rows are overwritten, not left in free pages
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={_BUSY_MS}",
    "PRAGMA temp_store=MEMORY",  # sorts never spill rows to a temporary file in clear
    SQLITE_MARK,
)
# The pages of large indexes that a batch of audit entries touches fit, and are folded into the file together.
_WRITER_PRAGMAS = (
    "PRAGMA cache_size=-32768",  # KiB
    f"PRAGMA wal_autocheckpoint={MOST_PAGES}",  # a bound; `storage.folding` comes long before
)


class Database:
    """Connections to one database.

    Raises `Unavailable` from `read` and `write` when the database cannot be reached.
    """

    def __init__(self, url: str, *, pool_size: int = 8, watch: Watch = UNWATCHED) -> None:
        self._watch = watch
        self._engine = _engine(url, pool_size)
        self.dialect = str(self._engine.dialect.name)
        """ "sqlite" or "postgresql"."""
        self._writer = Writer()
        self._changes = 0  # rows that the writing connection changed so far
        self._held: Connection | None = None  # SQLite's one writing connection; whoever has the lock uses it
        self.at_hand = self.dialect == "sqlite"
        """True when a short read waits for no other machine: it may be made on an event loop's thread."""
        self._line = GroupCommit(self._writer, self._begun) if self.at_hand else SingleCommits(self.write)
        self._readers = Readers(self._reader)
        self._folding = Folding(self._writer, self._reader)

    @property
    def engine(self) -> Engine:
        """For migrations only."""
        return self._engine

    @contextmanager
    def read(self, scope: Scope | None = None) -> Iterator[Connection]:
        """A connection for reading, in the current scope or the one given; whatever it did is rolled back."""
        with watched(self._watch, Kind.TRANSACTION, "read"), self._connected(scope) as connection:
            yield connection

    def rows(self, query: PreparedSelect, values: Mapping[str, Any]) -> Sequence[Any]:
        """What a short query finds, each row a sequence. Raises `Unavailable`."""
        if not self.at_hand:
            with self.read() as connection:
                return connection.execute(query.statement, values).all()
        return self._readers.rows(*query.for_sqlite(self._engine.dialect, values))

    @contextmanager
    def write(self, scope: Scope | None = None) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises. Scope as in `read`."""
        with watched(self._watch, Kind.TRANSACTION, "write"), self._written(scope) as connection:
            yield connection

    @contextmanager
    def _written(self, scope: Scope | None) -> Iterator[Connection]:
        if self.dialect != "sqlite":
            with self._connected(scope) as connection:
                yield connection
                connection.commit()
            return
        with self._writer, self._begun() as connection:
            yield connection

    def apply(self, change: Change[Result]) -> Result:
        """The result of a small change in a transaction, durable on return; raises what the change raises.

        On SQLite, changes that wait at the same time share one commit; PostgreSQL groups commits by itself.
        """
        with watched(self._watch, Kind.TRANSACTION, "write"):
            result: Result = applied(*self._line.apply([change]))
        return result

    def apply_each(self, changes: Sequence[Change[object]]) -> list[Exception | None]:
        """The same for several at once; what refused each, or None."""
        return [one.refusal for one in self._line.apply(changes)]

    def scoped(self, changes: Sequence[Change[Any]]) -> Sequence[Change[Any]]:
        """The changes, for another thread's transaction: each reaches what this thread may reach now."""
        if self.dialect == "sqlite" or not changes or (scope := self.current_scope()).system:
            return changes
        return [partial(_narrowed, scope, change) for change in changes]

    def current_scope(self) -> Scope:
        """Whose rows the next transaction of this thread or task reaches."""
        return current()

    @contextmanager
    def _connected(self, scope: Scope | None = None) -> Iterator[Connection]:
        try:
            connection = self._engine.connect()
        except OperationalError as error:
            raise _unreachable() from error
        with connection:
            if self.dialect == "sqlite":
                yield connection
                return
            carried = connection.info  # outlives this use: whoever gets the connection next must not find it
            carried[_SCOPE] = scope or self.current_scope()
            try:
                yield connection
            finally:
                carried.pop(_SCOPE, None)

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """A transaction on the writing connection; the caller has the lock."""
        if self._held is None:
            try:
                self._held = self._engine.connect()
                for pragma in _WRITER_PRAGMAS:
                    self._held.exec_driver_sql(pragma).close()
                self._held.rollback()
            except OperationalError as error:
                raise _unreachable() from error
        connection = self._held
        committed = False
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()
            committed = True
            self._folding.wrote(self._changed(connection))
        finally:
            if not committed:
                self._undo(connection)

    def _changed(self, connection: Connection) -> int:
        """Rows that the transaction changed which was just committed."""
        before, self._changes = self._changes, connection.connection.dbapi_connection.total_changes  # type: ignore[union-attr]
        return max(0, self._changes - before)  # a connection that was opened anew counts from 0

    def _undo(self, connection: Connection) -> None:
        """Roll back. After a commit that failed (a disk that is full or does not sync) only the driver can.

        The driver's connection stays open: SQLite would take the frames that the failed commit wrote for committed ones
        if the last connection closed and another opened the file anew.
        """
        try:
            if connection.in_transaction():
                connection.rollback()
                return
            connection.connection.rollback()
        except (SQLAlchemyError, sqlite3.Error):
            connection.invalidate()
        self._held = None
        connection.close()

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

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(
            self._engine.url.database or "", check_same_thread=False, isolation_level=None
        )
        _configure(connection)
        return connection

    def close(self) -> None:
        """Give every connection back."""
        self._readers.close()
        self._folding.wait()
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
        # The driver's autocommit: transactions are begun below, with the scope in the same message.
        engine = create_engine(url, pool_size=pool_size, pool_pre_ping=True, isolation_level="AUTOCOMMIT")
        event.listen(engine, "begin", _begin)
        return engine
    engine = create_engine(url, pool_size=pool_size, connect_args={"check_same_thread": False, "isolation_level": None})

    event.listen(engine, "connect", lambda connection, _record: _configure(connection))
    return engine


def _configure(connection: sqlite3.Connection) -> None:
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma).close()


def _begin(connection: Connection) -> None:
    """BEGIN with the scope. Without one the settings stay empty, and row-level security shows nothing."""
    scope = connection.info.get(_SCOPE, NOBODY)
    try:
        # Never prepared: a prepared statement holds one command only.
        connection.connection.dbapi_connection.execute(f"BEGIN{MARK}{scope_settings(scope)}", prepare=False)  # type: ignore[union-attr]
    except connection.dialect.loaded_dbapi.Error as error:
        raise _unreachable() from error


def scope_settings(scope: Scope) -> str:
    """SQL after a BEGIN that lasts until the transaction ends. Raises `IntegrityError` for an id that is none."""
    if scope.system:
        return "; SET LOCAL troth.system = 'on'"
    if not scope.tenant:
        return ""
    if not TENANT.match(scope.tenant):
        raise IntegrityError("A tenant's id holds letters, digits, dashes and underscores.", code="bad-tenant")
    return f"; SET LOCAL troth.tenant = '{scope.tenant}'"


def _narrowed(scope: Scope, change: Change[Result], connection: Connection) -> Result:
    """Run `change` within `scope` in a transaction of the system's scope."""
    connection.exec_driver_sql(f"SET LOCAL troth.system = ''{scope_settings(scope)}")
    result = change(connection)
    connection.exec_driver_sql("SET LOCAL troth.tenant = ''; SET LOCAL troth.system = 'on'")
    return result


def _unreachable() -> Unavailable:
    return Unavailable("The database cannot be reached; try again, and tell the operator if it stays so.")
