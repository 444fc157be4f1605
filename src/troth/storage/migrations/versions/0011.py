"""Checkpoints of the operator log and the meta log that witnesses cosigned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table; it names logs, so on PostgreSQL it comes under row-level security at once."""
    op.create_table(
        "audit_witnessed",
        sa.Column("log", sa.String(64), nullable=False),
        sa.Column("size", _BIG, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("log", name="pk_audit_witnessed"),
    )
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take it away; witnesses cosign the newest checkpoint again when they are asked."""
    op.drop_table("audit_witnessed")
