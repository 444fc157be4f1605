"""Calendar: feeds, reminders, webhooks, and what is on its way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("calendar_feed", "calendar_reminder", "calendar_webhook", "calendar_delivery")


def _text(name: str, long: int = 64, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(long), nullable=empty)


def _number(name: str, *, empty: bool = False) -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=empty)


def upgrade() -> None:
    """Four tables. They name their tenant: on PostgreSQL they come under row-level security."""
    op.create_table(
        "calendar_feed",
        *(_text("person"), _text("tenant"), _text("digest"), _number("made_at")),
        sa.PrimaryKeyConstraint("person", name="pk_calendar_feed"),
    )
    op.create_table(
        "calendar_reminder",
        *(_text("id"), _text("tenant"), _text("form", 48), _text("record"), _text("name", 48), _text("stage", 16)),
        *(_number("due_at"), _number("put_at")),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_reminder"),
    )
    op.create_table(
        "calendar_webhook",
        *(_text("id"), _text("tenant")),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        *(_number("made_at"), _number("delivered_at", empty=True)),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_webhook"),
    )
    op.create_table(
        "calendar_delivery",
        *(_text("id"), _text("tenant"), _text("channel", 8), _text("target"), _text("kind", 48)),
        sa.Column("body", sa.Text(), nullable=False),
        _text("state", 8),
        sa.Column("tries", sa.Integer(), nullable=False),
        *(_number("put_at"), _number("next_at"), _number("done_at", empty=True)),
        *(_text("trouble", 48, empty=True), _text("instead_of", empty=True)),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_delivery"),
    )
    op.create_index("ix_calendar_feed_digest", "calendar_feed", ["digest"], unique=True)
    op.create_index("ix_calendar_reminder_tenant", "calendar_reminder", ["tenant", "put_at"])
    op.create_index("ix_calendar_webhook_tenant", "calendar_webhook", ["tenant"])
    op.create_index("ix_calendar_delivery_state", "calendar_delivery", ["state", "next_at"])
    op.create_index("ix_calendar_delivery_tenant", "calendar_delivery", ["tenant", "put_at"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away: nobody is reminded, and addresses of feeds open nothing any more."""
    for table in reversed(_TABLES):
        op.drop_table(table)
