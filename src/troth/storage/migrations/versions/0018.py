"""Governed access: custom roles, elevation, break-glass, access reviews, and why a role was given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("access_items", "access_campaigns", "break_glass", "elevations", "custom_roles")


def upgrade() -> None:
    """Five tables that name their tenant: on PostgreSQL they come under row-level security at once."""
    op.add_column("role_grants", sa.Column("reason", sa.LargeBinary))
    _roles()
    _elevations()
    _reviews()
    for table in ("elevations", "break_glass", "access_campaigns", "access_items"):
        op.create_index(f"ix_{table}_tenant", table, ["tenant"])
    op.create_index("ix_elevations_user", "elevations", ["user"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away, with the grants that mean nothing or have nobody to end them then."""
    op.execute("DELETE FROM role_grants WHERE role LIKE 'rol\\_%' ESCAPE '\\' OR granted_by LIKE 'elv\\_%' ESCAPE '\\'")
    for table in _TABLES:
        op.drop_table(table)
    with op.batch_alter_table("role_grants") as batch:
        batch.drop_column("reason")


def _roles() -> None:
    op.create_table(
        "custom_roles",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("groups", sa.String(200), nullable=False),
        sa.Column("changed_by", sa.String(64), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("changed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_custom_roles"),
        sa.UniqueConstraint("tenant", "name", name="uq_custom_roles_tenant"),
    )


def _elevations() -> None:
    op.create_table(
        "elevations",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.LargeBinary, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("asked_at", _BIG, nullable=False),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("granted_at", _BIG),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.Column("ended_by", sa.String(64)),
        sa.Column("ended_at", _BIG),
        sa.Column("told_at", _BIG),
        sa.Column("verdict", sa.String(16)),
        sa.Column("reviewed_by", sa.String(64)),
        sa.Column("reviewed_at", _BIG),
        sa.Column("warned_day", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_elevations"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_elevations_user_users"),
    )
    op.create_table(
        "break_glass",
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("designated_by", sa.String(64), nullable=False),
        sa.Column("designated_at", _BIG, nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_break_glass"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_break_glass_user_users"),
    )


def _reviews() -> None:
    op.create_table(
        "access_campaigns",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("opened_by", sa.String(64), nullable=False),
        sa.Column("opened_at", _BIG, nullable=False),
        sa.Column("due_at", _BIG, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("grants", sa.Integer, nullable=False),
        sa.Column("closed_by", sa.String(64)),
        sa.Column("closed_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_access_campaigns"),
    )
    op.create_table(
        "access_items",
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("granted_by", sa.String(64), nullable=False),
        sa.Column("granted_at", _BIG, nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.Column("used_at", _BIG),
        sa.Column("verdict", sa.String(8)),
        sa.Column("reason", sa.String(24)),
        sa.Column("decided_by", sa.String(64)),
        sa.Column("decided_at", _BIG),
        sa.Column("outcome", sa.String(16)),
        sa.PrimaryKeyConstraint("campaign", "user", "role", name="pk_access_items"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_access_items_user_users"),
    )
