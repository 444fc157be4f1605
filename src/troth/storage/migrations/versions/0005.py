"""What each tenant keeps from vendors: its redaction policy, sealed under its own key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table, which names its tenant: on PostgreSQL it comes under row-level security at once."""
    op.create_table(
        "redaction_policy",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("set_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_redaction_policy"),
    )
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take it away; its policies go with it."""
    op.drop_table("redaction_policy")
