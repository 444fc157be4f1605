"""People and groups of one tenant as a provider sees them: opened from sealed rows, each with a version (ETag)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, Select, and_, func, or_, select

from troth.identity.provisioned import groups, members, people
from troth.identity.scim.tokens import SEALED_FOR
from troth.identity.sso.store import connections, domains, links
from troth.identity.store import users
from troth.identity.users import EMAIL, NAME
from troth.kernel.errors import Gone, NotFound, TooLarge
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database

PROFILE, GROUP = "scim-profile", "scim-group-profile"  # labels of the sealed fields
EXTERNAL, NAMED = "scim-external", "scim-group-name"  # labels of the keyed hashes
MOST_PEOPLE = 20_000  # a search that must open everybody opens no more
MOST_GROUPS = 500  # of one tenant
MOST_MEMBERS = 10_000  # of one group
# Of rows of users with their `people`: whom no provider has, or one whose connection was deleted since.
_NOBODYS = or_(
    people.c.user.is_(None), and_(people.c.gone.is_(False), people.c.connection.not_in(select(connections.c.id)))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a provider says of a person. None: it does not say."""

    address: str
    display_name: str | None = None
    active: bool | None = True
    external_id: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    formatted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as a resource. `groups`: ids and names. Times in epoch milliseconds; `version` is a weak ETag."""

    id: str
    profile: Profile
    groups: tuple[tuple[str, str], ...]
    created_at: int
    changed_at: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group as a resource. `members`: ids of people."""

    id: str
    name: str
    external_id: str | None
    members: tuple[str, ...]
    created_at: int
    changed_at: int
    version: str


class Directory:
    """Reads what one tenant's provider may see: the people and groups of its connection.

    Who is nobody's yet is found by their id or exact address, in a domain of the connection that is verified: a
    provider takes up accounts that it knows, and is not told of others.
    """

    def __init__(self, database: Database, fields: PersonalFields, tenant: str, connection: str) -> None:
        self._database = database
        self._fields = fields
        self.tenant = tenant
        self.connection = connection

    def person(self, user: str) -> Person:
        """One person. Raises `NotFound`."""
        found = self._people(self._visible(nobodys=True).where(users.c.id == user))
        if not found or not self._near(found[0]):
            raise no_person()
        return found[0]

    def people(self) -> list[Person]:
        """Everybody, oldest first. Raises `TooLarge` where there are more than 20,000."""
        with self._database.read() as sql:
            if sql.execute(self._count()).scalar_one() > MOST_PEOPLE:
                raise TooLarge(
                    "There are too many people to search; filter by userName or externalId.", code="scim-too-many"
                )
        return self._people(self._visible())

    def page(self, start: int, count: int) -> tuple[int, list[Person]]:
        """How many people there are, and `count` of them from the index `start`, which begins with 0."""
        with self._database.read() as sql:
            total = int(sql.execute(self._count()).scalar_one())
        return total, self._people(self._visible().offset(start).limit(count)) if count else []

    def with_address(self, address: str) -> list[Person]:
        """Who has this normalised address."""
        here = users.c.email_index == self._fields.blind_index("email", address)
        return [one for one in self._people(self._visible(nobodys=True).where(here)) if self._near(one)]

    def with_external_id(self, external_id: str) -> list[Person]:
        """Whom the connection knows by this id."""
        return self._people(self._visible().where(people.c.external == self.external(external_id)))

    def external(self, external_id: str) -> bytes:
        """The keyed hash of a provider's id of a person."""
        return self._fields.blind_index(EXTERNAL, f"{self.connection}\0{external_id}")

    def named(self, name: str) -> bytes:
        """The keyed hash of a group's name."""
        return named(self._fields, self.connection, name)

    def group(self, group: str) -> Group:
        """One group. Raises `NotFound`."""
        found = self._groups(self._of_connection().where(groups.c.id == group))
        if not found:
            raise no_group()
        return found[0]

    def groups(self) -> list[Group]:
        """The groups, oldest first."""
        return self._groups(self._of_connection())

    def _visible(self, *, nobodys: bool = False) -> Select[Any]:
        """Rows of the connection's people, and with `nobodys` of those whom none has; not whom the provider deleted."""
        joined = users.outerjoin(people, people.c.user == users.c.id)
        wanted = select(
            users.c.id,
            users.c.email_index,
            users.c.email,
            users.c.display_name,
            users.c.active,
            users.c.created_at,
            people.c.profile,
            people.c.off_at,
            people.c.changed_at,
        ).select_from(joined)
        there = or_(self._there(), _NOBODYS) if nobodys else self._there()
        return wanted.where(users.c.tenant == self.tenant, there).order_by(users.c.created_at, users.c.id)

    def _count(self) -> Select[Any]:
        joined = users.outerjoin(people, people.c.user == users.c.id)
        return select(func.count()).select_from(joined).where(users.c.tenant == self.tenant, self._there())

    def _there(self) -> Any:
        return of_connection(self.connection)

    def _near(self, person: Person) -> bool:
        """Whether the connection has the person, or their address is in a domain of it that an operator verified."""
        verified = select(domains.c.verified).where(domains.c.tenant == self.tenant, domains.c.verified.is_not(None))
        near = select(domains.c.domain).where(
            domains.c.connection == self.connection,
            domains.c.domain == person.profile.address.rpartition("@")[2],
            domains.c.domain.in_(verified),
        )
        joined = users.outerjoin(people, people.c.user == users.c.id)
        ours = select(users.c.id).select_from(joined).where(users.c.id == person.id, self._there())
        with self._database.read() as sql:
            return sql.execute(ours).first() is not None or sql.execute(near).first() is not None

    def _people(self, query: Select[Any]) -> list[Person]:
        with self._database.read() as sql:
            rows = sql.execute(query).all()
            held = _memberships(sql, self.tenant, self.connection, [row.id for row in rows])
        names = self._names({one for some in held.values() for one in some})
        found = (self._person(row, [(one, names[one]) for one in held.get(row.id, ()) if one in names]) for row in rows)
        return [one for one in found if one is not None]

    def _person(self, row: Row[Any], held: Sequence[tuple[str, str]]) -> Person | None:
        try:
            said = self._said(row)
            address = self._fields.open(self.tenant, row.id, EMAIL, row.email).decode()
            name = self._fields.open(self.tenant, row.id, NAME, row.display_name).decode()
        except Gone:  # somebody erases this person now
            return None
        unsaid = said.get("silent") and (row.active or row.off_at is not None)  # never hides what people disabled
        return Person(
            id=row.id,
            profile=Profile(
                address=address,
                display_name=None if said.get("unnamed") else name,
                active=None if unsaid else bool(row.active),
                external_id=said.get("externalId"),
                given_name=said.get("givenName"),
                family_name=said.get("familyName"),
                formatted=said.get("formatted"),
            ),
            groups=tuple(held),
            created_at=row.created_at,
            changed_at=row.changed_at or row.created_at,
            version=version_of(row, [one for one, _ in held]),
        )

    def _said(self, row: Row[Any]) -> dict[str, Any]:
        if row.profile is None:
            return {}
        opened: dict[str, Any] = json.loads(self._fields.open(self.tenant, row.id, PROFILE, row.profile))
        return opened

    def _names(self, some: Collection[str]) -> dict[str, str]:
        """The names of these groups."""
        with self._database.read() as sql:
            rows = sql.execute(self._of_connection().where(groups.c.id.in_(some))).all() if some else []
        return {row.id: self._said_of_group(row)["displayName"] for row in rows}

    def _said_of_group(self, row: Row[Any]) -> dict[str, Any]:
        opened: dict[str, Any] = json.loads(self._fields.open(self.tenant, SEALED_FOR, GROUP, row.profile))
        return opened

    def _of_connection(self) -> Select[Any]:
        mine = groups.c.tenant == self.tenant, groups.c.connection == self.connection
        return select(groups).where(*mine).order_by(groups.c.created_at, groups.c.id)

    def _groups(self, query: Select[Any]) -> list[Group]:
        with self._database.read() as sql:
            rows = sql.execute(query).all()
            theirs = select(members.c.group, members.c.user).where(members.c.group.in_([row.id for row in rows]))
            held: dict[str, list[str]] = {}
            for group, user in sql.execute(theirs.order_by(members.c.user)) if rows else ():
                held.setdefault(group, []).append(user)
        return [self._group(row, held.get(row.id, [])) for row in rows]

    def _group(self, row: Row[Any], held: Sequence[str]) -> Group:
        said = self._said_of_group(row)
        return Group(
            id=row.id,
            name=said["displayName"],
            external_id=said.get("externalId"),
            members=tuple(held),
            created_at=row.created_at,
            changed_at=row.changed_at,
            version=group_version(row, held),
        )


def person_row(sql: Sql, directory: Directory, user: str) -> tuple[Row[Any], str]:
    """The row of a person and its version, as it stands in the caller's transaction. Raises `NotFound`."""
    row = sql.execute(directory._visible(nobodys=True).where(users.c.id == user)).first()
    if row is None:
        raise no_person()
    held = _memberships(sql, directory.tenant, directory.connection, [user])
    return row, version_of(row, held.get(user, ()))


def of_connection(connection: str) -> Any:
    """A condition on users with their `people`: whom a connection provisions, or knows by a link that stands."""
    linked = select(links.c.user).where(links.c.connection == connection, links.c.confirmed.is_(True))
    ours = and_(people.c.connection == connection, people.c.gone.is_(False))
    return or_(ours, and_(_NOBODYS, users.c.id.in_(linked)))


def holdings(
    database: Database, fields: PersonalFields, tenant: str, user: str
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(kind, id, content) of what a provider says of a person: what it calls them, their name and groups."""
    mine = select(people.c.profile, people.c.connection).where(people.c.user == user, people.c.tenant == tenant)
    with database.read() as sql:
        row = sql.execute(mine).first()
        theirs = select(groups).join(members, members.c.group == groups.c.id)
        rows = sql.execute(theirs.where(members.c.user == user, members.c.tenant == tenant)).all()
    names = [json.loads(fields.open(tenant, SEALED_FOR, GROUP, one.profile))["displayName"] for one in rows]
    if row is not None or names:
        said = {} if row is None else json.loads(fields.open(tenant, user, PROFILE, row.profile))
        yield "provisioned", user, {**said, "groups": sorted(names)}


def version_of(row: Row[Any], held: Sequence[str]) -> str:
    """A weak ETag (RFC 7644 section 3.14): it changes with whatever a provider can see of a person."""
    seen = (
        row.email_index,
        row.email,
        row.display_name,
        row.active,
        row.profile,
        row.off_at,
        row.changed_at,
        sorted(held),
    )
    return _etag(seen)


def group_version(row: Row[Any], held: Sequence[str]) -> str:
    """The same for a group."""
    return _etag((row.profile, row.changed_at, sorted(held)))


def named(fields: PersonalFields, connection: str, name: str) -> bytes:
    """The keyed hash under which a group's name and the mapping of a connection meet."""
    return fields.blind_index(NAMED, f"{connection}\0{name}")


def no_person() -> NotFound:
    """The refusal of a person who is not there, or of another tenant."""
    return NotFound("There is no such user here.", code="user-not-found")


def no_group() -> NotFound:
    """The same for a group."""
    return NotFound("There is no such group here.", code="group-not-found")


def _memberships(sql: Sql, tenant: str, connection: str, some: Sequence[str]) -> dict[str, list[str]]:
    """Ids of groups by person."""
    held: dict[str, list[str]] = {}
    ours = select(members.c.user, members.c.group).join(groups, groups.c.id == members.c.group)
    ours = ours.where(members.c.tenant == tenant, groups.c.connection == connection).order_by(members.c.group)
    if len(some) <= MOST_GROUPS:  # else the whole tenant is read
        ours = ours.where(members.c.user.in_(some))
    for user, group in sql.execute(ours):
        held.setdefault(user, []).append(group)
    return held


def _etag(seen: Sequence[Any]) -> str:
    return f'W/"{hashlib.sha256(repr(tuple(_plain(one) for one in seen)).encode()).hexdigest()[:32]}"'


def _plain(value: Any) -> Any:
    """Drivers give bytes as `bytes` or `memoryview`, and truth as numbers."""
    if isinstance(value, memoryview):
        return bytes(value)
    return int(value) if isinstance(value, bool) else value
