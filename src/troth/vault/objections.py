"""Objections: a person says no to a purpose (GDPR Art. 21, CCPA 1798.120), and it ends at once.

No consent counts and none can be given while the objection stands. Where it is proven who objects, the consent that
stood is withdrawn in the same transaction, and what was kept by it ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass

from sqlalchemy import Column, Connection, Index, String, Table, bindparam, delete, or_, select, update

from troth.kernel.errors import Conflict, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.storage.database import Big, Database, metadata
from troth.storage.prepared import PreparedSelect
from troth.vault.fences import fence
from troth.vault.ground import Ground
from troth.vault.tables import insert_missing

SALE_AND_SHARING = ("sale", "sharing")  # what an opt-out stops (CCPA 1798.120, 1798.140(ad), (ah))
PURPOSES = ("training", "vendor-retention", "analytics", *SALE_AND_SHARING)

objections = Table(
    "vault_objection",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("source", String(16), nullable=False),  # portal | api | mail | gpc
    Column("raised_at", Big, nullable=False),
    Column("lifted_at", Big),
)
Index(
    "uq_vault_objection_standing",
    objections.c.tenant,
    objections.c.subject,
    objections.c.purpose,
    unique=True,
    sqlite_where=objections.c.lifted_at.is_(None),
    postgresql_where=objections.c.lifted_at.is_(None),
)
# Built once.
_NOW = PreparedSelect(
    select(objections.c.purpose).where(
        objections.c.tenant == bindparam("of"),
        objections.c.subject == bindparam("person"),
        objections.c.lifted_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Objection:
    """One objection. Times in epoch ms."""

    id: str
    tenant: str
    subject: str
    purpose: str
    source: str
    raised_at: int
    lifted_at: int | None


class Objections:
    """The register of objections."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def insert(
        self, connection: Connection, tenant: str, subject: str, purposes: Iterable[str], *, source: str, request: str
    ) -> list[Objection]:
        """Raise those that do not stand yet, in the caller's transaction. Raises `Invalid`, `Gone` for the erased."""
        fence_erased(connection, tenant, subject)
        now, raised = self._ground.now(), []
        for purpose in purposes:
            if purpose not in PURPOSES:
                raise Invalid("One can object to: " + ", ".join(PURPOSES) + ".", code="unknown-purpose")
            if _standing(connection, tenant, subject, purpose) is None:
                one = Objection(new_id("opp"), tenant, subject, purpose, source, now, None)
                if insert_missing(connection, objections, asdict(one)):
                    self._note(connection, "objection.raised", one, request)
                    raised.append(one)
        return raised

    def lift(self, tenant: str, subject: str, objection: str, *, request: str) -> Objection:
        """Take an objection back. It gives no consent. Idempotent. Raises `NotFound` for another's."""
        mine = (objections.c.id == objection, objections.c.tenant == tenant, objections.c.subject == subject)
        with self._ground.database.write() as connection:
            change = update(objections).where(*mine, objections.c.lifted_at.is_(None))
            lifted = connection.execute(change.values(lifted_at=self._ground.now())).rowcount
            row = connection.execute(select(objections).where(*mine)).mappings().first()
            if row is None:
                raise NotFound("There is no such objection; list yours to see their ids.")
            found = Objection(**dict(row))
            if lifted:
                self._note(connection, "objection.lifted", found, request)
        return found

    def history(self, tenant: str, subject: str) -> list[Objection]:
        """Every objection of a person, newest first, lifted ones too."""
        query = select(objections).where(objections.c.tenant == tenant, objections.c.subject == subject)
        with self._ground.database.read() as connection:
            rows = connection.execute(query.order_by(objections.c.raised_at.desc(), objections.c.purpose)).mappings()
            return [Objection(**dict(row)) for row in rows]

    def standing(self, tenant: str, subject: str) -> frozenset[str]:
        """The purposes that a person says no to now."""
        return frozenset(one.purpose for one in self.history(tenant, subject) if one.lifted_at is None)

    def forget(self, connection: Connection, tenant: str, subject: str) -> list[str]:
        """Drop a person's objections; their ids."""
        mine = (objections.c.tenant == tenant, objections.c.subject == subject)
        found = sorted(connection.execute(select(objections.c.id).where(*mine)).scalars())
        connection.execute(delete(objections).where(*mine))
        return found

    def _note(self, connection: Connection, operation: str, one: Objection, request: str) -> None:
        facts: dict[str, Fact] = {"purpose": one.purpose, "reason": one.source}
        self._ground.event(connection, self._ground.entry(operation, one.tenant, request, one.subject, facts))


def fence_erased(connection: Connection, tenant: str, subject: str) -> None:
    """Hold off an erasure as `fence` does. Raises `Gone` for the erased; the restricted keep all their rights."""
    with suppress(Conflict):
        fence(connection, tenant, subject)


def refuse_objected(connection: Connection, tenant: str, subject: str, purpose: str) -> None:
    """Raises `Conflict` (code "objected") while the person says no to this purpose."""
    if _standing(connection, tenant, subject, purpose) is not None:
        raise Conflict(
            "You object to this use, so nothing can be agreed to; take the objection back first.", code="objected"
        )


def standing_now(database: Database, tenant: str, subject: str) -> frozenset[str]:
    """The purposes that a person says no to now. Each request to a vendor asks."""
    return frozenset(row[0] for row in database.rows(_NOW, {"of": tenant, "person": subject}))


def objected(connection: Connection, tenant: str, subject: str, at: int) -> frozenset[str]:
    """The purposes that a person said no to at a moment in epoch ms."""
    mine = objections.c.tenant == tenant, objections.c.subject == subject, objections.c.raised_at <= at
    stood = or_(objections.c.lifted_at.is_(None), objections.c.lifted_at > at)
    return frozenset(connection.execute(select(objections.c.purpose).where(*mine, stood)).scalars())


def _standing(connection: Connection, tenant: str, subject: str, purpose: str) -> str | None:
    query = select(objections.c.id).where(
        objections.c.tenant == tenant,
        objections.c.subject == subject,
        objections.c.purpose == purpose,
        objections.c.lifted_at.is_(None),
    )
    found = connection.execute(query).scalar()
    return None if found is None else str(found)
