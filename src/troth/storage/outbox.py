"""Audit entries on their way to the log: written in the same transaction as the change they tell of."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

import rfc8785
from sqlalchemy import Column, Connection, LargeBinary, String, Table, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from troth.kernel.errors import Invalid, Unavailable
from troth.kernel.record import Entry
from troth.storage.database import Big, Database, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=True),
    Column("log", String(64), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

MAX_LEAF = 65_535  # bytes; C2SP tlog-tiles entry bundles count in 16 bits
_MAX_GROUP = 512  # entries in one commit; more waits for the next


class Outbox:
    """Takes entries in durably. `record` groups the commits of callers that wait at the same time.

    Raises `Unavailable` when an entry cannot be made durable: the caller must then not act.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: SimpleQueue[tuple[dict[str, Any], Future[None]] | None] = SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def record(self, entry: Entry) -> None:
        """Append one entry and return when it is on disk."""
        self.submit(entry).result()

    def submit(self, entry: Entry) -> Future[None]:
        """Append one entry; the future ends when it is on disk, or with `Unavailable`."""
        if self._closed:
            raise _unavailable()
        waiting: Future[None] = Future()
        self._queue.put((row(entry), waiting))
        return waiting

    def record_within(self, connection: Connection, entry: Entry) -> None:
        """Append one entry in the caller's transaction."""
        try:
            connection.execute(insert(outbox), row(entry))
        except SQLAlchemyError as error:
            raise _unavailable() from error

    def close(self) -> None:
        """Finish what waits, then refuse. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()

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

    def _commit(self, group: list[tuple[dict[str, Any], Future[None]]]) -> None:
        try:
            with self._database.write() as connection:
                connection.execute(insert(outbox), [entry for entry, _ in group])
        except (SQLAlchemyError, Unavailable) as error:
            for _, waiting in group:
                refusal = _unavailable()
                refusal.__cause__ = error
                waiting.set_exception(refusal)
            return
        for _, waiting in group:
            waiting.set_result(None)


def row(entry: Entry) -> dict[str, Any]:
    """The outbox row; the leaf is canonical JSON (RFC 8785). Raises `Invalid` for one that no log can take."""
    leaf = rfc8785.dumps(entry.as_json())
    if len(leaf) > MAX_LEAF:
        raise Invalid(
            "The facts of this operation are too many for one audit entry; do less at once.", code="leaf-too-large"
        )
    return {"log": entry.log, "leaf": leaf}


def pending(connection: Connection, limit: int) -> list[tuple[int, str, bytes]]:
    """The oldest entries not yet in a log: (seq, log, leaf)."""
    rows = connection.execute(select(outbox).order_by(outbox.c.seq).limit(limit))
    return [(int(seq), str(log), bytes(leaf)) for seq, log, leaf in rows]


def discard(connection: Connection, seqs: list[int]) -> None:
    """Drop entries that the log now holds; in the same transaction that integrated them."""
    connection.execute(delete(outbox).where(outbox.c.seq.in_(seqs)))


def _unavailable() -> Unavailable:
    return Unavailable("The audit record could not be opened, so nothing was done; try again later.", code="no-record")
