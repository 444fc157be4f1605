"""The tables of the authorization server. Every code and token is a SHA-256; keys that stand here are public ones."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from troth.storage.database import Big, metadata


def _id(name: str, *extra: object, **options: bool) -> Column[str]:
    return Column(name, String(64), *extra, **options)  # type: ignore[arg-type]


services = Table(
    "service_accounts",
    metadata,
    _id("id", primary_key=True),
    _id("tenant", ForeignKey("tenants.id"), nullable=False, index=True),
    _id("owner", ForeignKey("users.id"), index=True),  # who answers for it; without one it gets no token
    Column("name", String(63), nullable=False),  # a label of letters, digits and dashes: no place for a person's name
    Column("scopes", String(120), nullable=False),  # separated by spaces
    Column("method", String(32), nullable=False),  # private_key_jwt | tls_client_auth, as RFC 8414 names them
    Column("jwk", Text),  # public key (RFC 7517) of private_key_jwt
    Column("former_jwk", Text),  # the key before the last rotation, and until when it still signs
    Column("former_until", Big),
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),  # no service without an end (ACC-01)
    Column("disabled_at", Big),
    Column("used_at", Big),
)

device_codes = Table(
    "oauth_device_codes",
    metadata,
    _id("id", primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),  # of the device code
    Column("user_code", LargeBinary(32), unique=True),  # of the user code; gone once somebody decided
    _id("thumbprint", nullable=False),  # RFC 7638, of the key that began and that alone redeems
    Column("zone", String(16), nullable=False),
    Column("state", String(16), nullable=False),  # pending | approved | denied
    _id("user", ForeignKey("users.id"), index=True),  # who decided
    _id("session"),  # in which session; the grant ends with it
    Column("assurance", Integer),
    Column("verified_at", Big),  # when that person last proved who they are
    Column("seconds", Integer, nullable=False),  # between two questions
    Column("asked_at", Big, nullable=False),  # when the device asked last
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False, index=True),
)

refreshes = Table(
    "oauth_refresh_tokens",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    _id("session", nullable=False, index=True),  # the family: what one sign-in gave
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    _id("thumbprint", nullable=False),
    Column("used_at", Big),  # a used one stays, to be known again
    Column("expires_at", Big, nullable=False, index=True),
)

tokens = Table(
    "oauth_access_tokens",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    _id("id", nullable=False, unique=True),
    _id("tenant", nullable=False),
    _id("service", ForeignKey("service_accounts.id"), nullable=False, index=True),
    Column("scopes", String(120), nullable=False),
    Column("bound", String(8), nullable=False),  # dpop | mtls
    _id("thumbprint", nullable=False),
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False, index=True),
)

seen = Table(
    "oauth_seen",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 over who said it and its `jti`
    Column("expires_at", Big, nullable=False, index=True),
)
