"""Where a tenant moves to, pinned by two operators."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table, which names its tenant: on PostgreSQL it comes under row-level security at once."""
    op.create_table(
        "tenant_departure",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("signer", sa.String(128), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("pinned_by", sa.String(64), nullable=False),
        sa.Column("pinned_at", _BIG, nullable=False),
        sa.Column("agreed_by", sa.String(64)),
        sa.Column("agreed_at", _BIG),
        sa.PrimaryKeyConstraint("tenant", name="pk_tenant_departure"),
    )
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take it away; its policies go with it."""
    op.drop_table("tenant_departure")
