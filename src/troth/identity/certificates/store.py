"""The tables of device certificates. Issued certificates are not kept: they live an hour, and the log names each."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from troth.storage.database import Big, metadata


def _id(name: str, *extra: object, **options: bool) -> Column[str]:
    return Column(name, String(64), *extra, **options)  # type: ignore[arg-type]


devices = Table(
    "certified_devices",
    metadata,
    _id("id", primary_key=True),
    _id("tenant", nullable=False, index=True),
    _id("user", ForeignKey("users.id"), nullable=False, index=True),
    Column("name", LargeBinary, nullable=False),  # sealed: people write names into labels
    Column("key", LargeBinary(32), nullable=False, unique=True),  # SHA-256 of its SubjectPublicKeyInfo
    Column("enrolled_at", Big, nullable=False),
    Column("renewed_at", Big, nullable=False),  # the last certificate
    Column("confirmed_at", Big),  # by an administrator, whom the log names
    Column("revoked_at", Big),  # a key that was revoked never counts again
)

device_sessions = Table(
    "certified_sessions",
    metadata,
    _id("session", primary_key=True),
    _id("tenant", nullable=False),
    _id("device", ForeignKey("certified_devices.id"), nullable=False, index=True),
)

services = Table(
    "certified_services",
    metadata,
    _id("service", primary_key=True),  # a service account
    _id("tenant", nullable=False, index=True),
    Column("key", LargeBinary(32), nullable=False, unique=True),
    Column("enrolled_at", Big, nullable=False),
    Column("renewed_at", Big, nullable=False),
)

authorities = Table(
    "certificate_authorities",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 …: two processes never make the same
    Column("identifier", String(64), nullable=False, unique=True),  # key identifier, hex
    Column("certificate", Text, nullable=False),  # PEM
    Column("key", LargeBinary, nullable=False),  # sealed: PKCS#8
    Column("signs_from", Big, nullable=False),
    Column("ends_at", Big, nullable=False),
    Column("distrusted_at", Big),
)
