"""Tenants: the organisations that use the service. Where a tenant's data may be is fixed when it is created."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection as Sql
from sqlalchemy import insert, select

from troth.identity.store import OPERATORS, tenants
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Invalid, NotFound
from troth.kernel.ids import new_id
from troth.storage.database import Database

JURISDICTIONS = ("us", "eu", "au")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organisation. `created_at` in epoch milliseconds."""

    id: str
    name: str
    jurisdiction: str
    created_at: int


class Tenants:
    """All tenants. The operators' own row never shows here."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, name: str, jurisdiction: str) -> Tenant:
        """A fresh tenant. Raises `Invalid` for an unknown jurisdiction."""
        return self._written(self.fresh(name, jurisdiction))

    def fresh(self, name: str, jurisdiction: str, tenant: str | None = None) -> Tenant:
        """A tenant that is not written yet. Raises `Invalid` for an unknown jurisdiction."""
        if jurisdiction not in JURISDICTIONS:
            raise Invalid("Choose a jurisdiction: us, eu or au.", code="unknown-jurisdiction", field="jurisdiction")
        return Tenant(tenant or new_id("ten"), name, jurisdiction, epoch_ms(self._clock.now()))

    def ensure_operators(self, jurisdiction: str) -> str:
        """The row under which operators stand, created on first use; its id."""
        with self._database.read() as connection:
            found = connection.execute(select(tenants.c.id).where(tenants.c.id == OPERATORS)).scalar()
        return found or self._written(self.fresh("Operators of the service", jurisdiction, OPERATORS)).id

    def get(self, tenant: str) -> Tenant:
        """One tenant. Raises `NotFound`."""
        with self._database.read() as connection:
            row = connection.execute(select(tenants).where(tenants.c.id == tenant)).first()
        if row is None:
            raise NotFound("There is no such tenant; list the tenants to see their ids.", code="tenant-not-found")
        return Tenant(*row)

    def list(self) -> list[Tenant]:
        """All tenants, oldest first."""
        customers = select(tenants).where(tenants.c.id != OPERATORS).order_by(tenants.c.created_at, tenants.c.id)
        with self._database.read() as connection:
            return [Tenant(*row) for row in connection.execute(customers)]

    def _written(self, tenant: Tenant) -> Tenant:
        with self._database.write() as connection:
            write(connection, tenant)
        return tenant


def write(connection: Sql, tenant: Tenant) -> None:
    """Write a fresh tenant in the caller's transaction."""
    connection.execute(insert(tenants), asdict(tenant))
