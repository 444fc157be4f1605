"""What the runs of each day come to, kept thin: a cache, which is made again from the runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table of the service, empty at first."""
    op.create_table(
        "check_day",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_check_day"),
    )


def downgrade() -> None:
    """Take it away; nothing is lost."""
    op.drop_table("check_day")
