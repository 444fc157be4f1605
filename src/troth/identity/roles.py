"""Roles of people in their tenant. A grant has a giver and an end; nobody grants to themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, insert, select

from troth.identity.duties import check_person, is_custom
from troth.identity.store import LENT, OPERATORS, grants, tenants, users
from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.storage.database import Database

OWNER = "owner"
TENANT_ROLES = frozenset({OWNER, "admin", "member", "auditor", "room-auditor", "privacy-officer", "security-analyst"})
# Who holds the role on the left may give and take the roles on the right.
GIVABLE: Mapping[str, frozenset[str]] = {
    OWNER: TENANT_ROLES,
    "admin": frozenset({"admin", "member", "auditor", "room-auditor"}),
}
SSO = "sso"  # prefix of a connection's id, by which its grants are known
DECIDING = frozenset({OWNER, "privacy-officer", OPERATORS})  # roles whose holders approve what another one asked for
_CHAIN = 64  # owners who made one another; whoever stands behind more is taken for near
GIVEN = ~grants.c.granted_by.startswith(f"{LENT}_", autoescape=True)
_DAY_MS = 24 * 3600 * 1000
GRANT_MS = 365 * _DAY_MS
GRANT_DAYS = 365
AUDITOR = "auditor"
ROOM_AUDITOR = "room-auditor"
MOST_DAYS = 90  # an auditor's role, whoever gives it and by which road
_MOST_MS: Mapping[str, int] = dict.fromkeys((AUDITOR, ROOM_AUDITOR), MOST_DAYS * _DAY_MS)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of one person. Times in epoch milliseconds."""

    role: str
    granted_by: str
    granted_at: int
    expires_at: int
    reason: bytes | None = field(default=None, repr=False)  # sealed: `governing.reasons`


class Roles:
    """All grants."""

    def __init__(
        self, database: Database, clock: Clock, promoted: Callable[[Sql, str], None] = lambda _sql, _user: None
    ) -> None:
        """`promoted` is told, in the open transaction, of a person who begins to decide by a person's word."""
        self._database = database
        self._clock = clock
        self._promoted = promoted

    def assign(
        self, giver: Caller, user: str, role: str, *, days: int = GRANT_DAYS, reason: bytes | None = None
    ) -> Grant:
        """Give or renew a role for at most a year, an auditor's of either kind for at most 90 days; `reason` is sealed.

        Raises `Invalid`, `Denied` (not yours to give, or yourself), `NotFound`, `Conflict` (`duties-apart`).
        """
        check_givable(giver, frozenset({role}))
        if giver.subject == user:
            raise Denied("Nobody gives themselves a role; ask another administrator.", code="own-role")
        with self._database.write() as connection:
            lock_member(connection, giver.tenant, user)
            check_person(connection, giver.tenant, user, role, self._now())
            lasting = self.longest(connection, giver, role, min(days, GRANT_DAYS) * _DAY_MS)
            return self.grant(connection, user, role, giver.actor, lasting_ms=lasting, reason=reason)

    def replace(self, giver: Caller, user: str, roles: frozenset[str]) -> tuple[list[Grant], list[str]]:
        """These roles in the place of all that a person has, in one transaction; the fresh grants and what went.

        Raises as `assign` and `remove`: each role that goes or comes must be the giver's to give.
        """
        if giver.subject == user:
            raise Denied("Nobody gives themselves a role; ask another administrator.", code="own-role")
        with self._database.write() as connection:
            lock_member(connection, giver.tenant, user)
            held = frozenset(connection.execute(select(grants.c.role).where(grants.c.user == user)).scalars())
            check_givable(giver, held | roles)
            if OWNER in held - roles:
                check_other_owner(connection, giver.tenant, user, self._now())
            connection.execute(delete(grants).where(grants.c.user == user))
            made = []
            for role in sorted(roles):
                check_person(connection, giver.tenant, user, role, self._now())
                lasting = self.longest(connection, giver, role)
                made.append(self.grant(connection, user, role, giver.actor, lasting_ms=lasting))
            return made, sorted(held - roles)

    def remove(self, giver: Caller, user: str, role: str) -> None:
        """Take a role away, from the next request on. Raises `NotFound`, `Denied`, or `Conflict` for the last owner."""
        check_givable(giver, frozenset({role}))
        with self._database.write() as connection:
            lock_member(connection, giver.tenant, user)
            if role == OWNER:
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
        lasting = select(grants.c.user).where(grants.c.role == OWNER, grants.c.expires_at > self._now(), GIVEN)
        owners = set(connection.execute(lasting.where(grants.c.user.in_(people))).scalars())
        if subject in owners and stay and not stay & owners:
            raise Conflict(
                "This is the last owner of a tenant with other people; make somebody else an owner first.",
                code="last-owner",
            )

    def stands_apart(self, connection: Sql, approver: str, asker: str, since: int) -> bool:
        """True when `approver` had an account and a deciding role before `since` (epoch ms), and not from `asker`.

        Nor by people whom `asker` made owners, nor from a connection: who runs an identity provider can be each person
        there, so two of them are one. A role taken by break-glass is nobody's gift and approves nothing.
        """
        person = ~grants.c.granted_by.startswith(f"{SSO}_", autoescape=True)
        given = select(grants.c.granted_by).join(users, grants.c.user == users.c.id)
        given = given.where(grants.c.user == approver, grants.c.role.in_(DECIDING), person, GIVEN)
        before = users.c.created_at < since, grants.c.granted_at < since, grants.c.expires_at > self._now()
        givers = connection.execute(given.where(*before)).scalars().all()
        return approver != asker and any(_apart(connection, one, asker) for one in givers)

    def deciding(self, tenant: str) -> frozenset[str]:
        """The active people of a tenant who may decide about the rights of others."""
        lasting = select(grants.c.user).join(users, grants.c.user == users.c.id)
        here = users.c.tenant == tenant, users.c.active.is_(True), grants.c.expires_at > self._now(), GIVEN
        with self._database.read() as connection:
            found = connection.execute(lasting.where(*here, grants.c.role.in_(DECIDING))).scalars()
            return frozenset(found)

    def longest(self, connection: Sql, giver: Caller, role: str, lasting_ms: int = GRANT_MS) -> int:
        """For how long (ms) this person gives a role: not longer than they could themselves; an owner by gift, always.

        Raises `Denied` (`role-not-yours`) for who can no longer give it.
        """
        if OWNER in giver.given:
            return lasting_ms
        by = [one for one in GIVABLE if role in GIVABLE[one] or (one == OWNER and is_custom(role))]
        mine = select(func.max(grants.c.expires_at)).where(grants.c.user == giver.subject, grants.c.role.in_(by))
        left = (connection.execute(mine).scalar() or 0) - self._now()
        if left <= 0:
            raise _not_yours()
        return min(lasting_ms, left)

    def grant(
        self,
        connection: Sql,
        user: str,
        role: str,
        giver: str,
        *,
        lasting_ms: int = GRANT_MS,
        reason: bytes | None = None,
    ) -> Grant:
        """Write a grant in the caller's transaction, without asking whether the giver may.

        Raises as `promoted`, which is told of who begins to decide by a person's word.
        """
        now = self._now()
        made = Grant(role, giver, now, now + min(lasting_ms, _MOST_MS.get(role, lasting_ms)), reason)
        by_person = not giver.startswith(f"{SSO}_")
        if role in DECIDING and by_person and not connection.execute(select(decides_by(user, now))).scalar():
            self._promoted(connection, user)
        connection.execute(delete(grants).where(grants.c.user == user, grants.c.role == role))
        row = {"user": user} | {name: getattr(made, name) for name in Grant.__dataclass_fields__}
        connection.execute(insert(grants), row)
        return made

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def _apart(connection: Sql, giver: str, asker: str) -> bool:
    """True when a grant by `giver` leads back, from owner to owner, to where no people give without meeting `asker`."""
    seen: set[str] = set()
    next_ = {giver}
    for _ in range(_CHAIN):
        if asker in next_ or any(one.startswith(f"{LENT}_") for one in next_):
            return False
        seen |= next_
        makers = select(grants.c.granted_by).where(grants.c.user.in_(next_), grants.c.role.in_((OWNER, OPERATORS)))
        next_ = set(connection.execute(makers).scalars()) - seen
        if not next_:
            return True
    return False


def decides_by(user: Any, now: int) -> Any:
    """A condition: this person (an id, or a column of ids) decides about others by a person's word, no provider's."""
    person = ~grants.c.granted_by.startswith(f"{SSO}_", autoescape=True)
    return (
        select(grants.c.role)
        .where(grants.c.user == user, grants.c.role.in_(DECIDING), grants.c.expires_at > now, person)
        .exists()
    )


def check_givable(giver: Caller, roles: frozenset[str]) -> None:
    """Raises `Invalid` for a role that does not exist, `Denied` for one that this person may not give or take."""
    custom = frozenset(role for role in roles if is_custom(role))  # an owner's to give, if they are there
    if not roles <= TENANT_ROLES | custom:
        raise Invalid(f"Choose roles among: {', '.join(sorted(TENANT_ROLES))}.", code="unknown-role", field="role")
    givable = frozenset[str]().union(*(GIVABLE.get(role, frozenset()) for role in giver.roles))
    if OWNER not in giver.given:  # owning for an hour makes and takes no owner
        givable -= {OWNER}
    if not roles <= givable | (custom if OWNER in giver.roles else frozenset()):
        raise _not_yours()


def _not_yours() -> Denied:
    return Denied("Your role does not give or take that role; ask an owner.", code="role-not-yours")


def as_given(by: Caller) -> Caller:
    """The same person without roles of some hours, which decide about nobody."""
    return replace(by, roles=by.given, lent=frozenset())


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
    owners = select(func.count()).select_from(grants.join(users, grants.c.user == users.c.id)).where(GIVEN)
    owners = owners.where(
        users.c.tenant == tenant, users.c.active.is_(True), grants.c.role == OWNER, grants.c.expires_at > now
    )
    others = connection.execute(owners.where(users.c.id != user)).scalar_one()
    if connection.execute(owners.where(users.c.id == user)).scalar_one() and not others:
        raise Conflict("This is the last owner; make somebody else an owner first.", code="last-owner")
