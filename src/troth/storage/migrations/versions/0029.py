"""Runs of checks in chains: their place, slot and signature, the heads, versions of the schedule, and tallies of days.

Rows of before the chain keep their columns and have no place in it; they count as nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NEW = (
    ("sequence", _BIG),
    ("slot", _BIG),
    ("previous", sa.String(64)),
    ("link", sa.String(64)),
    ("details", sa.Text()),
    ("schedule", sa.Integer()),
    ("system", sa.String(64)),
    ("clock", sa.String(8)),
    ("signer", sa.String(256)),
    ("signature", sa.LargeBinary()),
)
_UNIQUE = (["check_id", "sequence"], ["check_id", "slot"])


def upgrade() -> None:
    """Ten columns and two uniquenesses of runs, and three tables of the service."""
    with op.batch_alter_table("check_run") as batch:
        for name, kind in _NEW:
            batch.add_column(sa.Column(name, kind, nullable=True))
        for columns in _UNIQUE:
            batch.create_unique_constraint(f"uq_check_run_{'_'.join(columns)}", columns)
    op.create_table(
        "check_head",
        sa.Column("check_id", sa.String(64), nullable=False),
        sa.Column("sequence", _BIG, nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
        sa.Column("slot", _BIG),
        sa.Column("at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("check_id", name="pk_check_head"),
    )
    op.create_table(
        "check_schedule",
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("logged_at", _BIG, nullable=False),
        sa.Column("effective_at", _BIG, nullable=False),
        sa.Column("confirmed_by", sa.String(64)),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("signer", sa.String(256), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_check_schedule"),
    )
    op.create_table(
        "check_tally",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_check_tally"),
    )


def downgrade() -> None:
    """Take them away; runs keep what they had before."""
    for table in ("check_tally", "check_schedule", "check_head"):
        op.drop_table(table)
    with op.batch_alter_table("check_run") as batch:
        for columns in _UNIQUE:
            batch.drop_constraint(f"uq_check_run_{'_'.join(columns)}", type_="unique")
        for name, _ in reversed(_NEW):
            batch.drop_column(name)
