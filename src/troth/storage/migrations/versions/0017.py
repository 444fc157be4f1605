"""API keys: networks and models they are limited to, what replaced them, and when one was refused elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Five columns; keys that exist have no such limit, as before."""
    for column in (
        sa.Column("networks", sa.LargeBinary),
        sa.Column("network_marks", sa.LargeBinary),
        sa.Column("models", sa.String(2600)),
        sa.Column("replaced_by", sa.String(64)),
        sa.Column("refused_at", _BIG),
    ):
        op.add_column("api_keys", column)


def downgrade() -> None:
    """Take them away, and with them every key that has a limit: without its column it would be one without."""
    op.execute("DELETE FROM api_keys WHERE networks IS NOT NULL OR models IS NOT NULL")
    for name in ("networks", "network_marks", "models", "replaced_by", "refused_at"):
        op.drop_column("api_keys", name)
