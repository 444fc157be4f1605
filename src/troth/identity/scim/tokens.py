"""Provisioning tokens, `troth_scim_<id>_<secret>`: what an identity provider shows that creates and disables people.

A bearer token is the stated weaker class: it is all that identity providers send. Hence it belongs to one connection of
one tenant, reaches provisioning and nothing else, ends within a year, and may be bound to networks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, delete, func, insert, select, update

from troth.identity.provisioned import tokens
from troth.identity.roles import lock_tenant
from troth.identity.sso.store import connections
from troth.identity.store import tenants
from troth.kernel.caller import Authentication, Caller, Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from troth.kernel.ids import id_from_bytes
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database

PREFIX = "troth_scim_"
KIND = "provisioning"  # of a caller that shows one
SCOPE = "provision"
SEALED_FOR = "svc_provisioning"  # whose account unit seals what belongs to a tenant's provisioning: nobody's
NAME = "scim-token-name"
DEFAULT_DAYS = 180
MAXIMUM_DAYS = 365
MOST = 8  # of one tenant
MOST_NETWORKS = 16
_TOKEN = re.compile(r"troth_scim_([a-z2-7]{26})_[a-z2-7]{52}\Z")
_DAY_MS = 24 * 3600 * 1000
_USED_EVERY_MS = 60 * 1000  # the time of last use is written at most this often


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A token to be made. `networks` in CIDR notation; none: it works from anywhere. `days`: 1 to 365."""

    connection: str
    name: str
    created_by: str
    days: int = DEFAULT_DAYS
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """A token, which is shown this once."""

    id: str
    token: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInfo:
    """A token as owners see it. Times in epoch milliseconds."""

    id: str
    name: str
    connection: str
    networks: tuple[str, ...]
    created_by: str
    created_at: int
    expires_at: int
    used_at: int | None


class ProvisioningTokens:
    """All provisioning tokens of all tenants."""

    def __init__(self, database: Database, fields: PersonalFields, clock: Clock) -> None:
        self._database = database
        self._fields = fields
        self._clock = clock

    def create(self, tenant: str, wish: Wish) -> Issued:
        """A fresh token. Raises `Invalid` (life, networks), `NotFound` (connection), `Conflict` beyond eight."""
        _check_days(wish.days)
        networks = _networks(wish.networks)
        body = id_from_bytes("scm", secrets.token_bytes(16)).removeprefix("scm_")
        issued, now = self._fresh(body, wish.days), self._now()
        row = {
            "id": issued.id,
            "tenant": tenant,
            "connection": wish.connection,
            "digest": _digest(issued.token),
            "name": self._fields.seal(tenant, SEALED_FOR, f"{NAME}", wish.name.encode()),
            "networks": networks,
            "created_by": wish.created_by,
            "created_at": now,
            "expires_at": issued.expires_at,
        }
        here = select(connections.c.id).where(connections.c.id == wish.connection, connections.c.tenant == tenant)
        mine = select(func.count()).select_from(tokens).where(tokens.c.tenant == tenant)
        with self._database.write() as sql:
            lock_tenant(sql, tenant)
            if sql.execute(here).first() is None:
                raise NotFound(
                    "There is no such connection; list the connections to see their ids.", code="sso-not-found"
                )
            if sql.execute(mine).scalar_one() >= MOST:
                raise Conflict(f"A tenant has at most {MOST} provisioning tokens; revoke one.", code="too-many-tokens")
            sql.execute(insert(tokens), row)
        return issued

    def rotate(self, tenant: str, token: str, days: int = DEFAULT_DAYS) -> Issued:
        """A new secret and a new end for a token; the old secret stops at once. Raises `NotFound`, `Invalid`."""
        _check_days(days)
        issued = self._fresh(token.removeprefix("scm_"), days)
        mine = update(tokens).where(tokens.c.id == token, tokens.c.tenant == tenant)
        with self._database.write() as sql:
            values = {"digest": _digest(issued.token), "expires_at": issued.expires_at, "used_at": None}
            if not sql.execute(mine.values(values)).rowcount:
                raise _no_token()
        return issued

    def revoke(self, tenant: str, token: str) -> None:
        """End a token at once. People, groups and roles stay as they are. Raises `NotFound`."""
        with self._database.write() as sql:
            if not sql.execute(delete(tokens).where(tokens.c.id == token, tokens.c.tenant == tenant)).rowcount:
                raise _no_token()

    def of_tenant(self, tenant: str) -> list[TokenInfo]:
        """The tokens of a tenant, newest first, expired ones included."""
        mine = select(tokens).where(tokens.c.tenant == tenant).order_by(tokens.c.created_at.desc(), tokens.c.id)
        with self._database.read() as sql:
            rows = sql.execute(mine).all()
        return [self._shown(row) for row in rows]

    def authenticate(self, token: str, connection: Connection) -> Caller:
        """The token as a caller. Raises `Unauthenticated`: `provisioning-unknown`, also for another network or a
        connection that is disabled, or `provisioning-expired`."""
        return self._holder(token, connection)

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """Always None: a provider's requests are few, and each writes."""
        del token, connection
        return None

    @as_system  # whose it is shows only now
    def _holder(self, token: str, connection: Connection) -> Caller:
        shape = _TOKEN.match(token)
        if shape is None:
            raise _unknown()
        with self._database.read() as sql:
            row = sql.execute(_standing().where(tokens.c.id == f"scm_{shape[1]}")).first()
        if row is None or not hmac.compare_digest(row.digest, _digest(token)):
            raise _unknown()
        if not _near(row.networks, connection.origin.address):
            raise _unknown()  # who stole it learns nothing
        now = self._now()
        if now >= row.expires_at:
            raise Unauthenticated("This provisioning token has expired; rotate it.", code="provisioning-expired")
        if row.used_at is None or now >= row.used_at + _USED_EVERY_MS:
            self._used(row.id, now)
        return Caller(
            actor=row.id,
            kind=KIND,
            tenant=row.tenant,
            scopes=frozenset({SCOPE}),
            jurisdiction=row.jurisdiction,
            authentication=Authentication("bearer-token", 1, (now - row.created_at) // 1000, row.id),
            connection=connection,
        )

    def connection_of(self, tenant: str, token: str) -> str:
        """The connection that a token belongs to. Raises `NotFound`."""
        mine = select(tokens.c.connection).where(tokens.c.id == token, tokens.c.tenant == tenant)
        with self._database.read() as sql:
            found = sql.execute(mine).scalar()
        if found is None:
            raise _no_token()
        return str(found)

    def _fresh(self, body: str, days: int) -> Issued:
        secret = base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
        return Issued(f"scm_{body}", f"{PREFIX}{body}_{secret}", self._now() + days * _DAY_MS)

    def _shown(self, row: Row[Any]) -> TokenInfo:
        return TokenInfo(
            id=row.id,
            name=self._fields.open(row.tenant, SEALED_FOR, NAME, row.name).decode(),
            connection=row.connection,
            networks=tuple(row.networks.split()),
            created_by=row.created_by,
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )

    def _used(self, token: str, now: int) -> None:
        with self._database.write() as sql:
            sql.execute(update(tokens).where(tokens.c.id == token).values(used_at=now))

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def forget_tenant(sql: Sql, tenant: str) -> None:
    """Drop a tenant's tokens in the caller's transaction."""
    sql.execute(delete(tokens).where(tokens.c.tenant == tenant))


def _standing() -> Any:
    """Tokens with their tenant's jurisdiction, of connections that are enabled."""
    joined = tokens.join(tenants, tokens.c.tenant == tenants.c.id).join(
        connections, (tokens.c.connection == connections.c.id) & (tokens.c.tenant == connections.c.tenant)
    )
    return select(tokens, tenants.c.jurisdiction).select_from(joined).where(connections.c.enabled.is_(True))


def _near(networks: str, address: str) -> bool:
    """Whether an address lies in one of the networks; what is no address lies in none."""
    if not networks:
        return True
    try:
        asked = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(asked, "ipv4_mapped", None) or asked
    return any(mapped in ip_network(one) for one in networks.split())


def _networks(wanted: Sequence[str]) -> str:
    try:
        kept = " ".join(sorted({str(ip_network(one)) for one in wanted}))
    except ValueError:
        advice = "Write networks such as 192.0.2.0/24 or 2001:db8::/48."
        raise Invalid(advice, code="bad-network", field="networks") from None
    if len(kept) > 400 or len(wanted) > MOST_NETWORKS:  # the column's width
        raise Invalid(f"Name at most {MOST_NETWORKS} networks.", code="bad-network", field="networks")
    return kept


def _check_days(days: int) -> None:
    if not 1 <= days <= MAXIMUM_DAYS:
        raise Invalid(f"A provisioning token lives 1 to {MAXIMUM_DAYS} days.", code="bad-lifetime", field="days")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _unknown() -> Unauthenticated:
    return Unauthenticated(
        "This provisioning token is not valid here; an owner can make or rotate one.", code="provisioning-unknown"
    )


def _no_token() -> NotFound:
    return NotFound("There is no such provisioning token; list them to see their ids.", code="token-not-found")
