"""What the owner of a credential is right now: read with the credential, in one statement, on every request.

Nothing of it is cached, so disabling a person or removing a role holds from the next request on (ACC-02, ACC-08).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Select, Table, and_, bindparam, select

from troth.identity.store import OPERATORS, grants, tenants, users
from troth.kernel.caller import Authentication, Caller, Connection

_FACTS = (users.c.id, users.c.tenant, users.c.active, users.c.password_issued, tenants.c.jurisdiction, grants.c.role)


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's state at one moment. Operators stand outside every tenant."""

    user: str
    tenant: str
    active: bool
    password_issued: bool
    jurisdiction: str
    roles: frozenset[str]

    def caller(self, authentication: Authentication, connection: Connection) -> Caller:
        """This person as the caller of a request."""
        operator = self.tenant == OPERATORS
        return Caller(
            actor=self.user,
            kind="operator" if operator else "user",
            tenant=None if operator else self.tenant,
            subject=self.user,
            roles=self.roles,
            jurisdiction=self.jurisdiction,
            authentication=authentication,
            connection=connection,
        )

    def key(self, authentication: Authentication, connection: Connection, scopes: frozenset[str]) -> Caller:
        """A key of this person as the caller of a request: `authentication.credential` is its id."""
        return Caller(
            actor=authentication.credential or "",
            kind="api-key",
            tenant=None if self.tenant == OPERATORS else self.tenant,
            subject=self.user,
            roles=self.roles,
            scopes=scopes,
            jurisdiction=self.jurisdiction,
            authentication=authentication,
            connection=connection,
        )


def with_standing(table: Table, columns: Sequence[Column[Any]]) -> Select[Any]:
    """Rows of a credential table with the standing of their owner: one row per role that has not lapsed at `:now`."""
    lasting = and_(grants.c.user == users.c.id, grants.c.expires_at > bindparam("now"))
    people = table.join(users, table.c.user == users.c.id).join(tenants, users.c.tenant == tenants.c.id)
    return select(*columns, *_FACTS).select_from(people.outerjoin(grants, lasting))


def standing(rows: Sequence[Sequence[Any]]) -> Standing:
    """The standing in rows of `with_standing`."""
    user, tenant, active, issued, jurisdiction, _ = rows[0][-len(_FACTS) :]
    roles = frozenset(row[-1] for row in rows if row[-1] is not None)
    return Standing(user, tenant, bool(active), bool(issued), jurisdiction, roles)
