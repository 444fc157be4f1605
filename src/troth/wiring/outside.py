"""What vendors may still hold, for certificates: counted from the index of receipts and the vendors' agreements."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from troth.gateway.store import receipts
from troth.gateway.store import vendors as table
from troth.gateway.vendors.filing import read
from troth.gateway.vendors.record import DueDiligence, Retention, VendorRecord
from troth.kernel.outside import OutsideCopy
from troth.storage.database import Database

_DAY_MS = 86_400_000
_BATCH = 500


class VendorCopies:
    """Implements `kernel.outside.Outside`. `shipped` vendors stand in no table."""

    def __init__(self, database: Database, shipped: Sequence[VendorRecord]) -> None:
        self._database = database
        self._shipped = {record.id: record.facts for record in shipped}

    def copies(self, tenant: str, objects: tuple[str, ...]) -> list[OutsideCopy]:
        """Vendors that keep requests for days, with how many they got and when the last of them must be gone."""
        counts: dict[str, tuple[int, int]] = {}
        for start in range(0, len(objects), _BATCH):
            for vendor, count, latest in self._received(tenant, objects[start : start + _BATCH]):
                before = counts.get(vendor, (0, 0))
                counts[vendor] = before[0] + count, max(before[1], latest)
        agreements = self._agreements()
        found = []
        for vendor, (count, latest) in sorted(counts.items()):
            agreed = agreements.get(vendor)
            if agreed is None:
                found.append(OutsideCopy(vendor, count, None))
            elif agreed.retention is Retention.DAYS:
                found.append(OutsideCopy(vendor, count, latest + agreed.retention_days * _DAY_MS))
        return found

    def _received(self, tenant: str, objects: Sequence[str]) -> list[tuple[str, int, int]]:
        query = select(receipts.c.vendor, func.count(), func.max(receipts.c.sent_at))
        mine = receipts.c.tenant == tenant, receipts.c.object.in_(objects)
        with self._database.read() as connection:
            return [tuple(row) for row in connection.execute(query.where(*mine).group_by(receipts.c.vendor))]

    def _agreements(self) -> dict[str, DueDiligence]:
        with self._database.read() as connection:
            rows = connection.execute(select(table.c.id, table.c.facts)).all()
        return self._shipped | {row.id: read(row.facts)[0] for row in rows}
