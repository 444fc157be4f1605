"""Marks: which ones a picture got, in its receipt; and prints by which a changed copy of it is known again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column, empty in receipts of before, and a table, which names its tenant and so comes under row-level security.

    Pictures of before have no print: they are known by their watermark alone.
    """
    op.add_column("receipts", sa.Column("marked", sa.Text()))
    op.create_table(
        "vault_print",
        sa.Column("object", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("print", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("object", "number", name="pk_vault_print"),
    )
    op.create_index("ix_vault_print_tenant", "vault_print", ["tenant"])
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take both away; receipts no longer say which marks a picture got."""
    op.drop_index("ix_vault_print_tenant", table_name="vault_print")
    op.drop_table("vault_print")
    op.drop_column("receipts", "marked")
