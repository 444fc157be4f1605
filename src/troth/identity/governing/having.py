"""Who has what, why, since when, and when they last used anything: what a review of access looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection as Sql
from sqlalchemy import func, select

from troth.identity.governing.elevations import ACTIVE
from troth.identity.governing.reasons import ELEVATION, GRANT, Reasons
from troth.identity.governing.store import elevations
from troth.identity.sso.store import links
from troth.identity.store import api_keys, custom_roles, grants, passkeys, sessions, totp, users
from troth.kernel.clock import Clock, epoch_ms
from troth.storage.database import Database

_STEP_MS = 30_000  # of a one-time code, RFC 6238


@dataclass(frozen=True, slots=True)
class Held:
    """One grant of one person. `lent` says that it ends by itself within hours. Times in epoch milliseconds."""

    user: str
    role: str
    granted_by: str
    granted_at: int
    expires_at: int
    used_at: int | None
    lent: bool = False
    reason: str | None = None


class Having:
    """Reads the grants of a tenant's active people."""

    def __init__(self, database: Database, reasons: Reasons, clock: Clock) -> None:
        self._database = database
        self._reasons = reasons
        self._clock = clock

    def of(self, tenant: str) -> list[Held]:
        """Every grant with its reason, by person and role."""
        with self._database.read() as connection:
            found = held(connection, tenant, epoch_ms(self._clock.now()))
            why = dict(_reasons(connection, tenant))
        return [self._told(tenant, one, why) for one in found]

    def names(self, tenant: str) -> dict[str, str]:
        """The names of custom roles by their ids."""
        named = select(custom_roles.c.id, custom_roles.c.name).where(custom_roles.c.tenant == tenant)
        with self._database.read() as connection:
            return {row.id: row.name for row in connection.execute(named)}

    def _told(self, tenant: str, one: Held, why: dict[tuple[str, str, int], tuple[bytes, str]]) -> Held:
        sealed, label = why.get((one.user, one.role, one.granted_at), (None, ""))
        text = self._reasons.opened(tenant, one.user, sealed, label)
        return replace(one, reason=text, lent=label == ELEVATION)


def held(connection: Sql, tenant: str, now: int) -> Sequence[Held]:
    """The grants that hold at a moment, by person and role."""
    columns = (grants.c.user, grants.c.role, grants.c.granted_by, grants.c.granted_at, grants.c.expires_at)
    query = select(*columns).join(users, grants.c.user == users.c.id)
    lasting = query.where(users.c.tenant == tenant, users.c.active.is_(True), grants.c.expires_at > now)
    rows = connection.execute(lasting.order_by(grants.c.user, grants.c.role)).all()
    used = last_used(connection, tenant)
    return [Held(*row, used.get(row.user)) for row in rows]


def last_used(connection: Sql, tenant: str) -> dict[str, int]:
    """When each person of a tenant last used a session, key, passkey, code or link of theirs."""
    people = select(users.c.id).where(users.c.tenant == tenant)
    latest: dict[str, int] = {}
    marks = (
        (sessions, sessions.c.seen_at),
        (api_keys, api_keys.c.used_at),
        (passkeys, passkeys.c.used_at),
        (links, links.c.used_at),
        (totp, totp.c.last_step * _STEP_MS),
    )
    for table, moment in marks:
        query = select(table.c.user, func.max(moment)).where(table.c.user.in_(people)).group_by(table.c.user)
        for user, at in connection.execute(query):
            if at:
                latest[user] = max(int(at), latest.get(user, 0))
    return latest


def _reasons(connection: Sql, tenant: str) -> Iterator[tuple[tuple[str, str, int], tuple[bytes, str]]]:
    people = select(users.c.id).where(users.c.tenant == tenant)
    given = select(grants).where(grants.c.user.in_(people), grants.c.reason.is_not(None))
    for one in connection.execute(given):
        yield (one.user, one.role, one.granted_at), (one.reason, GRANT)
    lent = select(elevations).where(elevations.c.tenant == tenant, elevations.c.state == ACTIVE)
    for one in connection.execute(lent):
        yield (one.user, one.role, one.granted_at), (one.reason, ELEVATION)
