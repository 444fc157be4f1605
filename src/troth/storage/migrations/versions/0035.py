"""Since when the house is the house, a naming that waits for a second operator, and the signature of a statement."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIMES = ("house_at", "house_proposed_at")
_IDS = ("house_proposed", "house_proposed_by")


def upgrade() -> None:
    """A house of before is one since now: nothing older excuses. Approvals of before, which nobody signed, are asked
    for again: what they approved stays as a proposal."""
    for name in _TIMES:
        op.add_column("installation", sa.Column(name, _BIG, nullable=True))
    for name in _IDS:
        op.add_column("installation", sa.Column(name, sa.String(64), nullable=True))
    op.add_column("statement_version", sa.Column("signer", sa.String(256), nullable=True))
    op.add_column("statement_version", sa.Column("signature", sa.LargeBinary(), nullable=True))
    rows = sa.table("installation", sa.column("house"), sa.column("house_at"))
    op.execute(sa.update(rows).where(rows.c.house.is_not(None)).values(house_at=time.time_ns() // 1_000_000))
    versions = sa.table("statement_version", sa.column("approved_by"), sa.column("approved_at"))
    op.execute(sa.update(versions).values(approved_by=None, approved_at=None))


def downgrade() -> None:
    """Take them away; the log keeps who was named and what was approved."""
    for name in ("signer", "signature"):
        op.drop_column("statement_version", name)
    for name in (*_TIMES, *_IDS):
        op.drop_column("installation", name)
