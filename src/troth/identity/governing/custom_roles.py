"""Custom roles of a tenant: named sets of groups, made by an owner, in force from the next request on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError as Taken

from troth.identity.duties import ALWAYS, CHOICES, CUSTOM, MAY, OWNER, check_apart, check_person
from troth.identity.roles import lock_tenant
from troth.identity.store import custom_roles, grants
from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.kernel.operation import Group
from troth.storage.database import Database, is_unique_violation

MOST = 50  # of one tenant


@dataclass(frozen=True, slots=True)
class CustomRole:
    """One role and how many people hold it. Times in epoch milliseconds."""

    id: str
    name: str
    groups: tuple[str, ...]
    changed_by: str
    created_at: int
    changed_at: int
    holders: int = 0


class CustomRoles:
    """All custom roles. What changes them raises `Denied` (`owner-only`) for anybody but an owner."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def create(self, by: Caller, name: str, groups: Iterable[str]) -> CustomRole:
        """A fresh role. Raises `Invalid`, `Conflict` (`role-name-taken`, `too-many-roles`, `duties-apart`)."""
        require_owner(by)
        wanted, now = _checked(groups), epoch_ms(self._clock.now())
        made = CustomRole(new_id(CUSTOM.rstrip("_")), name, wanted, by.actor, now, now)
        row: dict[str, Any] = {"id": made.id, "tenant": by.tenant, "name": name, "groups": " ".join(wanted)}
        row |= {"changed_by": by.actor, "created_at": now, "changed_at": now}
        mine = select(func.count()).select_from(custom_roles).where(custom_roles.c.tenant == by.tenant)
        try:
            with self._database.write() as connection:
                lock_tenant(connection, by.tenant)
                if connection.execute(mine).scalar_one() >= MOST:
                    raise Conflict(f"A tenant has at most {MOST} custom roles; delete one.", code="too-many-roles")
                connection.execute(insert(custom_roles), row)
        except Taken as error:
            if not is_unique_violation(error):
                raise
            raise Conflict("There is a custom role of that name already.", code="role-name-taken") from error
        return made

    def change(self, by: Caller, role: str, groups: Iterable[str]) -> CustomRole:
        """Other groups for it, from everybody's next request on. Raises as `create`, and `NotFound`.

        `duties-apart` also when somebody holds it beside a role with which the new groups do not go.
        """
        require_owner(by)
        wanted, now = _checked(groups), epoch_ms(self._clock.now())
        with self._database.write() as connection:
            lock_tenant(connection, by.tenant)
            mine = update(custom_roles).where(custom_roles.c.id == role, custom_roles.c.tenant == by.tenant)
            values = {"groups": " ".join(wanted), "changed_by": by.actor, "changed_at": now}
            if not connection.execute(mine.values(values)).rowcount:
                raise _no_such_role()
            holders = select(grants.c.user).where(grants.c.role == role, grants.c.expires_at > now)
            for user in connection.execute(holders).scalars().all():
                check_person(connection, by.tenant, user, role, now)
        return next(one for one in self.all_of(str(by.tenant)) if one.id == role)

    def delete(self, by: Caller, role: str) -> int:
        """Take it away from everybody, and itself; how many held it. Raises `NotFound`."""
        require_owner(by)
        with self._database.write() as connection:
            lock_tenant(connection, by.tenant)
            mine = delete(custom_roles).where(custom_roles.c.id == role, custom_roles.c.tenant == by.tenant)
            if not connection.execute(mine).rowcount:
                raise _no_such_role()
            return connection.execute(delete(grants).where(grants.c.role == role)).rowcount

    def all_of(self, tenant: str) -> list[CustomRole]:
        """The roles of a tenant by name."""
        now, mine = epoch_ms(self._clock.now()), select(custom_roles).where(custom_roles.c.tenant == tenant)
        with self._database.read() as connection:
            held = _holders(connection, now)
            rows = connection.execute(mine.order_by(custom_roles.c.name)).all()
        return [
            CustomRole(
                one.id, one.name, tuple(one.groups.split()), one.changed_by, one.created_at, one.changed_at,
                held.get(one.id, 0),
            )
            for one in rows
        ]  # fmt: skip


def require_owner(by: Caller) -> None:
    """Raises `Denied` (`owner-only`) for anybody but an owner by gift: owning for an hour decides nothing lasting."""
    if OWNER not in by.given:
        raise Denied("Only an owner decides this; ask one.", code="owner-only")


def require_reviewer(by: Caller) -> None:
    """Raises `Denied` (`role-not-yours`) for a person who reviews by a role of some hours only."""
    if by.lent and not by.given & {OWNER, MAY + Group.REVIEW}:
        raise Denied("A role of some hours judges nobody; ask who was given one to review.", code="role-not-yours")


def require_answerable(by: Caller) -> None:
    """Raises `Denied` (`owner-only`) for whoever may review and answers for nothing."""
    if by.kind != "operator":
        require_owner(by)


def _checked(groups: Iterable[str]) -> tuple[str, ...]:
    chosen = set(groups)
    known = {one.value for one in CHOICES}
    if not chosen or not chosen <= known | {one.value for one in ALWAYS}:
        raise Invalid(f"Choose groups among: {', '.join(sorted(known))}.", code="unknown-group", field="groups")
    check_apart(Group(one) for one in chosen)
    return tuple(sorted(chosen | {one.value for one in ALWAYS}))


def _holders(connection: Sql, now: int) -> dict[str, int]:
    held = select(grants.c.role, func.count()).where(
        grants.c.role.startswith(CUSTOM, autoescape=True), grants.c.expires_at > now
    )
    return {role: count for role, count in connection.execute(held.group_by(grants.c.role))}


def _no_such_role() -> NotFound:
    return NotFound("There is no such custom role; list them to see their ids.", code="role-not-found")
