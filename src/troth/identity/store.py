"""The tables of identity. Names and addresses are sealed or keyed hashes; every secret is a hash or sealed."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, UniqueConstraint

from troth.identity.provisioned import groups as scim_groups
from troth.identity.provisioned import members as scim_members
from troth.identity.provisioned import people as scim_people
from troth.identity.provisioned import tokens as scim_tokens
from troth.storage.database import Big, metadata

__all__ = ("scim_groups", "scim_members", "scim_people", "scim_tokens")  # they stand where people's tables do
LENT = "elv"  # prefix of what an elevation or a use of break-glass is known by: its role is nobody's gift
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
    Column("reason", LargeBinary),  # sealed
)

custom_roles = Table(
    "custom_roles",
    metadata,
    _id("id", primary_key=True),  # stands in `role_grants.role`
    _id("tenant", nullable=False),
    Column("name", String(32), nullable=False),
    Column("groups", String(200), nullable=False),  # of operations, separated by spaces
    _id("changed_by", nullable=False),
    Column("created_at", Big, nullable=False),
    Column("changed_at", Big, nullable=False),
    UniqueConstraint("tenant", "name", name="uq_custom_roles_tenant"),
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

passkeys = Table(
    "passkeys",
    metadata,
    _id("id", primary_key=True),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of the credential's id
    Column("credential", LargeBinary, nullable=False),  # sealed: the id, by which a device knows it
    Column("public_key", LargeBinary, nullable=False),  # sealed: COSE key
    Column("name", LargeBinary, nullable=False),  # sealed: people write names into labels
    Column("sign_count", Big, nullable=False),  # of the device, WebAuthn section 6.1.1; 0 when it does not count
    Column("backed_up", Boolean, nullable=False),
    Column("created_at", Big, nullable=False),
    Column("used_at", Big),
)

passkey_challenges = Table(
    "passkey_challenges",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("expires_at", Big, nullable=False, index=True),
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
    Column("bound", String(16)),  # dpop | webcrypto | dbsc: by what kind of proof its key answers; absent while unbound
    Column("thumbprint", String(64)),  # of that key, RFC 7638
    Column("public_key", String(255)),  # JWK of a browser's key; other proofs carry theirs
    Column("bound_at", Big),
    Column("cookie", LargeBinary(32)),  # SHA-256 of the cookie that only the holder of a browser's key renews
    Column("cookie_until", Big),
    Column("cookie_before", LargeBinary(32)),  # what it replaced: requests of the same moment still carry it
    Column("cookie_before_until", Big),
)

spent_proofs = Table(
    "spent_proofs",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),  # SHA-256 over the key's thumbprint and the proof's id
    Column("expires_at", Big, nullable=False, index=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id("id", primary_key=True),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256 of the token, which carries 256 random bits
    Column("name", LargeBinary, nullable=False),  # sealed: people write names into labels
    Column("scopes", String(120), nullable=False),  # separated by spaces
    Column("networks", LargeBinary),  # sealed: where somebody works; absent: every network
    Column("network_marks", LargeBinary),  # what requests are compared with, see `api_keys.limits`
    Column("models", String(2600)),  # separated by spaces; absent: every model
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),
    Column("used_at", Big),
    Column("replaced_by", String(64)),  # the key that a rotation put in its place
    Column("refused_at", Big),  # when it was last shown from another network
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
