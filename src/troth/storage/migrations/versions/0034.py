"""Versions of the statement: what two operators told people, made of the data map."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table of the service. It holds what is public."""
    op.create_table(
        "statement_version",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("map", sa.String(64), nullable=False),
        sa.Column("accepted", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("proposed_at", _BIG, nullable=False),
        sa.Column("approved_by", sa.String(64)),
        sa.Column("approved_at", _BIG),
        sa.PrimaryKeyConstraint("number", name="pk_statement_version"),
    )


def downgrade() -> None:
    """Take it away; the log keeps the digests of what was published."""
    op.drop_table("statement_version")
