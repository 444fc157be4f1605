"""Versions of the paper as rows. What a paper says is public, so nothing of it is sealed; approvals are signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Column, Connection, Integer, LargeBinary, String, Table, Text, func, insert, select, update

from troth.promises.paper.binding import Binding
from troth.storage.database import Big, metadata

paper_version = Table(
    "paper_version",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("paper", String(40), nullable=False),
    Column("version", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("binding", Text, nullable=False),
    Column("own", Text),  # the file of the paper's own promises
    Column("digest", String(64), nullable=False),
    Column("proposed_by", String(64), nullable=False),
    Column("proposed_at", Big, nullable=False),
    Column("approved_by", String(64)),
    Column("approved_at", Big),
    Column("effective_at", Big),
    Column("signer", String(256)),
    Column("signature", LargeBinary),  # of the DSSE envelope of its statement, made when it is approved
)
_HEAD = [one for one in paper_version.c if one.name not in ("text", "binding", "own")]


@dataclass(frozen=True, slots=True)
class Files:
    """What was handed in: the text, its binding file, and the file of own promises if it names one."""

    text: str = field(repr=False)
    binding: str = field(repr=False)
    own: str | None = field(default=None, repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 in hex over one line for each file: its name and the SHA-256 of its UTF-8 bytes."""
        named = (("text", self.text), ("binding", self.binding), ("promises", self.own or ""))
        lines = "".join(f"{name} {sha256(content.encode()).hexdigest()}\n" for name, content in named)
        return sha256(lines.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """One version without its files. Times in epoch ms; what is empty while it waits for approval is None."""

    number: int
    paper: str
    version: str
    digest: str
    proposed_by: str
    proposed_at: int
    approved_by: str | None
    approved_at: int | None
    effective_at: int | None
    signer: str | None
    signature: bytes | None


@dataclass(frozen=True, slots=True)
class Kept:
    """One version with its files."""

    head: Head
    files: Files


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved a version, when, and from when on it counts."""

    by: str
    at: int
    effective_at: int


def add(connection: Connection, binding: Binding, files: Files, *, number: int, by: str, at: int) -> None:
    """Append a proposed version. Raises the database's refusal when another process was first."""
    values: dict[str, Any] = {"text": files.text, "binding": files.binding, "own": files.own, "digest": files.digest}
    values |= {"number": number, "paper": binding.paper, "version": binding.version}
    connection.execute(insert(paper_version).values(values | {"proposed_by": by, "proposed_at": at}))


def approve(connection: Connection, number: int, approval: Approval, signer: str, signature: bytes) -> bool:
    """Write an approval; False when a newer version is there or it was approved meanwhile."""
    newest = select(func.max(paper_version.c.number)).scalar_subquery()
    waits = (paper_version.c.number == number, paper_version.c.approved_at.is_(None), newest == number)
    values: dict[str, Any] = {"approved_by": approval.by, "approved_at": approval.at}
    values |= {"effective_at": approval.effective_at, "signer": signer, "signature": signature}
    return connection.execute(update(paper_version).where(*waits).values(values)).rowcount == 1


def heads(connection: Connection) -> list[Head]:
    """Every version, oldest first."""
    rows = connection.execute(select(*_HEAD).order_by(paper_version.c.number)).mappings()
    return [Head(**{**row, "signature": _bytes(row["signature"])}) for row in rows]


def files(connection: Connection, number: int) -> Files | None:
    """The files of a version."""
    found = select(paper_version.c.text, paper_version.c.binding, paper_version.c.own)
    row = connection.execute(found.where(paper_version.c.number == number)).first()
    return None if row is None else Files(row.text, row.binding, row.own)


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
