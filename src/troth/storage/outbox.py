"""Audit entries on their way to the log: written in the same transaction as the change they tell of."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, String, Table, bindparam, cast, delete, select, text
from sqlalchemy.exc import SQLAlchemyError

from troth.kernel.errors import Conflict, Invalid, TrothError, Unavailable
from troth.kernel.record import Change, Entry
from troth.kernel.scope import as_system
from troth.storage.backlog import BACKLOG, FULL, Backlog, full
from troth.storage.canonical import canonical
from troth.storage.database import Big, Database, metadata
from troth.storage.detail_rows import INSERT as INSERT_DETAILS
from troth.storage.detail_rows import detail_row
from troth.storage.prepared import PreparedInsert

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=True),
    Column("log", String(64), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

MAX_LEAF = 65_535  # bytes; C2SP tlog-tiles entry bundles count in 16 bits
_MAX_GROUP = 512  # entries in one commit; more waits for the next
_INSERT = PreparedInsert(outbox, "log", "leaf")
# SQLite keeps what it is given: a leaf that somebody wrote as text comes out as bytes all the same.
_PENDING = (
    select(outbox.c.seq, outbox.c.log, cast(outbox.c.leaf, LargeBinary)).order_by(outbox.c.seq).limit(bindparam("most"))
)
# One statement for a batch: a row at a time costs PostgreSQL and SQLite several times as much.
_INSERT_ARRAYS = text(
    "INSERT INTO outbox (log, leaf) SELECT * FROM unnest(CAST(:logs AS text[]), CAST(:leaves AS bytea[]))"
)
_DISCARD_ARRAY = text("DELETE FROM outbox WHERE seq = ANY(:seqs)")
# SQLite counts from 1 again once the table was emptied: where the newest row says what it said, the others do too.
_NEWEST = select(cast(outbox.c.leaf, LargeBinary)).where(outbox.c.seq == bindparam("last")).scalar_subquery()
_DISCARD_RANGE = (
    delete(outbox)
    .where(outbox.c.seq.between(bindparam("first"), bindparam("last")))
    .where(bindparam("leaf", type_=LargeBinary) == _NEWEST)
)


class _Turn:
    """What one thread waits for: a lock, at a tenth of the cost of a `Future`."""

    __slots__ = ("_ended", "_refusal")

    def __init__(self) -> None:
        self._ended = threading.Lock()
        self._ended.acquire()
        self._refusal: Exception | None = None

    def result(self) -> None:
        self._ended.acquire()
        if self._refusal is not None:
            raise self._refusal

    def set_result(self, _result: None) -> None:
        self._ended.release()

    def set_exception(self, refusal: Exception) -> None:
        self._refusal = refusal
        self._ended.release()


@dataclass(slots=True, eq=False)
class _Waiting:
    row: dict[str, Any]
    details: Mapping[str, Any] | None
    changes: Sequence[Change]
    future: _Turn | Future[None] | asyncio.Future[None]

    def write(self, connection: Connection) -> None:
        """The entry and what belongs to it."""
        for change in self.changes:
            change(connection)
        _insert(connection, [self.row], [self.details])


class Outbox:
    """Takes entries in durably. `record` groups the commits of callers that wait at the same time.

    Raises `Unavailable` when an entry cannot be made durable (`no-record`), or when `most` wait for their place in the
    log already (`log-backlog`): the caller must then not act.
    """

    def __init__(self, database: Database, most: int = BACKLOG) -> None:
        self._database = database
        self.mark: Callable[[], str | None] = lambda: None
        """What entries say of the clock of this process; set by the wiring."""
        self._backlog = Backlog(database, outbox.c.seq, most)
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def record(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        """Append one entry and return when it is on disk, with `changes` to the database in the same transaction."""
        turn = _Turn()
        self._put(_Waiting(self._row(entry), detail_row(entry), self._database.scoped(changes), turn))
        turn.result()

    def submit(self, entry: Entry, changes: Sequence[Change] = ()) -> Future[None]:
        """Append one entry; the future ends when it is on disk, or with `Unavailable`."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # from here on nobody can call it back
        self._put(_Waiting(self._row(entry), detail_row(entry), self._database.scoped(changes), future))
        return future

    async def keep(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        """`record` for an event loop, which is woken once for all that one commit made durable."""
        future = asyncio.get_running_loop().create_future()
        self._put(_Waiting(self._row(entry), detail_row(entry), self._database.scoped(changes), future))
        await future

    def record_within(self, connection: Connection, entry: Entry) -> None:
        """Append one entry in the caller's transaction."""
        self._backlog.take(1)
        try:
            _insert(connection, [self._row(entry)], [detail_row(entry)])
        except SQLAlchemyError as error:
            raise _unavailable() from error

    def close(self) -> None:
        """Finish what waits, then refuse. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _row(self, entry: Entry) -> dict[str, Any]:
        mark = self.mark()
        return row(entry if mark is None else replace(entry, clock=mark))

    def _put(self, waiting: _Waiting) -> None:
        if self._closed:
            raise _unavailable()
        self._queue.put(waiting)
        if self._closed and not self._thread.is_alive():  # it ended in between
            self._refuse_rest()

    def _refuse_rest(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                if (waiting := self._queue.get_nowait()) is not None:
                    self._tell([waiting], [_unavailable()])

    @as_system  # a group holds entries of several tenants
    def _run(self) -> None:
        try:
            while (first := self._queue.get()) is not None:
                self._commit(self._group(first))
        finally:  # whatever ended it: nobody waits for ever
            self._closed = True
            self._refuse_rest()

    def _group(self, first: _Waiting) -> list[_Waiting]:
        group = [first]
        with contextlib.suppress(Empty):
            while len(group) < _MAX_GROUP:
                following = self._queue.get_nowait()
                if following is None:
                    self._queue.put(None)
                    break
                group.append(following)
        return group

    def _commit(self, group: list[_Waiting]) -> None:
        refusals: Sequence[Exception | None] = [_unavailable()] * len(group)
        try:
            refusals = self._refusals(group)
        finally:
            self._tell(group, refusals)

    def _refusals(self, group: list[_Waiting]) -> Sequence[Exception | None]:
        def together(connection: Connection) -> None:
            self._backlog.take(len(group))
            for one in group:
                for change in one.changes:
                    change(connection)
            _insert(connection, [one.row for one in group], [one.details for one in group])

        refusals = self._database.apply_each([together]) * len(group)
        if refusals[0] is not None and any(one.changes for one in group):  # one of them must not refuse the others
            refusals = self._database.apply_each([one.write for one in group])
        return refusals

    def _tell(self, group: Sequence[_Waiting], refusals: Sequence[Exception | None]) -> None:
        on_loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Exception | None]]] = {}
        for waiting, refusal in zip(group, refusals, strict=True):
            if isinstance(waiting.future, asyncio.Future):
                on_loops.setdefault(waiting.future.get_loop(), []).append((waiting.future, refusal))
            else:
                _end(waiting.future, refusal)
        for loop, ended in on_loops.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_end_all, ended)


def _end_all(ended: list[tuple[asyncio.Future[None], Exception | None]]) -> None:
    for future, refusal in ended:
        if not future.done():  # who waited may have been cancelled
            _end(future, refusal)


def _end(future: _Turn | Future[None] | asyncio.Future[None], refusal: Exception | None) -> None:
    if refusal is None:
        future.set_result(None)
        return
    unavailable = full() if isinstance(refusal, TrothError) and refusal.code == FULL else _unavailable()
    unavailable.__cause__ = refusal
    future.set_exception(unavailable)


def _insert(
    connection: Connection, rows: Sequence[Mapping[str, Any]], details: Sequence[Mapping[str, Any] | None]
) -> None:
    if connection.dialect.name == "postgresql" and len(rows) > 1:
        values = {"logs": [one["log"] for one in rows], "leaves": [one["leaf"] for one in rows]}
        connection.execute(_INSERT_ARRAYS, values)
    else:
        _INSERT.run(connection, rows)
    if there := [one for one in details if one is not None]:
        INSERT_DETAILS.run(connection, there)


def row(entry: Entry) -> dict[str, Any]:
    """The outbox row; the leaf is canonical JSON (RFC 8785). Raises `Invalid` for one that no log can take."""
    leaf = canonical(entry)
    if len(leaf) > MAX_LEAF:
        raise Invalid(
            "The facts of this operation are too many for one audit entry; do less at once.", code="leaf-too-large"
        )
    return {"log": entry.log, "leaf": leaf}


def pending(connection: Connection, limit: int) -> Sequence[Any]:
    """The oldest entries not yet in a log: rows of (seq, log, leaf)."""
    return connection.execute(_PENDING, {"most": limit}).all()


def discard(connection: Connection, rows: Sequence[Any]) -> None:
    """Drop entries that the log now holds, as `pending` gave them; in the same transaction that integrated them.

    Raises `Conflict` when they are not exactly those that wait there: then nothing may be integrated.
    """
    if connection.dialect.name == "postgresql":  # where a smaller number may be committed later
        gone = connection.execute(_DISCARD_ARRAY, {"seqs": [seq for seq, _, _ in rows]}).rowcount
    else:
        last, _, leaf = rows[-1]
        gone = connection.execute(_DISCARD_RANGE, {"first": rows[0][0], "last": last, "leaf": leaf}).rowcount
    if gone != len(rows):
        raise Conflict("The waiting audit entries changed while they were placed; nothing was placed.", code="changed")


def _unavailable() -> Unavailable:
    return Unavailable("The audit record could not be opened, so nothing was done; try again later.", code="no-record")
