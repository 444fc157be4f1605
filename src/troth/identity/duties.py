"""What roles permit, by groups of operations, and which duties one person may not hold together. Pure but for one read.

A custom role stands in a grant by its id and reaches the policies as the roles `may:<group>`, so that these stay
static, name nobody and no tenant, and their decisions can be remembered. tests/unit/access compares with the policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection as Sql
from sqlalchemy import select

from troth.identity.store import custom_roles, grants
from troth.kernel.errors import Conflict, NotFound
from troth.kernel.operation import Group

CUSTOM = "rol_"  # prefix of a custom role's id
MAY = "may:"
ALWAYS = frozenset({Group.OWN_DATA, Group.OWN_RIGHTS, Group.OWN_ERASURE})  # whoever has a role has rights of their own
CHOICES = frozenset(
    {Group.OWN_KEYS, Group.GENERATE, Group.ADMINISTER, Group.PRIVACY, Group.AUDIT, Group.REVIEW, Group.GOVERN}
)
_MEMBER = frozenset({Group.OWN_KEYS, Group.GENERATE})
# Beside `ALWAYS`. An owner answers for the tenant and holds all of it: of an owner no duty is held apart.
BUILT_IN: Mapping[str, frozenset[Group]] = {
    "member": _MEMBER,
    "admin": _MEMBER | {Group.ADMINISTER, Group.GOVERN},
    "privacy-officer": frozenset({Group.PRIVACY, Group.GOVERN}),
    "auditor": frozenset({Group.AUDIT, Group.ROOM}),
    "room-auditor": frozenset({Group.ROOM}),  # has no data here, so of `ALWAYS` the rights alone
    "security-analyst": frozenset({Group.AUDIT, Group.GOVERN}),
}
OWNER = "owner"
# Who administers is reviewed by somebody else, and so is who decides about the rights of others.
APART = (
    frozenset({Group.ADMINISTER, Group.REVIEW}),
    frozenset({Group.PRIVACY, Group.REVIEW}),
    frozenset({Group.ADMINISTER, Group.PRIVACY}),
)


def is_custom(role: str) -> bool:
    """True for the id of a custom role."""
    return role.startswith(CUSTOM)


def as_roles(groups: str) -> frozenset[str]:
    """What a custom role's column of groups says to the policies."""
    return frozenset(MAY + group for group in groups.split())


def check_apart(groups: Iterable[Group]) -> None:
    """Raises `Conflict` (`duties-apart`) for duties that keep each other in check."""
    held = frozenset(groups)
    for pair in APART:
        if pair <= held:
            names = " and ".join(sorted(one.value for one in pair))
            raise Conflict(f"One person does not hold {names} together; give them to two.", code="duties-apart")


def check_person(connection: Sql, tenant: str | None, user: str, adding: str, now: int) -> None:
    """That a person may hold a role beside what they have. Raises `NotFound` for a custom role that is not there.

    Built-in roles alone are the owner's to combine; with a custom one among them, duties are held apart.
    """
    held = select(grants.c.role).where(grants.c.user == user, grants.c.expires_at > now)
    roles = {adding, *connection.execute(held).scalars()}
    known = groups_of(connection, tenant, roles)
    if is_custom(adding) and adding not in known:
        raise NotFound("There is no such custom role; list them to see their ids.", code="role-not-found")
    if OWNER not in roles and known:
        built_in = frozenset[Group]().union(*(BUILT_IN.get(role, frozenset()) for role in roles))
        check_apart(built_in.union(*known.values()))


def groups_of(connection: Sql, tenant: str | None, roles: Iterable[str]) -> dict[str, frozenset[Group]]:
    """The groups of those of the roles that are custom ones of this tenant."""
    wanted = [role for role in roles if is_custom(role)]
    if not wanted:
        return {}
    named = select(custom_roles.c.id, custom_roles.c.groups)
    mine = named.where(custom_roles.c.tenant == tenant, custom_roles.c.id.in_(wanted))
    return {row.id: frozenset(Group(one) for one in row.groups.split()) for row in connection.execute(mine)}
