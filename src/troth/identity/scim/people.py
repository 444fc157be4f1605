"""Joiners, movers and leavers by a provider's word: making, changing and shutting out people of one's own tenant.

What a provider may not: touch an owner or whom a person made decide about others, bring in an address of a domain that
is not verified, give an address to an account that it did not make, or wake somebody whom a person disabled. A leaver
loses sessions, keys, known devices and roles in the transaction that says so (promise ACC-08). Erasing
anybody is never implied.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.provisioned import members, people
from troth.identity.roles import decides_by, lock_member, lock_tenant
from troth.identity.scim.access import GroupRoles, Provider, ending
from troth.identity.scim.reading import MOST_PEOPLE, PROFILE, Directory, Person, Profile, person_row
from troth.identity.sso.connections import Connections, require_same
from troth.identity.sso.store import connections
from troth.identity.store import grants, users
from troth.identity.users import EMAIL, NAME, NewUser, Users, normalised_email, taken
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, PreconditionFailed
from troth.kernel.personal import PersonalFields
from troth.kernel.record import Fact
from troth.storage.database import Database, is_unique_violation


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Writes what providers say about people."""

    database: Database
    fields: PersonalFields
    users: Users
    connections: Connections
    roles: GroupRoles
    clock: Clock

    def directory(self, by: Provider) -> Directory:
        """What this provider may read."""
        return Directory(self.database, self.fields, by.tenant, by.connection.id)

    def create(self, by: Provider, profile: Profile) -> Person:
        """A new person, or one who comes back: deleted by the provider before, with the same externalId.

        Raises `Invalid` (`scim-address`), `Conflict` (`email-taken`, `external-id-taken`, `address-of-leaver`,
        `too-many-people`).
        """
        address = self._address(by, profile.address)
        before = self._known(by, profile)
        if before is not None:
            return self._write(by, before, profile, None, back=True)
        account = self.users.account(self.users.email_index(address))
        if account is not None:
            raise self._taken(by, account.tenant, account.id)

        def beside(sql: Sql, user: str) -> None:
            lock_tenant(sql, by.tenant)
            require_same(sql, by.connection)
            _require_room(sql, by.tenant)
            sql.execute(insert(people), self._row(by, user, profile) | {"user": user, "made": True})
            if profile.active is False:
                sql.execute(update(users).where(users.c.id == user).values(active=False))
                sql.execute(update(people).where(people.c.user == user).values(off_at=self._now()))
            else:
                self.roles.give(sql, by, user, by.connection.rules.default_roles)

        # The password is nobody's, as of an account made by single sign-on.
        new = NewUser(by.tenant, address, _shown(profile), frozenset(), by.connection.id, issued=False)
        try:
            made = self.users.create(new, beside=beside)
        except Conflict:
            raise
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise _external_taken() from error
        return self.directory(by).person(made.id)

    def update(self, by: Provider, user: str, profile: Profile, version: str | None) -> Person:
        """The new state of a person as a whole.

        Raises `NotFound`, `PreconditionFailed`, `Invalid`, `Conflict`, `Denied` (`scim-owner`, `scim-decides`,
        `scim-disabled-here`, `scim-address-not-yours`, `scim-other-connection`).
        """
        return self._write(by, user, profile, version)

    def remove(self, by: Provider, user: str, version: str | None) -> None:
        """A leaver: disabled at once, and no resource any more. The account's content stays until it is erased.

        Raises as `update` does.
        """
        profile = self.directory(by).person(user).profile
        self._address(by, profile.address)
        empty = self._row(by, user, profile)
        with self.database.write() as sql:
            row = self._held(sql, by, user, version)
            self._shut(sql, by, user, row)
            sql.execute(delete(members).where(members.c.user == user))
            values = {"gone": True, "changed_at": self._now()}
            if sql.execute(update(people).where(people.c.user == user).values(values)).rowcount == 0:
                sql.execute(insert(people), empty | values | {"user": user, "made": False})
            if row.active:
                sql.execute(update(people).where(people.c.user == user).values(off_at=self._now()))

    def _write(self, by: Provider, user: str, profile: Profile, version: str | None, *, back: bool = False) -> Person:
        address = self._address(by, profile.address)
        values, said = self._sealed(by, user, address, profile), self._row(by, user, profile)
        try:
            with self.database.write() as sql:
                row = self._held(sql, by, user, version, back=back)
                moved = row.email_index != values["email_index"]
                if moved and not row.made:
                    raise Denied(
                        "This account's address is not the provider's to change; its holder or an owner does.",
                        code="scim-address-not-yours",
                    )
                sql.execute(update(users).where(users.c.id == user).values(**values))
                self._note(sql, user, said, known=row.made is not None)
                self._switch(sql, by, user, row, wanted=profile.active)
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise taken() if profile.external_id is None else _external_taken() from error
        return self.directory(by).person(user)

    def _switch(self, sql: Sql, by: Provider, user: str, row: Row[Any], *, wanted: bool | None) -> None:
        if wanted is False and row.active:
            self._shut(sql, by, user, row)
            sql.execute(update(people).where(people.c.user == user).values(off_at=self._now()))
        if wanted and not row.active:
            if row.off_at is None:
                raise Denied(
                    "An administrator disabled this account; only a person of the organisation brings it back.",
                    code="scim-disabled-here",
                )
            sql.execute(update(users).where(users.c.id == user).values(active=True))
            sql.execute(update(people).where(people.c.user == user).values(off_at=None))
            self.roles.give(sql, by, user, self.roles.of(sql, by.connection, user))
            self.roles.event(sql, by, "user.reprovisioned", {"user": user, "object": by.connection.id})

    def _shut(self, sql: Sql, by: Provider, user: str, row: Row[Any]) -> None:
        lost = self.roles.held(sql, user)
        ended = ending(sql, user)
        self.roles.told(sql, by, user, lost=lost)
        if row.active:
            facts: dict[str, Fact] = {"user": user, "object": by.connection.id}
            self.roles.event(sql, by, "user.deprovisioned", facts | ({"counts": ended} if ended else {}))

    def _held(self, sql: Sql, by: Provider, user: str, version: str | None, *, back: bool = False) -> Row[Any]:
        """The row, locked, once it is sure that this provider may change it."""
        lock_member(sql, by.tenant, user)
        require_same(sql, by.connection)
        if not back:
            found = person_row(sql, self.directory(by), user)[1]
            if version is not None and version != found:
                raise PreconditionFailed("It was changed meanwhile; read it again.", code="scim-version")
        self._require_touchable(sql, user)
        row: Row[Any] = sql.execute(_STANDING.where(users.c.id == user)).one()
        if row.connection not in (None, by.connection.id) and _exists(sql, row.connection):
            raise Denied("Another connection provisions this person.", code="scim-other-connection")
        return row

    def _require_touchable(self, sql: Sql, user: str) -> None:
        owns = select(grants.c.role).where(
            grants.c.user == user, grants.c.role == "owner", grants.c.expires_at > self._now()
        )
        if sql.execute(owns).first() is not None:
            raise Denied("Owners are not changed by a provider; an owner does that here.", code="scim-owner")
        if sql.execute(select(decides_by(user, self._now()))).scalar():
            raise Denied("Who decides about others is changed by an owner here.", code="scim-decides")

    def _known(self, by: Provider, profile: Profile) -> str | None:
        """Who left and comes back: the same id at the provider. Raises `Conflict` for one who never left."""
        if profile.external_id is None:
            return None
        index = self.directory(by).external(profile.external_id)
        with self.database.read() as sql:
            row = sql.execute(select(people.c.user, people.c.gone).where(people.c.external == index)).first()
        if row is not None and not row.gone:
            raise _external_taken()
        return None if row is None else str(row.user)

    def _taken(self, by: Provider, tenant: str, user: str) -> Conflict:
        gone = select(people.c.gone).where(people.c.user == user, people.c.tenant == by.tenant)
        with self.database.read() as sql:
            left = tenant == by.tenant and sql.execute(gone).scalar()
        if left:  # somebody else may have the address by now, and must not get what the leaver made
            return Conflict(
                "The address belongs to somebody who left. Send the same externalId to bring that person back, or have"
                " an owner erase the old account first.",
                code="address-of-leaver",
            )
        return taken()

    def _address(self, by: Provider, address: str) -> str:
        normal = normalised_email(address)
        domain = by.connection.domain_of(normal)
        if domain is None or not self.connections.domain_verified(by.connection, domain.name):
            raise Invalid(
                "userName must be an e-mail address in a verified domain of this connection.",
                code="scim-address",
                field="userName",
            )
        return normal

    def _sealed(self, by: Provider, user: str, address: str, profile: Profile) -> dict[str, bytes]:
        seal = self.fields.seal
        return {
            "email_index": self.users.email_index(address),
            "email": seal(by.tenant, user, EMAIL, address.encode()),
            "display_name": seal(by.tenant, user, NAME, _shown(profile).encode()),
        }

    def _row(self, by: Provider, user: str, profile: Profile) -> dict[str, Any]:
        said = {
            "externalId": profile.external_id,
            "givenName": profile.given_name,
            "familyName": profile.family_name,
            "formatted": profile.formatted,
            "unnamed": profile.display_name is None or None,
            "silent": profile.active is None or None,
        }
        plain = json.dumps({name: value for name, value in said.items() if value is not None})
        external = None if profile.external_id is None else self.directory(by).external(profile.external_id)
        return {
            "tenant": by.tenant,
            "connection": by.connection.id,
            "external": external,
            "profile": self.fields.seal(by.tenant, user, PROFILE, plain.encode()),
            "off_at": None,
            "gone": False,
            "changed_at": self._now(),
        }

    def _note(self, sql: Sql, user: str, said: dict[str, Any], *, known: bool) -> None:
        if known:
            kept = {name: value for name, value in said.items() if name != "off_at"}
            sql.execute(update(people).where(people.c.user == user).values(**kept))
        else:
            sql.execute(insert(people), said | {"user": user, "made": False})

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


_STANDING: Select[Any] = select(
    users.c.active, users.c.email_index, people.c.made, people.c.off_at, people.c.connection
).select_from(users.outerjoin(people, people.c.user == users.c.id))


def forget(sql: Sql, user: str) -> None:
    """Drop what providers said of a person, in the caller's transaction."""
    for table in (members, people):
        sql.execute(delete(table).where(table.c.user == user))


def _require_room(sql: Sql, tenant: str) -> None:
    """Raises `Conflict` (`too-many-people`) when the tenant has more people than a provider may bring it to."""
    here = select(func.count()).select_from(users).where(users.c.tenant == tenant)
    if sql.execute(here).scalar_one() > MOST_PEOPLE:
        raise Conflict(
            f"A provider brings a tenant to at most {MOST_PEOPLE} people; have an owner add further ones here.",
            code="too-many-people",
        )


def _exists(sql: Sql, connection: str) -> bool:
    return sql.execute(select(connections.c.id).where(connections.c.id == connection)).first() is not None


def _shown(profile: Profile) -> str:
    parts = " ".join(one for one in (profile.given_name, profile.family_name) if one)
    return (profile.display_name or profile.formatted or parts or profile.address)[:120]


def _external_taken() -> Conflict:
    return Conflict("There is a user with this externalId already.", code="external-id-taken")
