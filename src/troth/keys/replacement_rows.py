"""The table of replacements: units that were exposed, and how far their content is on its way to fresh ones."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Connection, Index, Integer, String, Table, func, insert, select, update

from troth.kernel.errors import NotFound
from troth.storage.database import Big, metadata

key_replacement = Table(
    "key_replacement",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("jurisdiction", String(8), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64)),  # absent for a whole tenant, and after the end: nobody needs the name then
    Column("reason", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("approver", String(64)),
    Column("people", Integer, nullable=False),
    Column("units", Integer, nullable=False),  # exposed units that are to be replaced
    Column("done", Integer, nullable=False),  # of which everything was moved in the present pass
    Column("moved", Big, nullable=False),  # objects and fields that were sealed anew
    Column("asked_at", Big, nullable=False),
    Column("approved_at", Big),
    Column("marked_at", Big),
    Column("ended_at", Big),
    Column("fault", String(64)),  # why the last round stopped
    Column("fault_at", Big),
    Index("ix_key_replacement_state", "jurisdiction", "state"),
)


class Progress(StrEnum):
    """Where a replacement stands."""

    WAITING = "waiting"  # for a second operator
    OPEN = "open"  # the job works on it
    DONE = "done"
    CALLED_OFF = "called-off"


@dataclass(frozen=True, slots=True)
class Replacement:
    """One row; times in epoch ms."""

    id: str
    tenant: str
    subject: str | None
    reason: str
    state: str
    actor: str
    approver: str | None
    people: int
    units: int
    done: int
    moved: int
    asked_at: int
    approved_at: int | None
    marked_at: int | None
    ended_at: int | None
    fault: str | None
    fault_at: int | None


_COLUMNS = tuple(key_replacement.c[one.name] for one in fields(Replacement))


class ReplacementRows:
    """The replacements of one jurisdiction. Every call takes its transaction from the caller."""

    def __init__(self, jurisdiction: str) -> None:
        self._jurisdiction = jurisdiction
        self._mine = select(*_COLUMNS).where(key_replacement.c.jurisdiction == jurisdiction)

    def add(self, connection: Connection, one: Replacement) -> None:
        """A fresh one."""
        values = {field.name: getattr(one, field.name) for field in fields(Replacement)}
        connection.execute(insert(key_replacement), values | {"jurisdiction": self._jurisdiction})

    def change(self, connection: Connection, identifier: str, **values: Any) -> None:
        """Set columns."""
        connection.execute(update(key_replacement).where(key_replacement.c.id == identifier).values(**values))

    def found(self, connection: Connection, identifier: str, *, lock: bool = False) -> Replacement:
        """The one of that id. Raises `NotFound`."""
        query = self._mine.where(key_replacement.c.id == identifier)
        row = connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound("There is no such replacement of keys; list them to see their ids.", code="no-replacement")
        return Replacement(*row)

    def people_asked(self, connection: Connection, actor: str, since: int) -> int:
        """Of how many people an actor asked to replace units since a moment, but for what was called off.

        Whoever counts for the same actor waits until this transaction ends, so that two at once count each other.
        """
        if connection.dialect.name == "postgresql":  # SQLite has one writer; a row to lock need not be there yet
            key = func.hashtextextended(f"troth/key-replacements/{actor}", 0)
            connection.execute(select(func.pg_advisory_xact_lock(key)))
        table = key_replacement.c
        mine = table.actor == actor, table.asked_at > since, table.state != Progress.CALLED_OFF
        people = select(func.coalesce(func.sum(table.people), 0)).where(table.jurisdiction == self._jurisdiction, *mine)
        return int(connection.execute(people).scalar_one())

    def unended(self, connection: Connection) -> list[Replacement]:
        """What waits or is worked on, oldest first."""
        query = self._mine.where(key_replacement.c.state.in_((Progress.WAITING, Progress.OPEN)))
        return [Replacement(*row) for row in connection.execute(query.order_by(key_replacement.c.asked_at))]

    def newest(self, connection: Connection, limit: int) -> list[Replacement]:
        """The newest first."""
        query = self._mine.order_by(key_replacement.c.asked_at.desc(), key_replacement.c.id).limit(limit)
        return [Replacement(*row) for row in connection.execute(query)]
