"""Perceptual prints of objects: by them a changed copy of a picture is known again.

A print goes in the transaction that takes its object out of service, whatever ends it, and stands in no backup. While
the use of an object is suspended (GDPR Art. 18, an erasure that may be called off) its print answers nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    delete,
    insert,
    or_,
    select,
    tuple_,
)

from troth.storage.database import metadata
from troth.vault import fences
from troth.vault.tables import LIVE, batches, objects

BYTES = 32  # of a print
_PAGE = 10_000  # rows at a time

prints = Table(
    "vault_print",
    metadata,
    Column("object", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),  # of several looks of one object
    Column("tenant", String(64), nullable=False),
    Column("print", LargeBinary, nullable=False),  # keyed with the deployment's secret
    Index("ix_vault_print_tenant", "tenant"),
)


Print = tuple[str, bytes]
"""An object, and one look of it."""


def add(connection: Connection, tenant: str, object_id: str, made: Sequence[bytes]) -> None:
    """Keep the prints of an object, in the transaction that keeps it. Time and end are the object's own."""
    rows = [{"object": object_id, "number": number, "tenant": tenant, "print": one} for number, one in enumerate(made)]
    if rows:
        connection.execute(insert(prints), rows)


def drop(connection: Connection, ids: Iterable[str]) -> None:
    """These objects are on their way out."""
    for batch in batches(ids):
        connection.execute(delete(prints).where(prints.c.object.in_(batch)))


def pages(connection: Connection, tenant: str | None) -> Generator[Sequence[Print], None, None]:
    """All prints of a tenant, or (None) of everybody whose rows the connection sees, some thousands at a time."""
    place = prints.c.object, prints.c.number
    wanted = select(prints.c.object, prints.c.print, prints.c.number).order_by(*place).limit(_PAGE)
    if tenant is not None:
        wanted = wanted.where(prints.c.tenant == tenant)
    following = wanted
    while page := _rows(connection, following):
        yield [(row[0], row[1]) for row in page]
        following = wanted.where(tuple_(*place) > tuple_(page[-1][0], page[-1][2]))


def _rows(connection: Connection, wanted: Select[Any]) -> Sequence[Any]:
    """As the driver gives them: an object for each row would cost five times as much."""
    found = connection.execute(wanted)
    try:
        return [] if found.cursor is None else found.cursor.fetchall()
    finally:
        found.close()


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
