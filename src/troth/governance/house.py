"""The house: the tenant that publishes the paper. Its registers alone count for the promises.

Which tenant that is stands in the one row of `installation`; an operator says it. Until then nothing counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from troth.identity.store import OPERATORS, tenants
from troth.kernel.errors import Conflict, NotFound
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database
from troth.storage.placement import installation
from troth.vault.fences import fence_tenant


@dataclass(frozen=True, slots=True)
class Named:
    """A tenant by its id and name."""

    tenant: str
    name: str


class House:
    """Which tenant is the house. `synthetic`: the names of tenants of self-checks, which never are."""

    def __init__(self, database: Database, synthetic: frozenset[str] = frozenset()) -> None:
        self._database = database
        self._synthetic = synthetic

    def named(self) -> Named | None:
        """The house, or None while no tenant is named that is here."""
        with self._database.read(SYSTEM) as connection:
            return _named(connection)

    def name(self, tenant: str) -> Named | None:
        """Make a tenant the house; gives who was it before.

        Raises NotFound(tenant-not-found), Conflict(house-synthetic) for a tenant of self-checks, (closing) and
        Gone(subject-erased) for one that is being erased or was.
        """
        with self._database.write(SYSTEM) as connection:
            before = _named(connection)
            name = connection.execute(select(tenants.c.name).where(tenants.c.id == tenant)).scalar()
            if name is None or tenant == OPERATORS:
                raise NotFound("There is no such tenant; list the tenants to see their ids.", code="tenant-not-found")
            if name in self._synthetic:
                raise Conflict(
                    "This tenant is made for self-checks and keeps no registers; name the company that publishes "
                    "the paper.",
                    code="house-synthetic",
                )
            fence_tenant(connection, tenant)
            connection.execute(update(installation).values(house=tenant))
        return before


def _named(connection: Connection) -> Named | None:
    mine = select(tenants.c.id, tenants.c.name).join(installation, installation.c.house == tenants.c.id)
    row = connection.execute(mine).first()
    return None if row is None else Named(str(row.id), str(row.name))
