"""Sealed personal details beside the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One table, which names its tenant: on PostgreSQL it comes under row-level security at once."""
    op.create_table(
        "audit_details",
        sa.Column("log", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("commitment", sa.LargeBinary(32), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("log", "request", "commitment", name="pk_audit_details"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_details_subject", "audit_details", ["tenant", "subject"])
    op.create_index("ix_audit_details_at", "audit_details", ["at"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take it away; its policies go with it. What the commitments in the log stand for is then lost."""
    op.drop_table("audit_details")
