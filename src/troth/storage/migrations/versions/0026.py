"""Usage: a row for each request that went to a vendor, and sums of days without ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str, long: int = 64) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(long), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _BIG, nullable=False) for name in names]


def upgrade() -> None:
    """Two tables. They name their tenant, so on PostgreSQL they come under row-level security at once."""
    counts = ("tokens_in", "tokens_out", "images", "seconds", "bytes", "cost")
    op.create_table(
        "usage_row",
        *_texts("tenant"),
        *_numbers("at"),
        *_texts("request", "subject", "key", "operation"),
        *_texts("model", long=128),
        *_texts("vendor"),
        *_numbers(*counts),
        *_texts("currency", long=3),
        *_texts("outcome"),
        sa.PrimaryKeyConstraint("tenant", "at", "request", name="pk_usage_row"),
    )
    op.create_table(
        "usage_day",
        *_texts("tenant"),
        *_numbers("day"),
        *_texts("model", long=128),
        *_texts("vendor"),
        *_texts("currency", long=3),
        *_numbers("requests", *counts),
        sa.PrimaryKeyConstraint("tenant", "day", "model", "vendor", "currency", name="pk_usage_day"),
    )
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away; what was used is forgotten."""
    op.drop_table("usage_day")
    op.drop_table("usage_row")
