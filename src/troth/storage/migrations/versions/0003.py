"""Terms that stay when a request is sorted anew; closing letters to the forgotten; what retention rules ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """One column and two tables; on PostgreSQL the tables come under row-level security at once."""
    op.add_column("vault_request", sa.Column("earlier", sa.String(512)))
    op.create_table(
        "vault_request_closing",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("letter", sa.LargeBinary(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", _BIG, nullable=False),
        sa.Column("ready_at", _BIG),
        sa.Column("done_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_vault_request_closing"),
    )
    op.create_index("ix_vault_request_closing_request", "vault_request_closing", ["tenant", "request"])
    op.create_table(
        "vault_rule_change",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("data_class", sa.String(16), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("days", _BIG, nullable=False),
        sa.Column("people", _BIG, nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vault_rule_change"),
    )
    op.create_index("ix_vault_rule_change_actor", "vault_rule_change", ["tenant", "actor", "at"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away; policies go with their tables."""
    op.drop_table("vault_rule_change")
    op.drop_table("vault_request_closing")
    op.drop_column("vault_request", "earlier")
