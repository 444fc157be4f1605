"""Who was touched when a vendor had an incident: tenants and requests of a window, from the index of receipts (VEN-08).

Ids only. What was sent stands in each person's sealed receipt, which the person opens, not the operator.
"""

from __future__ import annotations

from itertools import groupby

from troth.gateway.store import ReceiptRow, receipts_of_vendor
from troth.gateway.vendors.registry import Vendors
from troth.gateway.wire.vendors import ExposedRequest, ExposedTenant, Exposure
from troth.kernel.errors import Invalid
from troth.storage.database import Database

MOST = 10_000  # requests of one answer


class Exposures:
    """Reads the index."""

    def __init__(self, database: Database, vendors: Vendors) -> None:
        self._database = database
        self._vendors = vendors

    def of(self, vendor: str, since: int, until: int) -> Exposure:
        """Requests sent from `since` up to but not including `until` (ms). Raises `NotFound`, `Invalid`.

        More than `MOST`: `more_from` is where to go on.
        """
        if since >= until:
            raise Invalid("A window begins before it ends; give since before until.", code="bad-window", field="since")
        self._vendors.get(vendor)
        with self._database.read() as connection:
            rows = receipts_of_vendor(connection, vendor, since, until, MOST + 1)
        more = _cut(rows)
        return Exposure(vendor=vendor, since=since, until=until, requests=len(rows), tenants=_by_tenant(rows),
                        more_from=more)  # fmt: skip


def _cut(rows: list[ReceiptRow]) -> int | None:
    """Take away what is too much, a whole millisecond at a time, so that going on misses nothing."""
    if len(rows) <= MOST:
        return None
    last = rows[-1].sent_at
    if rows[0].sent_at == last:
        raise Invalid("Too many requests in one millisecond to be listed.", code="bad-window", field="since")
    while rows[-1].sent_at == last:
        rows.pop()
    return last


def _by_tenant(rows: list[ReceiptRow]) -> list[ExposedTenant]:
    found = sorted(rows, key=lambda row: (row.tenant, row.sent_at, row.request))
    return [
        ExposedTenant(
            tenant=tenant,
            requests=[
                ExposedRequest(
                    request=row.request, model=row.model, sent_at=row.sent_at, outcome=row.outcome, receipt=row.object
                )
                for row in of_tenant
            ],
        )
        for tenant, of_tenant in groupby(found, key=lambda row: row.tenant)
    ]
