"""PostgreSQL: a head and its tiles move within bounds, which triggers of the owner hold. SQLite has no roles to hold.

`storage.isolation.settle` makes functions and triggers anew at every start with the owner's URL; this revision sees to
it that such a start comes, and takes away the function that cut a log in another way.
"""

from __future__ import annotations

from alembic import op

from troth.storage.append_only import make_free

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The older cut deleted a tile that was not full, and left it to the application to write again."""
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql("DROP FUNCTION IF EXISTS troth_log_cut(bigint, bigint)")


def downgrade() -> None:
    """An older Troth makes its own functions."""
    if op.get_bind().dialect.name == "postgresql":
        make_free(op.get_bind())
