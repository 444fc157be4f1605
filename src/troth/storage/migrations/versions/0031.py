"""The house: which tenant publishes the paper, in the one row of the installation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column, empty: nobody named a house yet."""
    op.add_column("installation", sa.Column("house", sa.String(64), nullable=True))


def downgrade() -> None:
    """Take it away; the log keeps who was named."""
    op.drop_column("installation", "house")
