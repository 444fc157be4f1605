"""The authorization server: service accounts, codes of devices, refresh tokens, access tokens of services."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id(name: str, **options: bool) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), **options)  # type: ignore[arg-type]


def upgrade() -> None:
    """Five tables; but for the digests they are people's or tenants', so they come under row-level security at once."""
    _services()
    _device_codes()
    _refresh_tokens()
    op.create_table(
        "oauth_seen",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_oauth_seen"),
    )
    op.create_index("ix_oauth_seen_expires_at", "oauth_seen", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away; services and commands sign in otherwise then."""
    tables = "oauth_seen oauth_access_tokens oauth_refresh_tokens oauth_device_codes service_accounts"
    for table in tables.split():
        op.drop_table(table)


def _services() -> None:
    op.create_table(
        "service_accounts",
        _id("id", nullable=False),
        _id("tenant", nullable=False),
        _id("owner"),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("scopes", sa.String(120), nullable=False),
        sa.Column("method", sa.String(32), nullable=False),
        sa.Column("jwk", sa.Text),
        sa.Column("former_jwk", sa.Text),
        sa.Column("former_until", _BIG),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.Column("disabled_at", _BIG),
        sa.Column("used_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_service_accounts"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_service_accounts_tenant_tenants"),
        sa.ForeignKeyConstraint(["owner"], ["users.id"], name="fk_service_accounts_owner_users"),
    )
    op.create_table(
        "oauth_access_tokens",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        _id("id", nullable=False),
        _id("tenant", nullable=False),
        _id("service", nullable=False),
        sa.Column("scopes", sa.String(120), nullable=False),
        sa.Column("bound", sa.String(8), nullable=False),
        _id("thumbprint", nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_oauth_access_tokens"),
        sa.UniqueConstraint("id", name="uq_oauth_access_tokens_id"),
        sa.ForeignKeyConstraint(
            ["service"], ["service_accounts.id"], name="fk_oauth_access_tokens_service_service_accounts"
        ),
    )
    for table, column in (
        ("service_accounts", "tenant"),
        ("service_accounts", "owner"),
        ("oauth_access_tokens", "service"),
        ("oauth_access_tokens", "expires_at"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _device_codes() -> None:
    op.create_table(
        "oauth_device_codes",
        _id("id", nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("user_code", sa.LargeBinary(32)),
        _id("thumbprint", nullable=False),
        sa.Column("zone", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        _id("user"),
        _id("session"),
        sa.Column("assurance", sa.Integer),
        sa.Column("verified_at", _BIG),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("asked_at", _BIG, nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_oauth_device_codes"),
        sa.UniqueConstraint("digest", name="uq_oauth_device_codes_digest"),
        sa.UniqueConstraint("user_code", name="uq_oauth_device_codes_user_code"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_oauth_device_codes_user_users"),
    )
    for column in ("user", "expires_at"):
        op.create_index(f"ix_oauth_device_codes_{column}", "oauth_device_codes", [column])


def _refresh_tokens() -> None:
    op.create_table(
        "oauth_refresh_tokens",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        _id("session", nullable=False),
        _id("user", nullable=False),
        _id("thumbprint", nullable=False),
        sa.Column("used_at", _BIG),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_oauth_refresh_tokens"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_oauth_refresh_tokens_user_users"),
    )
    for column in ("session", "user", "expires_at"):
        op.create_index(f"ix_oauth_refresh_tokens_{column}", "oauth_refresh_tokens", [column])
