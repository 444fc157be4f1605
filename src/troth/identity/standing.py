"""What the owner of a credential is right now: read with the credential, in one statement, on every request.

Nothing of it is cached, so disabling a person or removing a role holds from the next request on (ACC-02, ACC-08).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Select, Table, and_, bindparam, select

from troth.identity.duties import as_roles, is_custom
from troth.identity.privileged import GROUPS, PRIVILEGED
from troth.identity.store import LENT, OPERATORS, custom_roles, grants, tenants, users
from troth.kernel.caller import Authentication, Caller, Connection

_PERSON = (users.c.id, users.c.tenant, users.c.active, users.c.password_issued, tenants.c.jurisdiction)
_FACTS = (*_PERSON, grants.c.granted_by, grants.c.granted_at, grants.c.role, custom_roles.c.groups)


@dataclass(frozen=True, slots=True)
class Standing:
    """A person's state at one moment. Operators stand outside every tenant."""

    user: str
    tenant: str
    active: bool
    password_issued: bool
    jurisdiction: str
    roles: frozenset[str]
    privileged_since: int | None = None  # epoch ms, see `privileged`
    lent: frozenset[str] = frozenset()  # those of `roles` that only an elevation or emergency access holds

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
            privileged_since=self.privileged_since,
            lent=self.lent,
        )

    def key(
        self,
        authentication: Authentication,
        connection: Connection,
        scopes: frozenset[str],
        models: frozenset[str] | None = None,
    ) -> Caller:
        """A key of this person as the caller of a request: `authentication.credential` is its id."""
        return Caller(
            actor=authentication.credential or "",
            kind="api-key",
            tenant=None if self.tenant == OPERATORS else self.tenant,
            subject=self.user,
            roles=self.roles,
            scopes=scopes,
            models=models,
            lent=self.lent,
            jurisdiction=self.jurisdiction,
            authentication=authentication,
            connection=connection,
        )


def with_standing(table: Table, columns: Sequence[Column[Any]]) -> Select[Any]:
    """Rows of a credential table with the standing of their owner: one row per role that has not lapsed at `:now`."""
    lasting = and_(grants.c.user == users.c.id, grants.c.expires_at > bindparam("now"))
    people = table.join(users, table.c.user == users.c.id).join(tenants, users.c.tenant == tenants.c.id)
    # A custom role is only ever one of the person's own tenant, and is what it says now.
    custom = and_(custom_roles.c.id == grants.c.role, custom_roles.c.tenant == users.c.tenant)
    held = people.outerjoin(grants, lasting).outerjoin(custom_roles, custom)
    return select(*columns, *_FACTS).select_from(held)


def standing(rows: Sequence[Sequence[Any]]) -> Standing:
    """The standing in rows of `with_standing`."""
    user, tenant, active, issued, jurisdiction = rows[0][-len(_FACTS) :][: len(_PERSON)]
    given = _roles([row for row in rows if not str(row[-4] or "").startswith(f"{LENT}_")])
    roles = _roles(rows)
    since = min((row[-3] for row in rows if _privileged(row[-2], row[-1])), default=None)
    return Standing(user, tenant, bool(active), bool(issued), jurisdiction, roles, since, roles - given)


def _roles(rows: Sequence[Sequence[Any]]) -> frozenset[str]:
    built_in = frozenset(row[-2] for row in rows if row[-2] is not None and not is_custom(row[-2]))
    return built_in.union(*(as_roles(row[-1]) for row in rows if row[-1] is not None))


def _privileged(role: str | None, groups: str | None) -> bool:
    """True for a role, built-in or custom with these groups, that asks for a passkey."""
    return role in PRIVILEGED or any(group in GROUPS for group in (groups or "").split())
