"""Completeness: counters of uses, what was compared, what the scrub found, triggers on privileged tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect
from troth.storage.watching import unwatch, watch

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("use_counter", "reconciled_place", "reconciliation", "scrub_round", "scrub_finding")


def upgrade() -> None:
    """Five tables, of which one names its tenant; the triggers are made on every privileged table that is there."""
    op.create_table(
        "use_counter",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("total", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", "holder", name="pk_use_counter"),
    )
    op.create_table(
        "reconciled_place",
        sa.Column("log", sa.String(64), nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("log", name="pk_reconciled_place"),
    )
    op.create_table(
        "reconciliation",
        sa.Column("at", _BIG, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("counted", _BIG, nullable=False),
        sa.Column("recorded", _BIG, nullable=False),
        sa.Column("difference", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("at", "name", name="pk_reconciliation"),
    )
    _scrub()
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())
    watch(op.get_bind())


def downgrade() -> None:
    """Take them away, triggers first."""
    unwatch(op.get_bind())
    for table in _TABLES:
        op.drop_table(table)


def _scrub() -> None:
    op.create_table(
        "scrub_round",
        sa.Column("name", sa.String(8), nullable=False),
        sa.Column("position", _BIG, nullable=False),
        sa.Column("began_at", _BIG, nullable=False),
        sa.Column("ended_at", _BIG),
        sa.Column("examined", _BIG, nullable=False),
        sa.Column("closed", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_scrub_round"),
    )
    op.create_table(
        "scrub_finding",
        sa.Column("object", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("found_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("object", name="pk_scrub_finding"),
    )
