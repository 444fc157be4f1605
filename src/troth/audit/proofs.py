"""Proofs that an entry stands in a log, and that a log only grew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select

from troth.audit import merkle, store
from troth.audit.log import signed_note
from troth.audit.proof_text import ProofText
from troth.audit.store import StoredHead, entries
from troth.kernel.errors import NotFound, Unavailable
from troth.storage.database import Database


class Prover:
    """Reads proofs out of tiles. Every method raises `NotFound` for a log without entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def proof(self, log: str, index: int) -> str:
        """A C2SP `.tlog-proof` of one entry under the newest checkpoint.

        Raises `NotFound` beyond the end and `Unavailable` for an entry that is not under a checkpoint yet.
        """
        with self._opened(log) as (connection, head):
            if not 0 <= index < head.size:
                raise NotFound("The log has no entry of that index.")
            if index >= head.signed_size:
                raise Unavailable("The entry is not under a signed checkpoint yet; try again in a second.")
            path = merkle.inclusion(_nodes(connection, head), index, head.signed_size)
            return str(ProofText(index, tuple(path), signed_note(head)))

    def consistency(self, log: str, old: int) -> list[bytes]:
        """RFC 6962 proof that the log of `old` entries begins the log under the newest checkpoint."""
        with self._opened(log) as (connection, head):
            if not 0 < old <= head.signed_size:
                raise NotFound("The log was never signed at that size.")
            return merkle.consistency(_nodes(connection, head), old, head.signed_size)

    def locate(self, log: str, request_id: str) -> list[int]:
        """The indexes of a request's entries, in order; empty while they wait to be placed."""
        with self._database.read() as connection:
            head = store.find_head(connection, log)
            if head is None:
                return []
            where = (entries.c.number == head.number, entries.c.request == request_id)
            query = select(entries.c.position).where(*where).order_by(entries.c.position)
            return [int(position) for position in connection.scalars(query)]

    @contextmanager
    def _opened(self, log: str) -> Iterator[tuple[Connection, StoredHead]]:
        with self._database.read() as connection:
            yield connection, store.head(connection, log)


def _nodes(connection: Connection, head: StoredHead) -> merkle.TileNodes:
    return merkle.TileNodes(lambda level, tile: store.read_tile(connection, head.number, level, tile))
