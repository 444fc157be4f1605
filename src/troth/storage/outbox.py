"""Audit entries on their way to the log: written in the same transaction as the change they tell of."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import rfc8785
from sqlalchemy import Column, Connection, LargeBinary, String, Table, bindparam, delete, select
from sqlalchemy.exc import SQLAlchemyError

from troth.kernel.errors import Invalid, Unavailable
from troth.kernel.record import Change, Entry
from troth.kernel.scope import as_system
from troth.storage.database import Big, Database, metadata
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
_PENDING = select(outbox).order_by(outbox.c.seq).limit(bindparam("most"))
_DISCARD = delete(outbox).where(outbox.c.seq == bindparam("one"))
# For ASCII without large numbers this writes what RFC 8785 asks for, at a fifth of the cost.
_PLAIN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode
_LARGE_NUMBER = re.compile(r"[0-9]{16}")


@dataclass(slots=True, eq=False)
class _Waiting:
    row: dict[str, Any]
    changes: Sequence[Change]
    future: Future[None] | asyncio.Future[None] = field(default_factory=Future)

    def write(self, connection: Connection) -> None:
        """The entry and what belongs to it."""
        for change in self.changes:
            change(connection)
        _INSERT.run(connection, [self.row])


class Outbox:
    """Takes entries in durably. `record` groups the commits of callers that wait at the same time.

    Raises `Unavailable` when an entry cannot be made durable: the caller must then not act.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def record(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        """Append one entry and return when it is on disk, with `changes` to the database in the same transaction."""
        self.submit(entry, changes).result()

    def submit(self, entry: Entry, changes: Sequence[Change] = ()) -> Future[None]:
        """Append one entry; the future ends when it is on disk, or with `Unavailable`."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # from here on nobody can call it back
        self._put(_Waiting(row(entry), self._database.scoped(changes), future))
        return future

    async def keep(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        """`record` for an event loop, which is woken once for all that one commit made durable."""
        future = asyncio.get_running_loop().create_future()
        self._put(_Waiting(row(entry), self._database.scoped(changes), future))
        await future

    def record_within(self, connection: Connection, entry: Entry) -> None:
        """Append one entry in the caller's transaction."""
        try:
            _INSERT.run(connection, [row(entry)])
        except SQLAlchemyError as error:
            raise _unavailable() from error

    def close(self) -> None:
        """Finish what waits, then refuse. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _put(self, waiting: _Waiting) -> None:
        if self._closed:
            raise _unavailable()
        self._queue.put(waiting)

    @as_system  # a group holds entries of several tenants
    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            while len(group) < _MAX_GROUP and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                group.append(following)
            self._commit(group)

    def _commit(self, group: list[_Waiting]) -> None:
        def together(connection: Connection) -> None:
            for one in group:
                for change in one.changes:
                    change(connection)
            _INSERT.run(connection, [one.row for one in group])

        refusals = self._database.apply_each([together]) * len(group)
        if refusals[0] is not None and any(one.changes for one in group):  # one of them must not refuse the others
            refusals = self._database.apply_each([one.write for one in group])
        on_loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Exception | None]]] = {}
        for waiting, refusal in zip(group, refusals, strict=True):
            if isinstance(waiting.future, Future):
                _end(waiting.future, refusal)
            else:
                on_loops.setdefault(waiting.future.get_loop(), []).append((waiting.future, refusal))
        for loop, ended in on_loops.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_end_all, ended)


def _end_all(ended: list[tuple[asyncio.Future[None], Exception | None]]) -> None:
    for future, refusal in ended:
        if not future.done():  # who waited may have been cancelled
            _end(future, refusal)


def _end(future: Future[None] | asyncio.Future[None], refusal: Exception | None) -> None:
    if refusal is None:
        future.set_result(None)
        return
    unavailable = _unavailable()
    unavailable.__cause__ = refusal
    future.set_exception(unavailable)


def row(entry: Entry) -> dict[str, Any]:
    """The outbox row; the leaf is canonical JSON (RFC 8785). Raises `Invalid` for one that no log can take."""
    members = entry.as_json()
    text = _PLAIN(members)
    leaf = text.encode() if text.isascii() and not _LARGE_NUMBER.search(text) else rfc8785.dumps(members)
    if len(leaf) > MAX_LEAF:
        raise Invalid(
            "The facts of this operation are too many for one audit entry; do less at once.", code="leaf-too-large"
        )
    return {"log": entry.log, "leaf": leaf}


def pending(connection: Connection, limit: int) -> list[tuple[int, str, bytes]]:
    """The oldest entries not yet in a log: (seq, log, leaf)."""
    rows = connection.execute(_PENDING, {"most": limit})
    return [(int(seq), str(log), bytes(leaf)) for seq, log, leaf in rows]


def discard(connection: Connection, seqs: list[int]) -> None:
    """Drop entries that the log now holds; in the same transaction that integrated them."""
    connection.execute(_DISCARD, [{"one": seq} for seq in seqs])


def _unavailable() -> Unavailable:
    return Unavailable("The audit record could not be opened, so nothing was done; try again later.", code="no-record")
