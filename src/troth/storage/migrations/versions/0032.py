"""Versions of the paper: what two operators published, and from when on it counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table of the service. It holds what is public."""
    op.create_table(
        "paper_version",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("paper", sa.String(40), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("binding", sa.Text(), nullable=False),
        sa.Column("own", sa.Text()),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("proposed_at", _BIG, nullable=False),
        sa.Column("approved_by", sa.String(64)),
        sa.Column("approved_at", _BIG),
        sa.Column("effective_at", _BIG),
        sa.Column("signer", sa.String(256)),
        sa.Column("signature", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("number", name="pk_paper_version"),
    )


def downgrade() -> None:
    """Take it away; the log keeps the digests of what was published."""
    op.drop_table("paper_version")
