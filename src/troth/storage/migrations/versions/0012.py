"""The minimum index of each log: entries below it were pruned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One column; nothing was pruned before there was one. An added column leaves the table's triggers alone."""
    op.add_column("audit_logs", sa.Column("first", _BIG, nullable=False, server_default="0"))


def downgrade() -> None:
    """Take it away; what was pruned stays away."""
    with op.batch_alter_table("audit_logs") as table:
        table.drop_column("first")
