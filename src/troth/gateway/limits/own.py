"""Limits that a tenant sets itself, below those of the service: for each person and key, or for one of them.

The stricter wins each time they are used, so a limit that the service lowers later counts at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, or_, select, update

from troth.gateway.limits.rules import Amounts, Kind, rule
from troth.gateway.limits.store import own_limits
from troth.gateway.limits.targets import owner_of
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Denied, PreconditionFailed
from troth.storage.database import Database
from troth.storage.prepared import PreparedSelect
from troth.vault.fences import fence, fence_tenant
from troth.vault.tables import insert_missing

_FOR = PreparedSelect(
    select(own_limits.c.scope, own_limits.c.limits).where(
        own_limits.c.tenant == bindparam("tenant"),
        or_(
            own_limits.c.target == "",
            (own_limits.c.scope == "user") & (own_limits.c.target == bindparam("user")),
            (own_limits.c.scope == "key") & (own_limits.c.target == bindparam("key")),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """What a tenant set. `target` is the id of a person or key; empty: for each of them. `set_at` in epoch ms."""

    scope: str
    target: str
    limits: Amounts
    set_by: str
    set_at: int


class OwnLimits:
    """Limits of tenants. `ceilings`: those of the service, by tenant, user and key."""

    def __init__(self, database: Database, clock: Clock, ceilings: Mapping[str, Amounts]) -> None:
        self.ceilings = ceilings
        self._database, self._clock = database, clock

    def of(self, tenant: str, user: str, key: str) -> dict[str, dict[str, int]]:
        """What holds for a request, with the service's: by tenant, user and key. Raises `Unavailable`."""
        held = {scope: dict(table) for scope, table in self.ceilings.items()}
        for scope, text in self._database.rows(_FOR, {"tenant": tenant, "user": user, "key": key}):
            mine = held.setdefault(str(scope), {})
            for name, most in _read(str(text)).items():
                mine[name] = min(most, mine.get(name, most))
        return held

    def all(self, tenant: str, person: str | None = None) -> list[OwnLimit]:
        """All that the tenant set, or what holds for one person and their keys."""
        wanted = select(own_limits).where(own_limits.c.tenant == tenant)
        if person is not None:
            theirs = own_limits.c.person == person, own_limits.c.target.in_(("", person))
            wanted = wanted.where(or_(*theirs))
        with self._database.read() as connection:
            found = connection.execute(wanted.order_by(own_limits.c.scope, own_limits.c.target)).all()
        return [OwnLimit(row.scope, row.target, _read(row.limits), row.set_by, row.set_at) for row in found]

    def set(
        self, tenant: str, scope: str, target: str, limits: Amounts, actor: str, *, seen: int | None = None
    ) -> None:
        """Set the limits of each person or key, or of one, whole; without any, they go.

        `seen`: when those were set on which this builds, 0 for none; without it, whatever stands is replaced. Raises
        `PreconditionFailed` (stale-limits) when others were set since, `Denied` (limit-above-ceiling), `NotFound`
        (limit-target-not-found), `Gone`.
        """
        self._require_below(scope, limits)
        place = {"tenant": tenant, "scope": scope, "target": target}
        row = place | {"limits": json.dumps(limits), "set_by": actor, "set_at": epoch_ms(self._clock.now())}
        with self._database.write() as connection:
            fence_tenant(connection, tenant)
            person = owner_of(connection, tenant, scope, target) if target else ""
            if person:
                fence(connection, tenant, person)
            if not _replaced(connection, place, row | {"person": person} if limits else None, seen):
                raise PreconditionFailed("These limits were changed meanwhile; look at them again.",
                                         code="stale-limits", field="seen")  # fmt: skip

    def _require_below(self, scope: str, limits: Amounts) -> None:
        for name, most in limits.items():
            ceiling = self.ceilings.get(scope, {}).get(name)
            if ceiling is not None and most > ceiling:
                raise Denied(
                    f"This service permits at most {written(name, ceiling)} {name}; set less, or ask the operator.",
                    code="limit-above-ceiling",
                    field=name,
                )


def written(name: str, amount: int) -> str:
    """An amount as people write it: money in the currency, all else as it is counted."""
    if rule(name).kind is not Kind.MONEY:
        return str(amount)
    return money(amount)


def money(amount: int) -> str:
    """Millionths as a decimal with two digits at least: 12.50."""
    whole, rest = divmod(amount, 1_000_000)
    digits = f"{rest:06}".rstrip("0").ljust(2, "0")
    return f"{whole}.{digits}"


def _replaced(connection: Connection, place: Mapping[str, str], row: dict[str, Any] | None, seen: int | None) -> bool:
    """Put a row, or none, in place of what stands there; False when that is not what was seen.

    Each step is one statement with its condition, so that of two writers the later one sees the earlier.
    """
    here = [own_limits.c[name] == value for name, value in place.items()]
    if seen:
        here.append(own_limits.c.set_at == seen)
    if row is None:
        if seen == 0:
            return connection.execute(select(own_limits.c.set_at).where(*here)).first() is None
        return connection.execute(delete(own_limits).where(*here)).rowcount > 0 or not seen
    # A later time each time: it is what the next writer says to have seen.
    later = case((own_limits.c.set_at >= row["set_at"], own_limits.c.set_at + 1), else_=row["set_at"])
    change = update(own_limits).where(*here).values(row | {"set_at": later})
    if seen != 0 and connection.execute(change).rowcount:
        return True
    if seen:
        return False
    # Where nothing stood; if somebody put something there just now, theirs is replaced only when nothing was seen.
    return insert_missing(connection, own_limits, row) or (seen is None and connection.execute(change).rowcount > 0)


@lru_cache(maxsize=1024)
def _read(text: str) -> Amounts:
    found: dict[str, int] = json.loads(text)
    return found
