"""The newest checkpoint of a log that a quorum of witnesses vouches for, in SQL: what proofs are made under.

For the operator log and the meta log it bears the cosignatures; for a tenant's log it is the newest one that stands in
the cosigned meta log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, LargeBinary, String, Table, bindparam, delete, insert, select

from troth.storage.database import Big, metadata

audit_witnessed = Table(
    "audit_witnessed",
    metadata,
    Column("log", String(64), primary_key=True),
    Column("size", Big, nullable=False),
    Column("note", LargeBinary, nullable=False),  # signed by the log
    Column("at", Big, nullable=False),
)


@dataclass(frozen=True, slots=True)
class CosignedNote:
    """A checkpoint of `size` entries with its cosignatures; `at` is when we kept it, in epoch milliseconds."""

    size: int
    note: bytes
    at: int


def find(connection: Connection, log: str) -> CosignedNote | None:
    """The newest one of a log."""
    table = audit_witnessed
    row = connection.execute(select(table.c.size, table.c.note, table.c.at).where(table.c.log == log)).one_or_none()
    return None if row is None else CosignedNote(int(row.size), bytes(row.note), int(row.at))


def keep(connection: Connection, log: str, note: CosignedNote) -> None:
    """Put it in the place of an older one; a newer one stays."""
    older = delete(audit_witnessed).where(audit_witnessed.c.log == log, audit_witnessed.c.size <= note.size)
    connection.execute(older)
    if find(connection, log) is None:
        values = {"log": log, "size": note.size, "note": note.note, "at": note.at}
        connection.execute(insert(audit_witnessed), values)


def replace(connection: Connection, notes: Sequence[tuple[str, CosignedNote]]) -> None:
    """Put each (log, note) in the place of what there was."""
    if notes:
        rows = [{"log": log, "size": one.size, "note": one.note, "at": one.at} for log, one in notes]
        here = audit_witnessed.c.log == bindparam("of")
        connection.execute(delete(audit_witnessed).where(here), [{"of": log} for log, _ in notes])
        connection.execute(insert(audit_witnessed), rows)
