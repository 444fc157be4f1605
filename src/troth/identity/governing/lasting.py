"""The last owner of a tenant, and the last operator, do not lapse: nobody would be left who could give the role anew.

Whoever lasts longest is extended when a month is left, or when it is over already; the log says so each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection as Sql
from sqlalchemy import select, update

from troth.identity.roles import GIVEN, OWNER
from troth.identity.store import OPERATORS, grants, users

EXTENDED_MS = 91 * 24 * 3600 * 1000
_SOON_MS = 30 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Last:
    """A grant without which a tenant, or the service, is nobody's. Epoch milliseconds."""

    tenant: str
    user: str
    role: str
    expires_at: int


def ending(connection: Sql, spared: Iterable[str], now: int) -> list[Last]:
    """The longest of each place whose grants all end within a month, or ended."""
    columns = users.c.tenant, grants.c.user, grants.c.role, grants.c.expires_at
    here = users.c.active.is_(True), grants.c.role.in_((OWNER, OPERATORS)), GIVEN
    given = select(*columns).join(users, grants.c.user == users.c.id).where(*here)
    # The last row of a tenant wins: the longest, and of equals the same one each time.
    ordered = given.order_by(grants.c.expires_at, grants.c.user)
    longest = {row.tenant: Last(*row) for row in connection.execute(ordered)}
    left_out = frozenset(spared)
    return [one for one in longest.values() if one.expires_at <= now + _SOON_MS and one.tenant not in left_out]


def extended(connection: Sql, one: Last, now: int) -> int:
    """Let it last another quarter; until when (epoch ms)."""
    mine = grants.c.user == one.user, grants.c.role == one.role
    connection.execute(update(grants).where(*mine).values(expires_at=now + EXTENDED_MS))
    return now + EXTENDED_MS
