"""The tables of identity. Names and addresses are sealed or keyed hashes; every secret is a hash or sealed."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table

from troth.storage.database import Big, metadata

OPERATORS = "operator"  # the row of `tenants` under which operators stand; it is no customer and keeps no content


def _id(name: str, *extra: object, **options: bool) -> Column[str]:
    return Column(name, String(64), *extra, **options)  # type: ignore[arg-type]


tenants = Table(
    "tenants",
    metadata,
    _id("id", primary_key=True),
    Column("name", String(120), nullable=False),
    Column("jurisdiction", String(2), nullable=False),  # us | eu | au; never changed
    Column("created_at", Big, nullable=False),
)

users = Table(
    "users",
    metadata,
    _id("id", primary_key=True),
    _id("tenant", ForeignKey("tenants.id"), nullable=False, index=True),
    Column("email_index", LargeBinary(32), nullable=False, unique=True),  # HMAC-SHA256 of the normalised address
    Column("email", LargeBinary, nullable=False),
    Column("display_name", LargeBinary, nullable=False),
    Column("password", LargeBinary, nullable=False),  # sealed: argon2id, PHC string
    Column("password_at", Big, nullable=False),
    Column("password_issued", Boolean, nullable=False),  # chosen by somebody else: must be changed, and soon lapses
    Column("active", Boolean, nullable=False),
    Column("created_at", Big, nullable=False),
)

grants = Table(
    "role_grants",
    metadata,
    _id("user", ForeignKey("users.id"), primary_key=True),
    Column("role", String(32), primary_key=True),
    _id("granted_by", nullable=False),
    Column("granted_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),  # no grant without an end (ACC-01)
)

totp = Table(
    "totp",
    metadata,
    _id("user", ForeignKey("users.id"), primary_key=True),
    Column("secret", LargeBinary),  # sealed; absent until confirmed
    Column("pending", LargeBinary),  # sealed; offered and not yet confirmed
    Column("last_step", Big, nullable=False),  # RFC 6238 time step of the last code that was used
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
)

sessions = Table(
    "sessions",
    metadata,
    _id("id", primary_key=True),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of the token
    Column("replaced", LargeBinary(32), unique=True),  # digest of the token before the last rotation
    Column("replaced_at", Big),
    Column("method", String(32), nullable=False),
    Column("assurance", Integer, nullable=False),
    Column("zone", String(16), nullable=False),
    Column("created_at", Big, nullable=False),
    Column("verified_at", Big, nullable=False),  # last full proof of identity; rotation by step-up moves it
    Column("seen_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id("id", primary_key=True),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256 of the token, which carries 256 random bits
    Column("name", LargeBinary, nullable=False),  # sealed: people write names into labels
    Column("scopes", String(120), nullable=False),  # separated by spaces
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),
    Column("used_at", Big),
)

known_devices = Table(
    "known_devices",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 of the token that a sign-in left with the device
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    Column("expires_at", Big, nullable=False),
)

attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("bucket", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("next_at", Big, nullable=False),
    Column("forget_at", Big, nullable=False, index=True),
)

privacy_settings = Table(
    "privacy_settings",
    metadata,
    _id("owner", primary_key=True),  # a tenant or a user
    Column("name", String(32), primary_key=True),
    Column("value", String(32), nullable=False),
)
