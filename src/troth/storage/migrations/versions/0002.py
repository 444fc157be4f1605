"""Row-level security on PostgreSQL. SQLite has one writer and no roles: nothing to do there."""

from __future__ import annotations

from alembic import op

from troth.storage.isolation import protect, unprotect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Protect every table that names a tenant. `isolation.settle` does the same for tables that come later."""
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take the policies away."""
    if op.get_bind().dialect.name == "postgresql":
        unprotect(op.get_bind())
