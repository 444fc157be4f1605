"""Proofs that an entry stands in a log, and that a log only grew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, select

from troth.audit import cosigned_notes, merkle, store
from troth.audit.log import signed_note
from troth.audit.meta import META, covered, leaf_of
from troth.audit.origins import Origins
from troth.audit.proof_text import JointProof, ProofText
from troth.audit.store import StoredHead, entries
from troth.kernel.errors import NotFound, Unavailable
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database


class Prover:
    """Reads proofs out of tiles. Every method raises `NotFound` for a log without entries."""

    def __init__(self, database: Database, origins: Origins) -> None:
        self._database = database
        self._origins = origins

    def proof(self, log: str, index: int) -> str:
        """A proof of one entry under the newest checkpoint, joint with that of the checkpoint in the meta log.

        The operator's log and the meta log itself have the first part only: a C2SP `.tlog-proof`. Raises `NotFound`
        beyond the end and `Unavailable` for an entry that is not under a checkpoint yet.
        """
        with self._opened(log) as (connection, head):
            if not 0 <= index < head.size:
                raise NotFound("The log has no entry of that index.")
            if index >= head.signed_size:
                raise _not_yet()
            entry = _proof(connection, head, index)
        return str(JointProof(entry, self._vouched(log, entry.checkpoint) if covered(log) else None))

    def paths(self, log: str, indexes: Sequence[int]) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
        """One signed checkpoint of the log, and the audit path of each entry under it, in order. Raises as `proof`."""
        with self._opened(log) as (connection, head):
            if any(not 0 <= index < head.signed_size for index in indexes):
                raise _not_yet()
            size, note = _shown(connection, head, max(indexes, default=0))
            nodes = _nodes(connection, head)
            return note, tuple(tuple(merkle.inclusion(nodes, index, size)) for index in indexes)

    def _vouched(self, log: str, note: bytes) -> ProofText:
        """The proof of a shown checkpoint in the meta log, which no tenant's scope reaches and everybody may read."""
        leaf = leaf_of(note, self._origins.key(log))
        with self._database.read(SYSTEM) as connection:
            head = store.find_head(connection, META)
            found = [one for one in _located(connection, head, leaf.hex()) if head and one < head.signed_size]
            if head is None or not found:
                raise _not_yet()
            return _proof(connection, head, found[-1])

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
            return _located(connection, head, request_id)

    @contextmanager
    def _opened(self, log: str) -> Iterator[tuple[Connection, StoredHead]]:
        with self._database.read() as connection:
            yield connection, store.head(connection, log)


def _located(connection: Connection, head: StoredHead | None, request: str) -> list[int]:
    if head is None:
        return []
    where = (entries.c.number == head.number, entries.c.request == request)
    query = select(entries.c.position).where(*where).order_by(entries.c.position)
    return [int(position) for position in connection.scalars(query)]


def _proof(connection: Connection, head: StoredHead, index: int) -> ProofText:
    size, note = _shown(connection, head, index)
    return ProofText(index, tuple(merkle.inclusion(_nodes(connection, head), index, size)), note)


def _shown(connection: Connection, head: StoredHead, index: int) -> tuple[int, bytes]:
    """Size and note of the checkpoint under which entries up to `index` are shown."""
    cosigned = cosigned_notes.find(connection, head.log)
    if cosigned is not None and index < cosigned.size:  # what witnesses vouch for proves more than what is newer
        return cosigned.size, cosigned.note
    return head.signed_size, signed_note(head)


def _not_yet() -> Unavailable:
    return Unavailable("The entry is not under a signed checkpoint yet; try again in a second.", code="no-proof")


def _nodes(connection: Connection, head: StoredHead) -> merkle.TileNodes:
    return merkle.TileNodes(lambda level, tile: store.read_tile(connection, head.number, level, tile))
