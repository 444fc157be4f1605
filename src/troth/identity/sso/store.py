"""The tables of single sign-on. What a provider calls a person is sealed or a keyed hash; secrets are sealed."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, String, Table, Text

from troth.storage.database import Big, metadata


def _id(name: str, *extra: object, **options: bool) -> Column[str]:
    return Column(name, String(64), *extra, **options)  # type: ignore[arg-type]


connections = Table(
    "sso_connections",
    metadata,
    _id("id", primary_key=True),
    _id("tenant", nullable=False, index=True),
    Column("kind", String(8), nullable=False),  # oidc | saml; never changed
    Column("name", String(120), nullable=False),
    Column("issuer", String(512), nullable=False),  # OpenID issuer, or SAML entity id of the provider
    Column("client_id", String(256)),
    Column("secret", LargeBinary),  # sealed
    Column("rules", Text, nullable=False),  # JSON of `connections.Rules`: roles and assurance
    Column("settings", Text, nullable=False),  # JSON of the kind: algorithms, or metadata and certificates
    Column("just_in_time", Boolean, nullable=False),
    Column("enforced", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Big, nullable=False),
    Column("changed_at", Big, nullable=False),
)

domains = Table(
    "sso_domains",
    metadata,
    _id("connection", primary_key=True),
    Column("domain", String(253), primary_key=True),  # of e-mail addresses; lower case, A-labels
    _id("tenant", nullable=False, index=True),
    Column("verified", String(253), unique=True),  # the domain again once an operator verified it: one tenant has it
    Column("verified_at", Big),
)

attempts = Table(
    "sso_attempts",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 of the state
    _id("tenant", nullable=False),
    _id("connection", nullable=False, index=True),
    Column("browser", LargeBinary(32), nullable=False),  # SHA-256 of the cookie that the attempt left
    Column("facts", LargeBinary, nullable=False),  # sealed JSON: nonce, verifier, or id of a SAML request
    Column("expires_at", Big, nullable=False, index=True),
)

links = Table(
    "sso_links",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # keyed hash of connection, issuer and subject
    _id("id", nullable=False, unique=True),
    _id("tenant", nullable=False, index=True),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    _id("connection", nullable=False, index=True),
    Column("subject", LargeBinary, nullable=False),  # sealed: what the provider calls the person
    Column("confirmed", Boolean, nullable=False),  # an unconfirmed link opens nothing
    Column("created_at", Big, nullable=False),
    Column("used_at", Big),
)

opened = Table(
    "sso_sessions",
    metadata,
    _id("session", primary_key=True),
    _id("tenant", nullable=False),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    _id("link", nullable=False, index=True),  # which opened it
    Column("provider_session", LargeBinary(32), index=True),  # keyed hash of connection and the provider's session id
    Column("expires_at", Big, nullable=False, index=True),
)

seen = Table(
    "sso_seen",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 of connection, kind and id of a message
    Column("expires_at", Big, nullable=False, index=True),
)
