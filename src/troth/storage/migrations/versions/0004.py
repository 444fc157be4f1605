"""Replacing exposed keys as a job, with its progress in the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table, which names its tenant: on PostgreSQL it comes under row-level security at once."""
    op.create_table(
        "key_replacement",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("jurisdiction", sa.String(8), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64)),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("approver", sa.String(64)),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("moved", _BIG, nullable=False),
        sa.Column("asked_at", _BIG, nullable=False),
        sa.Column("approved_at", _BIG),
        sa.Column("marked_at", _BIG),
        sa.Column("ended_at", _BIG),
        sa.Column("fault", sa.String(64)),
        sa.Column("fault_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_key_replacement"),
    )
    op.create_index("ix_key_replacement_state", "key_replacement", ["jurisdiction", "state"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take it away; its policies go with it."""
    op.drop_table("key_replacement")
