"""Two tables: vendors on file, and the index of receipts (one row a request, opaque ids only, no content)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, LargeBinary, String, Table, Text, insert, select, update

from troth.storage.database import Big, metadata

vendors = Table(
    "vendors",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("facts", Text, nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("approved_by", String(64)),
    Column("credential", LargeBinary),
    Column("changed_at", Big, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("request", String(64), primary_key=True),
    Column("object", String(64), nullable=False),
    Column("vendor", String(64), nullable=False),
    Column("model", String(128), nullable=False),
    Column("sent_at", Big, nullable=False),
    Column("answered_at", Big),
    Column("outcome", String(64), nullable=False),
    Column("objects", Text, nullable=False),
    # "Which tenants and requests used this vendor in that window" (promise VEN-08).
    Index("ix_receipts_vendor_sent_at", "vendor", "sent_at"),
)


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """Where the sealed receipt of a request lies, and how the request ended. Times are ms since the epoch."""

    tenant: str
    request: str
    object: str
    vendor: str
    model: str
    sent_at: int
    answered_at: int | None = None
    outcome: str = "sent"
    objects: tuple[str, ...] = ()


def add_receipt(connection: Connection, row: ReceiptRow) -> None:
    """Remember a request that is about to leave. Raises IntegrityError for a request id that the tenant used before."""
    values = {name: getattr(row, name) for name in row.__slots__}
    connection.execute(insert(receipts).values(values | {"objects": json.dumps(row.objects)}))


def end_receipt(connection: Connection, row: ReceiptRow) -> None:
    """Write how it ended."""
    mine = (receipts.c.tenant == row.tenant) & (receipts.c.request == row.request)
    ending = {"answered_at": row.answered_at, "outcome": row.outcome, "objects": json.dumps(row.objects)}
    connection.execute(update(receipts).where(mine).values(ending))


def find_receipt(connection: Connection, tenant: str, request: str) -> ReceiptRow | None:
    """One row of one tenant."""
    mine = (receipts.c.tenant == tenant) & (receipts.c.request == request)
    found = connection.execute(select(receipts).where(mine)).mappings().first()
    return None if found is None else _receipt(dict(found))


def receipts_of_vendor(connection: Connection, vendor: str, start: int, end: int) -> list[ReceiptRow]:
    """Requests that a vendor was sent from `start` up to but not including `end`, oldest first."""
    window = (receipts.c.vendor == vendor) & (receipts.c.sent_at >= start) & (receipts.c.sent_at < end)
    rows = connection.execute(select(receipts).where(window).order_by(receipts.c.sent_at, receipts.c.request))
    return [_receipt(dict(row)) for row in rows.mappings()]


def _receipt(row: dict[str, Any]) -> ReceiptRow:
    return ReceiptRow(**row | {"objects": tuple(json.loads(row["objects"]))})
