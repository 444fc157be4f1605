"""A tenant's connections to identity providers: whose word counts, for which addresses, and how much it proves.

`rules` say what every kind of connection needs: roles and assurance. `settings` belong to the kind (OpenID Connect:
`oidc.Settings`; SAML: metadata, certificates) and are plain JSON here. A client secret is sealed under a key unit of
the tenant, so it goes with the tenant's keys.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, and_, delete, insert, select, update

from troth.identity.roles import decides_by, lock_tenant
from troth.identity.sso.ending import Concerned, concerned, end, enforce
from troth.identity.sso.rules import Rules, taken
from troth.identity.sso.store import attempts, connections, domains, links, opened
from troth.identity.store import grants
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, IntegrityError, NotFound, TooLarge
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database

Kind = Literal["oidc", "saml"]
SEALED_FOR = "svc_sign_on"  # whose account unit seals what belongs to a tenant's connections: nobody's
SECRET = "sso-secret"  # noqa: S105 - label of the sealed field
MOST = 16  # connections of one tenant
MOST_SETTINGS = 1 << 18  # characters of JSON: metadata of a federation member fits, that of a whole federation does not


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of e-mail addresses; `verified_at` in epoch ms once an operator saw that it is the tenant's."""

    name: str
    verified_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoConnection:
    """One connection. Times in epoch milliseconds; the client secret is not here (`Connections.secret`)."""

    id: str
    tenant: str
    kind: Kind
    name: str
    issuer: str
    client_id: str | None
    rules: Rules
    settings: Mapping[str, Any] = field(repr=False)
    domains: tuple[Domain, ...]
    just_in_time: bool
    enforced: bool
    enabled: bool
    created_at: int
    changed_at: int
    sealed_secret: bytes | None = field(repr=False, default=None)

    def domain_of(self, email: str) -> Domain | None:
        """The connection's domain that a normalised address belongs to."""
        name = email.rpartition("@")[2]
        return next((one for one in self.domains if one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a connection shall be. `secret` None keeps the one there is; domains that stay keep being verified."""

    name: str
    issuer: str
    client_id: str | None = None
    secret: str | None = field(repr=False, default=None)
    rules: Rules = field(default_factory=Rules)
    settings: Mapping[str, Any] = field(repr=False, default_factory=dict)
    domains: tuple[str, ...] = ()
    just_in_time: bool = False
    enforced: bool = False
    enabled: bool = True


class Connections:
    """All connections of all tenants."""

    def __init__(self, database: Database, fields: PersonalFields, clock: Clock) -> None:
        self._database = database
        self._fields = fields
        self._clock = clock

    def create(self, tenant: str, kind: Kind, wish: Wish) -> SsoConnection:
        """A fresh connection. Raises `Conflict` (`too-many-connections`), `TooLarge`."""
        made, now = new_id("sso"), self._now()
        row = self._row(tenant, made, wish) | {"id": made, "tenant": tenant, "kind": kind, "created_at": now}
        with self._database.write() as sql:
            lock_tenant(sql, tenant)
            mine = select(connections.c.id).where(connections.c.tenant == tenant)
            if len(sql.execute(mine).all()) >= MOST:
                raise Conflict(f"A tenant has at most {MOST} connections; delete one.", code="too-many-connections")
            before = _enforcing(sql, tenant)
            sql.execute(insert(connections), row)
            for name in sorted(set(wish.domains)):
                sql.execute(insert(domains), {"connection": made, "domain": name, "tenant": tenant})
            self._enforced(sql, tenant, before=before)
        return self.get(tenant, made)

    def change(self, tenant: str, connection: str, kind: Kind, wish: Wish) -> SsoConnection:
        """As wished. Links and secret hold while the issuer stays, given roles also only while it is enabled and its
        rules give them. Raises `NotFound`, `TooLarge`."""
        before = self.get(tenant, connection, kind)
        had = {one.name for one in before.domains}
        row, wanted = self._row(tenant, connection, wish), set(wish.domains)
        if wish.secret is None and wish.issuer != before.issuer:
            row["secret"] = None
        with self._database.write() as sql:
            lock_tenant(sql, tenant)
            enforcing = _enforcing(sql, tenant)
            same = connections.c.id == connection, connections.c.tenant == tenant
            sql.execute(update(connections).where(*same).values(row))
            self._enforced(sql, tenant, before=enforcing)
            gone = domains.c.connection == connection, domains.c.domain.in_(had - wanted)
            sql.execute(delete(domains).where(*gone))
            if not wish.enabled or wish.issuer != before.issuer:
                _take_back(sql, connection)
            else:
                _take_back(sql, connection, taken(before.rules, wish.rules))
            if not wish.enabled or wish.issuer != before.issuer:
                end(sql, opened.c.link.in_(select(links.c.id).where(links.c.connection == connection)))
            for name in sorted(wanted - had):
                sql.execute(insert(domains), {"connection": connection, "domain": name, "tenant": tenant})
        return self.get(tenant, connection)

    def enforce(self, tenant: str, connection: str, people: int | None) -> SsoConnection:
        """Make it the only way in but for who decides; with `people` None no longer. They are how many it concerns.

        Raises `NotFound`, `Conflict` (`count-changed`) when it would concern another number of people.
        """
        self.get(tenant, connection)
        with self._database.write() as sql:
            before = _enforcing(sql, tenant)
            if people is not None and concerned(sql, tenant, self._now()).people != people:
                raise Conflict("It concerns another number of people by now; count again.", code="count-changed")
            same = connections.c.id == connection, connections.c.tenant == tenant
            values = {"enforced": people is not None, "changed_at": self._now()}
            sql.execute(update(connections).where(*same).values(values))
            self._enforced(sql, tenant, before=before)
        return self.get(tenant, connection)

    def delete(self, tenant: str, connection: str) -> None:
        """Take it away with its links, what they opened and the roles it gave; accounts stay. Raises `NotFound`."""
        with self._database.write() as sql:
            mine = delete(connections).where(connections.c.id == connection, connections.c.tenant == tenant)
            if not sql.execute(mine).rowcount:
                raise no_connection()
            _take_back(sql, connection)
            end(sql, opened.c.link.in_(select(links.c.id).where(links.c.connection == connection)))
            for table in (domains, links, attempts):
                sql.execute(delete(table).where(table.c.connection == connection))

    def get(self, tenant: str, connection: str, kind: Kind | None = None) -> SsoConnection:
        """One connection of a tenant, of that kind if one is named. Raises `NotFound`."""
        found = self._some(connections.c.id == connection, connections.c.tenant == tenant)
        if not found or kind not in (None, found[0].kind):
            raise no_connection()
        return found[0]

    def of_tenant(self, tenant: str) -> list[SsoConnection]:
        """A tenant's connections, oldest first."""
        return self._some(connections.c.tenant == tenant)

    @as_system  # somebody signs in: nobody is known yet
    def usable(self, connection: str, kind: Kind) -> SsoConnection:
        """An enabled connection by its id. Raises `NotFound`."""
        found = self._some(connections.c.id == connection, connections.c.kind == kind, connections.c.enabled.is_(True))
        if not found:
            raise no_connection()
        return found[0]

    @as_system
    def of_address(self, email: str) -> SsoConnection | None:
        """The enabled connection to which an address's domain leads; only a verified domain does."""
        here = select(domains.c.connection).where(domains.c.verified == email.rpartition("@")[2])
        found = self._some(connections.c.id.in_(here), connections.c.enabled.is_(True))
        return found[0] if found else None

    @as_system
    def domain_verified(self, connection: SsoConnection, name: str) -> bool:
        """True when an operator saw that a domain is that of the connection's tenant, for whichever connection."""
        mine = select(domains.c.domain).where(domains.c.verified == name, domains.c.tenant == connection.tenant)
        with self._database.read() as sql:
            return sql.execute(mine).first() is not None

    @as_system
    def required(self, tenant: str, user: str) -> bool:
        """True when this person signs in by their provider only. Never for who decides about others: it may fail."""
        with self._database.read() as sql:
            if not _enforcing(sql, tenant):
                return False
            return not sql.execute(select(decides_by(user, self._now()))).scalar()

    def concerned(self, tenant: str) -> Concerned:
        """Whom an enforced provider would leave no other way in, were it enforced now."""
        with self._database.read() as sql:
            return concerned(sql, tenant, self._now())

    def secret(self, connection: SsoConnection) -> str | None:
        """The client secret, if there is one. Raises `Gone` for an erased tenant, `IntegrityError`."""
        if connection.sealed_secret is None:
            return None
        sealed = self._fields.open(connection.tenant, SEALED_FOR, SECRET, connection.sealed_secret).decode()
        place, _, secret = sealed.rpartition("\0")
        if place != _place(connection.id, connection.issuer):  # it would go to somebody else's server
            raise IntegrityError("A client secret does not belong to its connection.", code="sealed-field")
        return secret

    def verify_domain(self, connection: str, name: str) -> SsoConnection:
        """An operator says that the domain is the tenant's. Raises `NotFound`, `Conflict` (`domain-taken`)."""
        here = and_(domains.c.connection == connection, domains.c.domain == name)
        with self._database.write() as sql:
            holder = sql.execute(select(domains.c.connection).where(domains.c.verified == name)).scalar()
            if holder not in (None, connection):
                raise Conflict("This domain leads to another connection; take it from that first.", code="domain-taken")
            values = {"verified": name, "verified_at": self._now()}
            if not sql.execute(update(domains).where(here).values(values)).rowcount:
                raise NotFound("This connection names no such domain.", code="domain-not-found")
        return self._some(connections.c.id == connection)[0]

    def _enforced(self, sql: Sql, tenant: str, *, before: bool) -> None:
        """What was opened in another way ends when a provider becomes the only way in, and so do API keys."""
        if not before and _enforcing(sql, tenant):
            enforce(sql, tenant, self._now())

    def _row(self, tenant: str, connection: str, wish: Wish) -> dict[str, Any]:
        settings = json.dumps(dict(wish.settings), sort_keys=True)
        if len(settings) > MOST_SETTINGS:
            raise TooLarge("The connection's settings are too large; send metadata of one provider only.")
        row: dict[str, Any] = {
            "name": wish.name,
            "issuer": wish.issuer,
            "client_id": wish.client_id,
            "rules": wish.rules.model_dump_json(),
            "settings": settings,
            "just_in_time": wish.just_in_time,
            "enforced": wish.enforced,
            "enabled": wish.enabled,
            "changed_at": self._now(),
        }
        if wish.secret is not None:
            plain = f"{_place(connection, wish.issuer)}\0{wish.secret}"
            row["secret"] = self._fields.seal(tenant, SEALED_FOR, SECRET, plain.encode())
        return row

    def _some(self, *where: Any) -> list[SsoConnection]:
        query = select(connections).where(*where).order_by(connections.c.created_at, connections.c.id)
        with self._database.read() as sql:
            rows = sql.execute(query).all()
            named = select(domains).where(domains.c.connection.in_([row.id for row in rows]))
            found = sql.execute(named.order_by(domains.c.domain)).all() if rows else []
        return [_opened(row, [one for one in found if one.connection == row.id]) for row in rows]

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def require_same(sql: Sql, connection: SsoConnection) -> None:
    """Raises `NotFound` when it was deleted, disabled or given another issuer; until the transaction ends it is not."""
    same = connections.c.id == connection.id, connections.c.issuer == connection.issuer, connections.c.enabled.is_(True)
    if sql.execute(select(connections.c.id).where(*same).with_for_update(read=True)).first() is None:
        raise no_connection()


def _enforcing(sql: Sql, tenant: str) -> bool:
    rule = connections.c.tenant == tenant, connections.c.enforced.is_(True), connections.c.enabled.is_(True)
    return sql.execute(select(connections.c.id).where(*rule).limit(1)).first() is not None


def _take_back(sql: Sql, connection: str, roles: Collection[str] | None = None) -> None:
    """End what the connection gave: these roles, or all."""
    which = () if roles is None else (grants.c.role.in_(sorted(roles)),)
    sql.execute(delete(grants).where(grants.c.granted_by == connection, *which))


def no_connection() -> NotFound:
    """The refusal of a connection that is not there, or not for this caller."""
    return NotFound("There is no such connection; list the connections to see their ids.", code="sso-not-found")


def _place(connection: str, issuer: str) -> str:
    return f"{connection}\0{issuer}"


def _opened(row: Row[Any], named: Sequence[Row[Any]]) -> SsoConnection:
    return SsoConnection(
        id=row.id,
        tenant=row.tenant,
        kind=row.kind,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        rules=Rules.model_validate_json(row.rules),
        settings=json.loads(row.settings),
        domains=tuple(Domain(one.domain, one.verified_at if one.verified else None) for one in named),
        just_in_time=bool(row.just_in_time),
        enforced=bool(row.enforced),
        enabled=bool(row.enabled),
        created_at=row.created_at,
        changed_at=row.changed_at,
        sealed_secret=row.secret,
    )
