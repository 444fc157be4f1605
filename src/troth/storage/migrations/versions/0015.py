"""Single sign-on: connections of tenants to identity providers, and who is known by what name there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("sso_seen", "sso_sessions", "sso_links", "sso_attempts", "sso_domains", "sso_connections")


def upgrade() -> None:
    """Six tables, five of which name their tenant: on PostgreSQL they come under row-level security at once."""
    _connections()
    _people()
    op.create_table(
        "sso_seen",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sso_seen"),
    )
    op.create_index("ix_sso_seen_expires_at", "sso_seen", ["expires_at"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away; accounts stay, and their holders sign in by password again."""
    for table in _TABLES:
        op.drop_table(table)


def _connections() -> None:
    op.create_table(
        "sso_connections",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("issuer", sa.String(512), nullable=False),
        sa.Column("client_id", sa.String(256)),
        sa.Column("secret", sa.LargeBinary),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("just_in_time", sa.Boolean(), nullable=False),
        sa.Column("enforced", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("changed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sso_connections"),
    )
    op.create_index("ix_sso_connections_tenant", "sso_connections", ["tenant"])
    op.create_table(
        "sso_domains",
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("verified", sa.String(253)),
        sa.Column("verified_at", _BIG),
        sa.PrimaryKeyConstraint("connection", "domain", name="pk_sso_domains"),
        sa.UniqueConstraint("verified", name="uq_sso_domains_verified"),
    )
    op.create_index("ix_sso_domains_tenant", "sso_domains", ["tenant"])
    op.create_table(
        "sso_attempts",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("browser", sa.LargeBinary(32), nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sso_attempts"),
    )
    op.create_index("ix_sso_attempts_connection", "sso_attempts", ["connection"])
    op.create_index("ix_sso_attempts_expires_at", "sso_attempts", ["expires_at"])


def _people() -> None:
    op.create_table(
        "sso_links",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("subject", sa.LargeBinary, nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("used_at", _BIG),
        sa.PrimaryKeyConstraint("digest", name="pk_sso_links"),
        sa.UniqueConstraint("id", name="uq_sso_links_id"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_sso_links_user_users"),
    )
    for column in ("tenant", "user", "connection"):
        op.create_index(f"ix_sso_links_{column}", "sso_links", [column])
    op.create_table(
        "sso_sessions",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
        sa.Column("provider_session", sa.LargeBinary(32)),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("session", name="pk_sso_sessions"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_sso_sessions_user_users"),
    )
    for column in ("user", "link", "provider_session", "expires_at"):
        op.create_index(f"ix_sso_sessions_{column}", "sso_sessions", [column])
