"""Provisioning by identity providers: tokens, what providers say of people, groups and their members."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("scim_members", "scim_groups", "scim_people", "scim_tokens")


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=nullable)


def upgrade() -> None:
    """Four tables. All name their tenant, so on PostgreSQL they come under row-level security at once."""
    op.create_table(
        "scim_tokens",
        _id("id"),
        _id("tenant"),
        _id("connection"),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("networks", sa.String(400), nullable=False),
        _id("created_by"),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.Column("used_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_scim_tokens"),
    )
    op.create_table(
        "scim_people",
        _id("user"),
        _id("tenant"),
        _id("connection"),
        sa.Column("external", sa.LargeBinary(32)),
        sa.Column("profile", sa.LargeBinary, nullable=False),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("off_at", _BIG),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("changed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_scim_people"),
        sa.UniqueConstraint("external", name="uq_scim_people_external"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_scim_people_user_users"),
    )
    op.create_table(
        "scim_groups",
        _id("id"),
        _id("tenant"),
        _id("connection"),
        sa.Column("named", sa.LargeBinary(32), nullable=False),
        sa.Column("profile", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("changed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scim_groups"),
    )
    op.create_table(
        "scim_members",
        _id("group"),
        _id("user"),
        _id("tenant"),
        sa.PrimaryKeyConstraint("group", "user", name="pk_scim_members"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_scim_members_user_users"),
    )
    for table, columns in {
        "scim_tokens": ("tenant", "connection"),
        "scim_people": ("tenant",),
        "scim_groups": ("tenant", "connection", "named"),
        "scim_members": ("user",),
    }.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away; accounts and roles stay, and providers begin anew."""
    for table in _TABLES:
        op.drop_table(table)
