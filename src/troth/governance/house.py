"""The house: the tenant that publishes the paper. Its registers alone count for the promises.

Which tenant that is stands in the one row of `installation`, with since when. One operator names the first; another
one takes two, for whatever its people agreed to among themselves would excuse promises. Until then nothing counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select, update

from troth.identity.store import OPERATORS, tenants
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, NotFound
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database
from troth.storage.placement import installation
from troth.vault.fences import fence_tenant

_THIS: Final = select(installation).where(installation.c.name == "this")
_NOBODY: Final[dict[str, Any]] = {"house_proposed": None, "house_proposed_by": None, "house_proposed_at": None}


@dataclass(frozen=True, slots=True)
class Named:
    """A tenant by its id and name; `since` when it is the house (epoch ms), None where nobody knows."""

    tenant: str
    name: str
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A tenant that is to be the house once a second operator agrees; `at` in epoch ms."""

    tenant: str
    by: str
    at: int


class House:
    """Which tenant is the house. `synthetic`: the names of tenants of self-checks, which never are."""

    def __init__(self, database: Database, clock: Clock, synthetic: frozenset[str] = frozenset()) -> None:
        self._database = database
        self._clock = clock
        self._synthetic = synthetic

    def named(self) -> Named | None:
        """The house, or None while no tenant is named that is here."""
        with self._database.read(SYSTEM) as connection:
            return _named(connection)

    def proposed(self) -> Proposed | None:
        """The tenant that waits for a second operator, or None."""
        with self._database.read(SYSTEM) as connection:
            return _proposed(connection.execute(_THIS).mappings().one())

    def name(self, tenant: str, by: str) -> Named | None:
        """Make a tenant the first house, or propose it as the next one; gives who is the house meanwhile (None: it is).

        Naming the house again takes a proposal back. Raises NotFound(tenant-not-found), Conflict(house-unchanged),
        (house-synthetic) for a tenant of self-checks, (closing) and Gone(subject-erased) for one that is being erased
        or was.
        """
        with self._database.write(SYSTEM) as connection:
            row = _row(connection)
            before = _named(connection)
            self._require(connection, tenant)
            if row["house"] == tenant and _proposed(row) is None:
                raise Conflict("This tenant is the house already; nothing is to be named.", code="house-unchanged")
            asked = {"house_proposed": tenant, "house_proposed_by": by, "house_proposed_at": self._now()}
            if row["house"] is None:
                asked = _NOBODY | {"house": tenant, "house_at": self._now()}
            _write(connection, _NOBODY if row["house"] == tenant else asked)
        return before

    def approve(self, tenant: str, by: str) -> Named | None:
        """Make the proposed tenant the house; gives who was it before.

        Raises Conflict(not-waiting), Denied(own-proposal), and as `name` for a tenant that can not be it any more.
        """
        with self._database.write(SYSTEM) as connection:
            waiting, before = _proposed(_row(connection)), _named(connection)
            if waiting is None or waiting.tenant != tenant:
                raise Conflict("No naming of this tenant waits; look at the house first.", code="not-waiting")
            if waiting.by == by:
                raise Denied("Nobody approves what they proposed; ask another operator.", code="own-proposal")
            self._require(connection, tenant)
            _write(connection, _NOBODY | {"house": tenant, "house_at": self._now()})
        return before

    def _require(self, connection: Connection, tenant: str) -> None:
        name = connection.execute(select(tenants.c.name).where(tenants.c.id == tenant)).scalar()
        if name is None or tenant == OPERATORS:
            raise NotFound("There is no such tenant; list the tenants to see their ids.", code="tenant-not-found")
        if name in self._synthetic:
            raise Conflict(
                "This tenant is made for self-checks and keeps no registers; name the company that publishes the "
                "paper.",
                code="house-synthetic",
            )
        fence_tenant(connection, tenant)

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def _row(connection: Connection) -> RowMapping:
    """The one row, which nobody else changes before the end of this transaction."""
    return connection.execute(_THIS.with_for_update()).mappings().one()


def _write(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(update(installation).where(installation.c.name == "this").values(values))


def _named(connection: Connection) -> Named | None:
    mine = select(tenants.c.id, tenants.c.name, installation.c.house_at)
    joined = mine.join(installation, installation.c.house == tenants.c.id).where(installation.c.name == "this")
    row = connection.execute(joined).first()
    return None if row is None else Named(str(row.id), str(row.name), row.house_at)


def _proposed(row: RowMapping) -> Proposed | None:
    if row["house_proposed"] is None:
        return None
    return Proposed(row["house_proposed"], row["house_proposed_by"] or "", row["house_proposed_at"] or 0)
