"""What membership gives, and what a leaver loses. Groups give roles by the mapping of the connection, as claims do."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, select

from troth.identity.governing.leaving import ENDS
from troth.identity.provisioned import groups, members
from troth.identity.roles import DECIDING, Roles
from troth.identity.scim.reading import named
from troth.identity.sso.connections import SsoConnection
from troth.identity.sso.rights import joins_duties
from troth.identity.sso.rules import ROLE_MS
from troth.identity.store import grants, users
from troth.identity.users import shut_out
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.personal import PersonalFields
from troth.kernel.record import Entry, Fact, Outcome, Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """On whose word: the tenant's connection, the token that was shown, and the request."""

    connection: SsoConnection
    token: str
    request: str

    @property
    def tenant(self) -> str:
        """The one tenant whose people it sees."""
        return self.connection.tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRoles:
    """Roles by pushed groups. What a person granted stays as it is; who decides gains nothing without a person."""

    roles: Roles
    fields: PersonalFields
    recorder: Recorder
    clock: Clock

    def of(self, sql: Sql, connection: SsoConnection, user: str) -> frozenset[str]:
        """The roles that a person's present groups give, and those that everybody of the connection has."""
        theirs = select(groups.c.named).join(members, members.c.group == groups.c.id)
        theirs = theirs.where(members.c.user == user, groups.c.connection == connection.id)
        return connection.rules.default_roles | self.by_name(connection, sql.execute(theirs).scalars())

    def by_name(self, connection: SsoConnection, names: Iterable[bytes]) -> frozenset[str]:
        """The roles that groups of these hashed names give."""
        held = {bytes(one) for one in names}
        mapping = connection.rules.roles.items() if held else ()
        return frozenset(role for value, role in mapping if named(self.fields, connection.id, value) in held)

    def held(self, sql: Sql, user: str) -> frozenset[str]:
        """Every role of a person, whoever gave it."""
        return frozenset(sql.execute(select(grants.c.role).where(grants.c.user == user)).scalars())

    def give(self, sql: Sql, by: Provider, user: str, wanted: Collection[str], lost: Collection[str] = ()) -> int:
        """Grant roles in the connection's name; how many were withheld. `lost`: what went before."""
        rows = sql.execute(select(grants.c.role, grants.c.granted_by).where(grants.c.user == user)).all()
        by_person = {row.role for row in rows if row.granted_by != by.connection.id}
        fresh = [one for one in sorted(wanted) if one not in by_person]
        if by_person & DECIDING:
            self.told(sql, by, user, lost=lost, withheld=len(fresh))
            return len(fresh)
        now = epoch_ms(self.clock.now())
        apart = set[str]()
        for role in fresh:
            if joins_duties(sql, by.tenant, user, role, now):  # each one beside those that were just given
                apart.add(role)
            else:
                self.roles.grant(sql, user, role, by.connection.id, lasting_ms=ROLE_MS)
        self.told(
            sql, by, user, gained=frozenset(fresh) - apart - {row.role for row in rows}, lost=lost, withheld=len(apart)
        )
        return len(apart)

    def take(self, sql: Sql, by: Provider, user: str, lost: Collection[str]) -> frozenset[str]:
        """Take roles that the connection gave; which of them the person had."""
        ours = grants.c.user == user, grants.c.granted_by == by.connection.id, grants.c.role.in_(sorted(lost))
        had = frozenset(sql.execute(select(grants.c.role).where(*ours)).scalars())
        sql.execute(delete(grants).where(*ours))
        return had

    def moved(self, sql: Sql, by: Provider, user: str, before: frozenset[str]) -> int:
        """After a change of groups: give what came, take what went; how many were withheld."""
        after = self.of(sql, by.connection, user)
        lost = self.take(sql, by, user, before - after)
        active = sql.execute(select(users.c.active).where(users.c.id == user)).scalar()
        ours = select(grants.c.role).where(grants.c.user == user, grants.c.granted_by == by.connection.id)
        renewed = after & set(sql.execute(ours).scalars())
        return self.give(sql, by, user, (after - before) | renewed if active else (), lost)

    def told(
        self,
        sql: Sql,
        by: Provider,
        user: str,
        *,
        gained: Collection[str] = (),
        lost: Collection[str] = (),
        withheld: int = 0,
    ) -> None:
        """An event `role.pushed` in the same transaction: who gained or lost what; none where nothing did."""
        changed = {f"gained:{role}": 1 for role in sorted(gained)} | {f"lost:{role}": 1 for role in sorted(lost)}
        facts: dict[str, Fact] = {"user": user, "object": by.connection.id}
        if withheld:
            facts["withheld"] = withheld
        if changed or withheld:
            self.event(sql, by, "role.pushed", facts | ({"counts": dict[str, int](changed)} if changed else {}))

    def event(self, sql: Sql, by: Provider, name: str, facts: dict[str, Fact]) -> None:
        """An event of the tenant's log, by the token, in the caller's transaction."""
        now, tenant = epoch_ms(self.clock.now()), by.tenant
        entry = Entry(tenant, name, "event", Outcome.DONE, by.request, by.token, tenant, now, facts=facts)
        self.recorder.record_within(sql, entry)


# What a leaver keeps, for it opens nothing while the account is disabled: a provider may bring the person back.
KEPT = frozenset({"sign-on-links", "passkeys", "authenticators", "recovery-codes", "provisioning", "pushed-groups"})


def ending(sql: Sql, user: str) -> dict[str, int]:
    """Shut a person out in the caller's transaction: whatever they hold that opens something; how many of each."""
    counts = {name: end(sql, user) for name, end in ENDS.items() if name not in KEPT}
    shut_out(sql, user)
    return {name: count for name, count in counts.items() if count}
