"""Roles of people in their tenant. A grant has a giver and an end; nobody grants to themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, insert, select

from troth.identity.store import OPERATORS, grants, tenants, users
from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.storage.database import Database

TENANT_ROLES = frozenset({"owner", "admin", "member", "auditor", "privacy-officer"})
# Who holds the role on the left may give and take the roles on the right.
GIVABLE: Mapping[str, frozenset[str]] = {
    "owner": TENANT_ROLES,
    "admin": frozenset({"admin", "member", "auditor"}),
}
DECIDING = frozenset({"owner", "privacy-officer", OPERATORS})  # roles whose holders approve what another one asked for
GRANT_MS = 365 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of one person. Times in epoch milliseconds."""

    role: str
    granted_by: str
    granted_at: int
    expires_at: int


class Roles:
    """All grants."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def assign(self, giver: Caller, user: str, role: str) -> Grant:
        """Give or renew a role for a year. Raises `Invalid`, `Denied` (not yours to give, or yourself), `NotFound`."""
        check_givable(giver, frozenset({role}))
        if giver.subject == user:
            raise Denied("Nobody gives themselves a role; ask another administrator.", code="own-role")
        with self._database.write() as connection:
            lock_member(connection, giver.tenant, user)
            return self.grant(connection, user, role, giver.actor)

    def remove(self, giver: Caller, user: str, role: str) -> None:
        """Take a role away, from the next request on. Raises `NotFound`, `Denied`, or `Conflict` for the last owner."""
        check_givable(giver, frozenset({role}))
        with self._database.write() as connection:
            lock_member(connection, giver.tenant, user)
            if role == "owner":
                check_other_owner(connection, giver.tenant, user, self._now())
            held = delete(grants).where(grants.c.user == user, grants.c.role == role)
            if not connection.execute(held).rowcount:
                raise NotFound("This person does not have that role.", code="role-not-found")

    def of(self, user: str) -> list[Grant]:
        """The grants of one person that have not lapsed."""
        columns = [grants.c[name] for name in Grant.__dataclass_fields__]
        lasting = select(*columns).where(grants.c.user == user, grants.c.expires_at > self._now())
        with self._database.read() as connection:
            return [Grant(*row) for row in connection.execute(lasting.order_by(grants.c.role))]

    def check_may_leave(self, connection: Sql, tenant: str, subject: str, leaving: Collection[str]) -> None:
        """Raises `Conflict` (`last-owner`) when active people would stay without an owner; who is alone may go.

        `leaving` are people who count as gone. Other changes of the tenant's people wait for this transaction.
        """
        lock_tenant(connection, tenant)
        people = select(users.c.id).where(users.c.tenant == tenant, users.c.active.is_(True))
        stay = set(connection.execute(people).scalars()) - {subject, *leaving}
        lasting = select(grants.c.user).where(grants.c.role == "owner", grants.c.expires_at > self._now())
        owners = set(connection.execute(lasting.where(grants.c.user.in_(people))).scalars())
        if subject in owners and stay and not stay & owners:
            raise Conflict(
                "This is the last owner of a tenant with other people; make somebody else an owner first.",
                code="last-owner",
            )

    def stands_apart(self, connection: Sql, approver: str, asker: str, since: int) -> bool:
        """True when `approver` had an account and a deciding role before `since` (epoch ms), and not from `asker`."""
        lasting = select(grants.c.role).join(users, grants.c.user == users.c.id)
        before = users.c.created_at < since, grants.c.granted_at < since, grants.c.expires_at > self._now()
        given = lasting.where(grants.c.user == approver, grants.c.role.in_(DECIDING), grants.c.granted_by != asker)
        return approver != asker and connection.execute(given.where(*before)).first() is not None

    def grant(self, connection: Sql, user: str, role: str, giver: str) -> Grant:
        """Write a grant in the caller's transaction, without asking whether the giver may."""
        now = self._now()
        made = Grant(role, giver, now, now + GRANT_MS)
        connection.execute(delete(grants).where(grants.c.user == user, grants.c.role == role))
        connection.execute(
            insert(grants),
            {"user": user, "role": role, "granted_by": giver, "granted_at": now, "expires_at": made.expires_at},
        )
        return made

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def check_givable(giver: Caller, roles: frozenset[str]) -> None:
    """Raises `Invalid` for a role that does not exist, `Denied` for one that this person may not give or take."""
    if not roles <= TENANT_ROLES:
        raise Invalid(f"Choose roles among: {', '.join(sorted(TENANT_ROLES))}.", code="unknown-role", field="role")
    givable = frozenset[str]().union(*(GIVABLE.get(role, frozenset()) for role in giver.roles))
    if not roles <= givable:
        raise Denied("Your role does not give or take that role; ask an owner.", code="role-not-yours")


def lock_tenant(connection: Sql, tenant: str | None) -> None:
    """Serialise changes of one tenant's people; on SQLite every writing transaction does."""
    connection.execute(select(tenants.c.id).where(tenants.c.id == tenant).with_for_update())


def lock_member(connection: Sql, tenant: str | None, user: str) -> None:
    """Serialise changes of one tenant's people. Raises `NotFound` for a person of another tenant."""
    lock_tenant(connection, tenant)
    mine = select(users.c.id).where(users.c.id == user, users.c.tenant == tenant)
    if tenant is None or connection.execute(mine).first() is None:
        raise NotFound("There is no such person here; list the people to see their ids.", code="user-not-found")


def check_other_owner(connection: Sql, tenant: str | None, user: str, now: int) -> None:
    """Raises `Conflict` when `user` is the only active owner: a tenant must stay governable."""
    owners = select(func.count()).select_from(grants.join(users, grants.c.user == users.c.id))
    owners = owners.where(
        users.c.tenant == tenant, users.c.active.is_(True), grants.c.role == "owner", grants.c.expires_at > now
    )
    others = connection.execute(owners.where(users.c.id != user)).scalar_one()
    if connection.execute(owners.where(users.c.id == user)).scalar_one() and not others:
        raise Conflict("This is the last owner; make somebody else an owner first.", code="last-owner")
