"""Groups that a provider pushes: a name, an id at the provider, and members among the tenant's people."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, insert, select, update

from troth.identity.provisioned import groups, members, people
from troth.identity.roles import lock_tenant
from troth.identity.scim.access import GroupRoles, Provider
from troth.identity.scim.reading import (
    GROUP,
    MOST_GROUPS,
    MOST_MEMBERS,
    Directory,
    Group,
    group_version,
    no_group,
    of_connection,
)
from troth.identity.scim.tokens import SEALED_FOR
from troth.identity.sso.connections import require_same
from troth.identity.store import users
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Invalid, PreconditionFailed, TooLarge
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database

_AT_ONCE = 500  # ids in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupWish:
    """What a group shall be. `members`: ids of people."""

    name: str
    external_id: str | None = None
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Writes groups; roles follow in the same transaction."""

    database: Database
    fields: PersonalFields
    roles: GroupRoles
    clock: Clock

    def create(self, by: Provider, wish: GroupWish) -> tuple[Group, int]:
        """A fresh group, and how many roles were withheld. Raises `Conflict` beyond 500, `Invalid`, `TooLarge`."""
        group, now = new_id("grp"), self._now()
        row = self._row(by, wish) | {"id": group, "created_at": now}
        with self.database.write() as sql:
            self._begin(sql, by)
            mine = select(func.count()).select_from(groups).where(groups.c.tenant == by.tenant)
            if sql.execute(mine).scalar_one() >= MOST_GROUPS:
                raise Conflict(f"A tenant has at most {MOST_GROUPS} groups; push fewer.", code="too-many-groups")
            before = {one: self.roles.of(sql, by.connection, one) for one in wish.members}
            sql.execute(insert(groups), row)
            self._join(sql, by, group, wish.members)
            withheld = self._moved(sql, by, before)
        return self._directory(by).group(group), withheld

    def update(self, by: Provider, group: str, wish: GroupWish, version: str | None) -> tuple[Group, int]:
        """The new state of a group as a whole, and how many roles were withheld.

        Raises `NotFound`, `PreconditionFailed`, `Invalid`, `TooLarge`.
        """
        row = self._row(by, wish)
        with self.database.write() as sql:
            self._begin(sql, by)
            held = self._held(sql, by, group, version)
            renamed = (
                bytes(sql.execute(select(groups.c.named).where(groups.c.id == group)).scalar_one()) != row["named"]
            )
            touched = held | wish.members if renamed else held ^ wish.members
            before = {one: self.roles.of(sql, by.connection, one) for one in touched}
            sql.execute(update(groups).where(groups.c.id == group).values(**row))
            self._leave(sql, group, held - wish.members)
            self._join(sql, by, group, wish.members - held)
            withheld = self._moved(sql, by, before)
        return self._directory(by).group(group), withheld

    def remove(self, by: Provider, group: str, version: str | None) -> None:
        """Take a group away with the roles that it gave. Raises `NotFound`, `PreconditionFailed`."""
        with self.database.write() as sql:
            self._begin(sql, by)
            held = self._held(sql, by, group, version)
            before = {one: self.roles.of(sql, by.connection, one) for one in held}
            sql.execute(delete(members).where(members.c.group == group))
            sql.execute(delete(groups).where(groups.c.id == group))
            self._moved(sql, by, before)

    def _begin(self, sql: Sql, by: Provider) -> None:
        lock_tenant(sql, by.tenant)
        require_same(sql, by.connection)

    def _held(self, sql: Sql, by: Provider, group: str, version: str | None) -> frozenset[str]:
        mine = groups.c.id == group, groups.c.tenant == by.tenant, groups.c.connection == by.connection.id
        row = sql.execute(select(groups).where(*mine)).first()
        if row is None:
            raise no_group()
        held = sql.execute(select(members.c.user).where(members.c.group == group)).scalars().all()
        if version is not None and version != group_version(row, held):
            raise PreconditionFailed("It was changed meanwhile; read it again.", code="scim-version")
        return frozenset(held)

    def _join(self, sql: Sql, by: Provider, group: str, joining: Collection[str]) -> None:
        if len(joining) > MOST_MEMBERS:
            raise TooLarge(f"A group has at most {MOST_MEMBERS} members.", code="scim-too-many")
        wanted, known = sorted(joining), set[str]()
        joined = users.outerjoin(people, people.c.user == users.c.id)
        ours = users.c.tenant == by.tenant, of_connection(by.connection.id)
        there = select(users.c.id).select_from(joined).where(*ours)
        for start in range(0, len(wanted), _AT_ONCE):
            some = there.where(users.c.id.in_(wanted[start : start + _AT_ONCE]))
            known.update(sql.execute(some).scalars())
        if known != set(joining):
            raise Invalid(
                "Provision the members by this connection first.",
                code="scim-member",
                field="members",
            )
        if wanted:
            sql.execute(insert(members), [{"group": group, "user": one, "tenant": by.tenant} for one in wanted])

    def _leave(self, sql: Sql, group: str, leaving: Collection[str]) -> None:
        some = sorted(leaving)
        for start in range(0, len(some), _AT_ONCE):
            theirs = members.c.group == group, members.c.user.in_(some[start : start + _AT_ONCE])
            sql.execute(delete(members).where(*theirs))

    def _moved(self, sql: Sql, by: Provider, before: dict[str, frozenset[str]]) -> int:
        return sum(self.roles.moved(sql, by, user, had) for user, had in before.items())

    def _row(self, by: Provider, wish: GroupWish) -> dict[str, Any]:
        said = {"displayName": wish.name} | ({"externalId": wish.external_id} if wish.external_id else {})
        return {
            "tenant": by.tenant,
            "connection": by.connection.id,
            "named": self._directory(by).named(wish.name),
            "profile": self.fields.seal(by.tenant, SEALED_FOR, GROUP, json.dumps(said).encode()),
            "changed_at": self._now(),
        }

    def _directory(self, by: Provider) -> Directory:
        return Directory(self.database, self.fields, by.tenant, by.connection.id)

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def forget_tenant(sql: Sql, tenant: str) -> None:
    """Drop a tenant's groups in the caller's transaction."""
    for table in (members, groups):
        sql.execute(delete(table).where(table.c.tenant == tenant))
