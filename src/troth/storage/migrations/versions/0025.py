"""Routing: what a tenant wants of the vendors that its requests go to, and a looser wish that waits for approval."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table. It names its tenant, so on PostgreSQL it comes under row-level security at once."""
    op.create_table(
        "routing_policy",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("set_by", sa.String(64), nullable=False),
        sa.Column("set_at", _BIG, nullable=False),
        sa.Column("wished", sa.Text()),
        sa.Column("wished_by", sa.String(64)),
        sa.Column("wished_at", _BIG),
        sa.PrimaryKeyConstraint("tenant", name="pk_routing_policy"),
    )
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take it away: every tenant is routed as the installation says."""
    op.drop_table("routing_policy")
