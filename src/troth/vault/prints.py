"""Perceptual prints of objects: by them a changed copy of a picture is known again.

A print goes in the transaction that takes its object out of service, whatever ends it, and stands in no backup. While
the use of an object is suspended (GDPR Art. 18, an erasure that may be called off) its print answers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Column, Connection, Index, Integer, LargeBinary, String, Table, delete, insert, or_, select

from troth.storage.database import metadata
from troth.vault import fences
from troth.vault.tables import LIVE, batches, objects

BYTES = 32  # of a print
_PAGE = 20_000  # rows at a time

prints = Table(
    "vault_print",
    metadata,
    Column("object", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),  # of several looks of one object
    Column("tenant", String(64), nullable=False),
    Column("print", LargeBinary, nullable=False),  # keyed with the deployment's secret
    Index("ix_vault_print_tenant", "tenant"),
)


class Print(NamedTuple):
    """One look of one object."""

    object: str
    print: bytes


def add(connection: Connection, tenant: str, object_id: str, made: Sequence[bytes]) -> None:
    """Keep the prints of an object, in the transaction that keeps it. Time and end are the object's own."""
    rows = [{"object": object_id, "number": number, "tenant": tenant, "print": one} for number, one in enumerate(made)]
    if rows:
        connection.execute(insert(prints), rows)


def drop(connection: Connection, ids: Iterable[str]) -> None:
    """These objects are on their way out."""
    for batch in batches(ids):
        connection.execute(delete(prints).where(prints.c.object.in_(batch)))


def pages(connection: Connection, tenant: str | None) -> Iterator[Sequence[Print]]:
    """All prints of a tenant, or (None) of everybody whose rows the connection sees, some thousands at a time."""
    wanted = select(prints.c.object, prints.c.print)
    if tenant is not None:
        wanted = wanted.where(prints.c.tenant == tenant)
    found = connection.execution_options(yield_per=_PAGE).execute(wanted)
    for page in found.partitions(_PAGE):
        yield [Print(row[0], bytes(row[1])) for row in page]


def answers(connection: Connection, object_id: str, now: int) -> bool:
    """Whether the object of a print still stands and may be used; `now` in epoch ms."""
    row = connection.execute(
        select(objects.c.tenant, objects.c.subject).where(
            objects.c.id == object_id,
            objects.c.state == LIVE,
            or_(objects.c.expires_at.is_(None), objects.c.expires_at > now),
        )
    ).first()
    return row is not None and fences.state(connection, row.tenant, row.subject) == LIVE
