"""Sessions that a device's key answers for; and proofs that were shown, each of which counts once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Eight columns, empty for sessions that exist: no key answers for them. One table of digests of two minutes."""
    for column in (
        sa.Column("bound", sa.String(16)),
        sa.Column("thumbprint", sa.String(64)),
        sa.Column("public_key", sa.String(255)),
        sa.Column("bound_at", _BIG),
        sa.Column("cookie", sa.LargeBinary(32)),
        sa.Column("cookie_until", _BIG),
        sa.Column("cookie_before", sa.LargeBinary(32)),
        sa.Column("cookie_before_until", _BIG),
    ):
        op.add_column("sessions", column)
    op.create_table(
        "spent_proofs",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_spent_proofs"),
    )
    op.create_index("ix_spent_proofs_expires_at", "spent_proofs", ["expires_at"])


def downgrade() -> None:
    """Take them away, and with them every bound session: without its columns it would need no key."""
    op.execute("DELETE FROM sessions WHERE bound IS NOT NULL")
    op.drop_table("spent_proofs")
    for name in ("bound", "thumbprint", "public_key", "bound_at", "cookie", "cookie_until"):
        op.drop_column("sessions", name)
    for name in ("cookie_before", "cookie_before_until"):
        op.drop_column("sessions", name)
