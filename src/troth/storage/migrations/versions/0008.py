"""Reviews of what administrators did: ranges of the log, the acts drawn from them, and when it was last looked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DRAWN = "admin_review_act"


def upgrade() -> None:
    """Three tables, each of which names its tenant: on PostgreSQL they come under row-level security at once."""
    op.create_table(
        "admin_review",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("first", _BIG, nullable=False),
        sa.Column("last", _BIG, nullable=False),
        sa.Column("size", _BIG, nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("sample", _BIG, nullable=False),
        sa.Column("weights", sa.String(64), nullable=False),
        sa.Column("acts", _BIG, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_by", sa.String(64), nullable=False),
        sa.Column("opened_at", _BIG, nullable=False),
        sa.Column("closed_by", sa.String(64)),
        sa.Column("closed_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_admin_review"),
        sa.UniqueConstraint("tenant", "first", name="uq_admin_review_range"),
    )
    op.create_table(
        _DRAWN,
        sa.Column("review", sa.String(64), nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("weight", _BIG, nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("acted_at", _BIG, nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("reason", sa.String(32)),
        sa.Column("judged_by", sa.String(64)),
        sa.Column("judged_at", _BIG),
        sa.Column("follow_up", sa.String(16)),
        sa.Column("follow_up_reason", sa.String(32)),
        sa.Column("followed_by", sa.String(64)),
        sa.Column("followed_at", _BIG),
        sa.PrimaryKeyConstraint("review", "position", name="pk_admin_review_act"),
    )
    op.create_index("ix_admin_review_act_follow_up", _DRAWN, ["tenant", "follow_up"])
    op.create_table(
        "admin_review_watch",
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("seen", _BIG, nullable=False),
        sa.Column("told_day", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_admin_review_watch"),
    )
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away; their policies go with them."""
    for table in ("admin_review_watch", _DRAWN, "admin_review"):
        op.drop_table(table)
