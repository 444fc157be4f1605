"""Moderation: policies of tenants, cases with appeals, hashes that are taken down, and preserved evidence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INDEXES = {
    "moderation_policy": {"tenant": ["tenant", "state"]},
    "moderation_case": {"tenant": ["tenant", "state", "due_at"], "subject": ["tenant", "subject"]},
    "moderation_evidence": {"tenant": ["tenant", "state"]},
}
_TABLES = ("moderation_evidence", "moderation_takedown", "moderation_case", "moderation_policy")


def _text(*names: str, long: int = 64, optional: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(long), nullable=optional) for name in names]


def _times(*names: str, optional: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, _BIG, nullable=optional) for name in names]


def _sealed(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=True) for name in names]


def upgrade() -> None:
    """Four tables. Three name their tenant, so on PostgreSQL they come under row-level security at once."""
    op.create_table(
        "moderation_policy",
        *_text("id", "tenant"),
        sa.Column("text", sa.Text(), nullable=False),
        *_text("digest"),
        *_text("state", long=16),
        *_text("proposed_by"),
        *_times("proposed_at"),
        *_text("approved_by", optional=True),
        *_times("approved_at", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_moderation_policy"),
    )
    op.create_table(
        "moderation_case",
        *_text("id", "tenant"),
        *_text("subject", optional=True),
        *_text("request"),
        *_text("side", "medium", long=16),
        *_text("category"),
        sa.Column("score", sa.Integer(), nullable=False),
        *_text("action", long=16),
        *_text("policy", long=128),
        *_sealed("content"),
        *_text("state", long=16),
        *_times("opened_at"),
        *_times("due_at", optional=True),
        *_text("outcome", long=16, optional=True),
        *_text("reason", optional=True),
        *_sealed("statement"),
        *_text("decided_by", optional=True),
        *_times("decided_at", optional=True),
        *_sealed("appeal"),
        *_times("appealed_at", optional=True),
        *_sealed("answer"),
        *_text("answer_outcome", long=16, optional=True),
        *_text("answered_by", optional=True),
        *_times("answered_at", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_moderation_case"),
    )
    _lists()
    for table, columns in _INDEXES.items():
        for name, named in columns.items():
            op.create_index(f"ix_{table}_{name}", table, named)
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def _lists() -> None:
    """Hashes, and what matched them."""
    op.create_table(
        "moderation_takedown",
        *_text("id", "hash"),
        sa.Column("illegal", sa.Boolean(), nullable=False),
        *_text("source", "reason"),
        *_text("state", long=16),
        *_text("proposed_by"),
        *_times("proposed_at"),
        *_text("approved_by", optional=True),
        *_times("approved_at", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_moderation_takedown"),
        sa.UniqueConstraint("hash", name="uq_moderation_takedown_hash"),
    )
    op.create_table(
        "moderation_evidence",
        *_text("id", "tenant", "case", "object", "hold"),
        *_text("state", long=16),
        *_times("preserved_at", "ends_at"),
        *_text("authority", "reference", optional=True),
        *_times("reported_at", optional=True),
        *_text("reported_by", optional=True),
        *_text("asked_for", long=16, optional=True),
        *_text("asked_by", optional=True),
        *_times("asked_at", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_moderation_evidence"),
    )


def downgrade() -> None:
    """Take them away. Evidence stays in the vault, under its legal hold."""
    for table in _TABLES:
        op.drop_table(table)
