"""Registers: records, their events with sealed contents, and what members of a population did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, long: int = 64, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(long), nullable=empty)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _BIG, nullable=False)


def upgrade() -> None:
    """Three tables. They name their tenant: on PostgreSQL they come under row-level security."""
    op.create_table(
        "register_record",
        *(_text("id"), _text("tenant"), _text("form", 48), _text("state", 48), _text("account", empty=True)),
        *(_number("opened_at"), _number("changed_at"), _number("sequence"), _text("head")),
        sa.PrimaryKeyConstraint("id", name="pk_register_record"),
    )
    op.create_table(
        "register_event",
        *(_text("record"), _number("sequence"), _text("tenant"), _text("form", 48)),
        sa.Column("form_version", sa.Integer(), nullable=False),
        *(_number("at"), _text("actor"), _text("move", 48), _text("state", 48), _text("subject")),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        *(_text("digest"), _text("previous"), _text("request")),
        sa.PrimaryKeyConstraint("record", "sequence", name="pk_register_event"),
    )
    op.create_table(
        "register_item",
        *(_text("record"), _text("population", 48), _text("member"), _number("at")),
        *(_text("tenant"), _text("account", empty=True), _text("request")),
        sa.PrimaryKeyConstraint("record", "population", "member", "at", name="pk_register_item"),
    )
    op.create_index("ix_register_record_tenant_form", "register_record", ["tenant", "form", "opened_at"])
    op.create_index("ix_register_event_tenant_form", "register_event", ["tenant", "form"])
    op.create_index("ix_register_event_subject", "register_event", ["subject"])
    for table in ("register_record", "register_item"):
        op.create_index(f"ix_{table}_account", table, ["account"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away: what registers held is forgotten; the log keeps that it was entered."""
    for table in ("register_item", "register_event", "register_record"):
        op.drop_table(table)
