"""Access tokens of services, `troth_at_…`: 256 random bits kept as SHA-256, a quarter of an hour at most, and worth
nothing without the key or the certificate that they were given to (RFC 9449, RFC 8705 section 3).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, select

from troth.identity.devices.shown import DPOP, Devices, Scheme, Shown
from troth.identity.mfa.relying_party import encoded
from troth.identity.oauth.service_accounts import ServiceAccount
from troth.identity.oauth.store import services, tokens
from troth.identity.store import tenants, users
from troth.kernel.caller import Authentication, Caller, Connection, Device
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.scope import as_system
from troth.storage.database import Database
from troth.storage.prepared import PreparedSelect

TOKEN_PREFIX = "troth_at_"  # noqa: S105  tells a leaked token from a leaked session or key
LIFE_MS = 15 * 60 * 1000
MTLS = "mtls"

_COLUMNS = (
    tokens.c.id,
    tokens.c.tenant,
    tokens.c.service,
    tokens.c.scopes,
    tokens.c.bound,
    tokens.c.thumbprint,
    tokens.c.created_at,
    tenants.c.jurisdiction,
)
# What the service is right now is read with the token, on every request: switching it off, or its owner, holds at once.
_STANDS = and_(
    services.c.id == tokens.c.service,
    services.c.tenant == tokens.c.tenant,
    services.c.disabled_at.is_(None),
    services.c.expires_at > bindparam("now"),
)
_BY_TOKEN = PreparedSelect(
    select(*_COLUMNS)
    .select_from(
        tokens.join(services, _STANDS)
        .join(users, and_(users.c.id == services.c.owner, users.c.tenant == services.c.tenant))
        .join(tenants, tenants.c.id == tokens.c.tenant)
    )
    .where(tokens.c.digest == bindparam("digest"), tokens.c.expires_at > bindparam("now"), users.c.active)
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may use a token: the holder of a key (`dpop`) or of a certificate (`mtls`), by its thumbprint."""

    bound: str
    thumbprint: str


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token, shown this once; `seconds` is its life."""

    id: str
    token: str
    scopes: tuple[str, ...]
    seconds: int


class ServiceTokens:
    """All access tokens of all services."""

    def __init__(
        self,
        database: Database,
        devices: Devices,
        clock: Clock,
        certified: Callable[[Connection], str | None] = lambda _connection: None,
    ) -> None:
        """`certified`: the service account that a connection's certificate names, of one that holds now; else None."""
        self.database = database
        self.devices = devices
        self.clock = clock
        self.certified = certified

    def issue(self, service: ServiceAccount, sender: Sender, scopes: Sequence[str]) -> IssuedToken:
        """A fresh token for a service in force; it never outlives the service."""
        now = self._now()
        token = TOKEN_PREFIX + base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
        ends = min(now + LIFE_MS, service.expires_at)
        row = {
            "digest": digest(token),
            "id": new_id("tok"),
            "tenant": service.tenant,
            "service": service.id,
            "scopes": " ".join(scopes),
            "bound": sender.bound,
            "thumbprint": sender.thumbprint,
            "created_at": now,
            "expires_at": ends,
        }
        with self.database.write() as sql:
            sql.execute(insert(tokens), row)
        return IssuedToken(str(row["id"]), token, tuple(scopes), (ends - now) // 1000)

    @as_system  # whose it is shows only now
    def authenticate(self, token: str, connection: Connection, shown: Shown) -> Caller:
        """The service behind a token that its holder shows.

        Raises `Unauthenticated`: `token-unknown` (also over, revoked, or of a service that is not in force),
        `token-not-yours` for a token without its key or certificate, `proof-invalid`.
        """
        now = self._now()
        rows = self._rows(token, now)
        if not rows:
            raise Unauthenticated("This access token does not hold; ask for a new one.", code="token-unknown")
        return self._holder(rows[0], token, connection, shown, now)

    def at_once(self, token: str, connection: Connection, shown: Shown) -> Caller | None:
        """The same by one short read on this thread, or None when there is something to write or to wait for."""
        now = self._now()
        rows = self._rows(token, now) if self.database.at_hand and not shown.spends else ()
        return self._holder(rows[0], token, connection, shown, now) if rows else None

    @as_system  # whoever holds a token may end it
    def revoke(self, token: str, client: str) -> str | None:
        """End one token of a client; the service's tenant, or None when the client has no such token."""
        mine = (tokens.c.digest == digest(token)) & (tokens.c.service == client)
        with self.database.write() as sql:
            tenant = sql.execute(select(tokens.c.tenant).where(mine)).scalar()
            sql.execute(delete(tokens).where(mine))
        return tenant

    def sweep(self) -> int:
        """Drop tokens that are over; how many there were."""
        with self.database.write() as sql:
            return sql.execute(delete(tokens).where(tokens.c.expires_at <= self._now())).rowcount

    def _rows(self, token: str, now: int) -> Sequence[Any]:
        return self.database.rows(_BY_TOKEN, {"now": now, "digest": digest(token)})

    def _holder(self, row: Sequence[Any], token: str, connection: Connection, shown: Shown, now: int) -> Caller:
        named, tenant, service, scopes, bound, key, created_at, jurisdiction = row
        if bound == DPOP and shown.scheme is Scheme.DPOP and shown.proof is not None:
            self.devices.spent_by(key, token, shown, now)
        elif bound != MTLS or sender_of(connection) != Sender(MTLS, key) or self.certified(connection) != service:
            raise _not_yours()
        age = (now - created_at) // 1000
        return Caller(
            actor=service,
            kind="service",
            tenant=tenant,
            subject=service,  # what it makes is its own
            scopes=frozenset(scopes.split()),
            jurisdiction=jurisdiction,
            authentication=Authentication("mtls" if bound == MTLS else "private-key-jwt", 2, age, named),
            device=Device(bound, key, age),
            connection=connection,
        )

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def digest(token: str) -> bytes:
    """What is kept of a token or code."""
    return hashlib.sha256(token.encode()).digest()


def sender_of(connection: Connection) -> Sender | None:
    """The holder of the certificate that came with a connection: SHA-256 over its DER form (RFC 8705 section 3.1)."""
    if not connection.certificate:
        return None
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(connection.certificate)).digest()
    return Sender(MTLS, encoded(shown))


def _not_yours() -> Unauthenticated:
    return Unauthenticated(
        "This access token belongs to a key; send 'Authorization: DPoP' with a proof by it in the header DPoP, or use"
        " the certificate that it was given to.",
        code="token-not-yours",
    )
