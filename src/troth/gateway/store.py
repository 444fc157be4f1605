"""Two tables: vendors on file, and the index of receipts (one row a request, opaque ids only, no content)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, LargeBinary, String, Table, Text, bindparam, select, update

from troth.storage.database import Big, metadata
from troth.storage.prepared import PreparedChange, PreparedInsert, PreparedSelect

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
    Column("marked", Text),  # what was done with the answer, with numbers: restored, moderated, which marks
    # "Which tenants and requests used this vendor in that window" (promise VEN-08).
    Index("ix_receipts_vendor_sent_at", "vendor", "sent_at"),
)


# Statements are built once: building them costs more than running them, and each request runs three.
_OF_REQUEST = (receipts.c.tenant == bindparam("of_tenant")) & (receipts.c.request == bindparam("of_request"))
_ADD = PreparedInsert(receipts, *receipts.columns.keys())
_FIND = select(receipts).where(_OF_REQUEST)
_END = PreparedChange(
    update(receipts)
    .where(_OF_REQUEST)
    .values(
        answered_at=bindparam("ended"), outcome=bindparam("how"), objects=bindparam("made"), marked=bindparam("signs")
    )
)
VENDOR_FACTS = ("id", "state", "facts", "requested_by", "approved_by", "changed_at")
ALL_VENDORS = PreparedSelect(select(*(vendors.c[name] for name in VENDOR_FACTS)).order_by(vendors.c.id))


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
    marked: Mapping[str, int] | None = None


def add_receipt(connection: Connection, row: ReceiptRow) -> None:
    """Remember a request that is about to leave. Raises IntegrityError for a request id that the tenant used before."""
    values = {name: getattr(row, name) for name in row.__slots__}
    _ADD.run(connection, [values | {"objects": json.dumps(row.objects), "marked": _counts(row.marked)}])


def end_receipt(connection: Connection, row: ReceiptRow) -> None:
    """Write how it ended."""
    ending = {"ended": row.answered_at, "how": row.outcome, "made": json.dumps(row.objects)}
    ending |= {"signs": _counts(row.marked)}
    _END.run(connection, [{"of_tenant": row.tenant, "of_request": row.request} | ending])


def find_receipt(connection: Connection, tenant: str, request: str) -> ReceiptRow | None:
    """One row of one tenant."""
    found = connection.execute(_FIND, {"of_tenant": tenant, "of_request": request}).mappings().first()
    return None if found is None else _receipt(dict(found))


def find_attempts(connection: Connection, tenant: str, request: str, step: str) -> list[ReceiptRow]:
    """The row of a request, and those of vendors that stepped in after, in order; empty without the first."""
    found, number = list[ReceiptRow](), 2
    row = find_receipt(connection, tenant, request)
    while row is not None:
        found.append(row)
        row, number = find_receipt(connection, tenant, f"{request}{step}{number}"), number + 1
    return found


def receipts_of_vendor(
    connection: Connection, vendor: str, start: int, end: int, most: int | None = None
) -> list[ReceiptRow]:
    """Requests that a vendor was sent from `start` up to but not including `end`, oldest first, `most` at most."""
    window = (receipts.c.vendor == vendor) & (receipts.c.sent_at >= start) & (receipts.c.sent_at < end)
    found = select(receipts).where(window).order_by(receipts.c.sent_at, receipts.c.request).limit(most)
    rows = connection.execute(found)
    return [_receipt(dict(row)) for row in rows.mappings()]


def _receipt(row: dict[str, Any]) -> ReceiptRow:
    marked = row["marked"] and json.loads(row["marked"])
    return ReceiptRow(**row | {"objects": tuple(json.loads(row["objects"])), "marked": marked})


def _counts(marked: Mapping[str, int] | None) -> str | None:
    return None if marked is None else json.dumps(dict(marked), separators=(",", ":"))
