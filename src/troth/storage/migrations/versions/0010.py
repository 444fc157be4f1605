"""Availability: looks at the own door by the hour, outages, and the days whose figures stand in the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Three tables about the service; no row is a tenant's."""
    op.create_table(
        "probe_hour",
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("hour", _BIG, nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("available", sa.Integer(), nullable=False),
        sa.Column("latency", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("target", "hour", name="pk_probe_hour"),
    )
    op.create_table(
        "probe_outage",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("began", _BIG, nullable=False),
        sa.Column("last", _BIG, nullable=False),
        sa.Column("ended", _BIG),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_probe_outage"),
    )
    op.create_index("ix_probe_outage_target", "probe_outage", ["target", "ended"])
    op.create_table(
        "status_day",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_status_day"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("status_day", "probe_outage", "probe_hour"):
        op.drop_table(table)
