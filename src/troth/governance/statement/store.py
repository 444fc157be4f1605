"""Versions of the statement as rows: what people were told, by whom, and since when. Public; approvals are signed."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Column, Connection, Integer, LargeBinary, String, Table, Text, func, insert, select, update

from troth.storage.database import Big, metadata

statement_version = Table(
    "statement_version",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),  # canonical JSON: sections with sentences, facts and grades
    Column("digest", String(64), nullable=False),
    Column("map", String(64), nullable=False),  # digest of the data map that it was made of
    Column("accepted", Text, nullable=False),  # sections above the grade that somebody accepted, by a space
    Column("proposed_by", String(64), nullable=False),
    Column("proposed_at", Big, nullable=False),
    Column("approved_by", String(64)),
    Column("approved_at", Big),
    Column("signer", String(256)),
    Column("signature", LargeBinary),  # of the DSSE envelope of its approval
)
_APPROVAL = ("approved_by", "approved_at", "signer", "signature")
_HEAD = [one for one in statement_version.c if one.name != "content"]


@dataclass(frozen=True, slots=True)
class Head:
    """One version without its text. Times in epoch ms; None while it waits for the approval."""

    number: int
    digest: str
    map: str
    accepted: str
    proposed_by: str
    proposed_at: int
    approved_by: str | None
    approved_at: int | None
    signer: str | None = None
    signature: bytes | None = None


def digest_of(content: str) -> str:
    """SHA-256 in hex over the UTF-8 bytes."""
    return sha256(content.encode()).hexdigest()


def add(connection: Connection, head: Head, content: str) -> None:
    """Append a proposed version. Raises the database's refusal when another process was first."""
    values = {name: getattr(head, name) for name in Head.__dataclass_fields__}
    connection.execute(insert(statement_version).values(values | {"content": content}))


def approve(connection: Connection, head: Head) -> bool:
    """Write the approval of a version; False when a newer version is there or it was approved meanwhile."""
    newest = select(func.max(statement_version.c.number)).scalar_subquery()
    waits = (
        statement_version.c.number == head.number,
        statement_version.c.approved_at.is_(None),
        newest == head.number,
    )
    values: dict[str, Any] = {name: getattr(head, name) for name in _APPROVAL}
    return connection.execute(update(statement_version).where(*waits).values(values)).rowcount == 1


def heads(connection: Connection) -> list[Head]:
    """Every version, oldest first."""
    rows = connection.execute(select(*_HEAD).order_by(statement_version.c.number)).mappings()
    return [Head(**{**row, "signature": None if row["signature"] is None else bytes(row["signature"])}) for row in rows]


def content(connection: Connection, number: int) -> str | None:
    """The text of a version."""
    found = select(statement_version.c.content).where(statement_version.c.number == number)
    return connection.execute(found).scalar()
