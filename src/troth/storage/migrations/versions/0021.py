"""Certificates of devices and services: who has them, which sessions belong to which device, and who signs them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from troth.storage.isolation import protect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Four tables; three name their tenant, so on PostgreSQL they come under row-level security at once."""
    op.create_table(
        "certified_devices",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("enrolled_at", _BIG, nullable=False),
        sa.Column("renewed_at", _BIG, nullable=False),
        sa.Column("confirmed_at", _BIG),
        sa.Column("revoked_at", _BIG),
        sa.PrimaryKeyConstraint("id", name="pk_certified_devices"),
        sa.UniqueConstraint("key", name="uq_certified_devices_key"),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_certified_devices_user_users"),
    )
    op.create_index("ix_certified_devices_tenant", "certified_devices", ["tenant"])
    op.create_index("ix_certified_devices_user", "certified_devices", ["user"])
    op.create_table(
        "certified_sessions",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("session", name="pk_certified_sessions"),
        sa.ForeignKeyConstraint(
            ["device"], ["certified_devices.id"], name="fk_certified_sessions_device_certified_devices"
        ),
    )
    op.create_index("ix_certified_sessions_device", "certified_sessions", ["device"])
    op.create_table(
        "certified_services",
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("enrolled_at", _BIG, nullable=False),
        sa.Column("renewed_at", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("service", name="pk_certified_services"),
        sa.UniqueConstraint("key", name="uq_certified_services_key"),
    )
    op.create_index("ix_certified_services_tenant", "certified_services", ["tenant"])
    op.create_table(
        "certificate_authorities",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identifier", sa.String(64), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("signs_from", _BIG, nullable=False),
        sa.Column("ends_at", _BIG, nullable=False),
        sa.Column("distrusted_at", _BIG),
        sa.PrimaryKeyConstraint("number", name="pk_certificate_authorities"),
        sa.UniqueConstraint("identifier", name="uq_certificate_authorities_identifier"),
    )
    if op.get_bind().dialect.name == "postgresql":
        protect(op.get_bind())


def downgrade() -> None:
    """Take them away, and with them the sessions that belong to a device: without the table they would need none."""
    op.execute("DELETE FROM sessions WHERE id IN (SELECT session FROM certified_sessions)")
    for table in ("certificate_authorities", "certified_services", "certified_sessions", "certified_devices"):
        op.drop_table(table)
