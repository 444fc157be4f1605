"""Video jobs: opaque ids, states and times; what was asked for lies sealed in the vault."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id(name: str, *, nullable: bool = False, long: int = 64) -> sa.Column[str]:
    return sa.Column(name, sa.String(long), nullable=nullable)


def upgrade() -> None:
    """One table. It names its tenant, so on PostgreSQL it comes under row-level security at once."""
    op.create_table(
        "video_jobs",
        _id("id"),
        _id("tenant"),
        _id("request"),
        _id("object"),
        _id("vendor"),
        _id("model", long=128),
        _id("state", long=16),
        _id("upstream", nullable=True, long=200),
        sa.Column("progress", _BIG, nullable=False),
        sa.Column("tries", _BIG, nullable=False),
        _id("code", nullable=True),
        _id("made", nullable=True),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("ended_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_video_jobs"),
    )
    op.create_index("ix_video_jobs_tenant_state", "video_jobs", ["tenant", "state"])
    op.create_index("ix_video_jobs_object", "video_jobs", ["object"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take it away; videos stay among their people's objects."""
    op.drop_table("video_jobs")
