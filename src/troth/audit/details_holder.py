"""Details of the log as personal data: exported to the person they are about, dropped with them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from sqlalchemy import delete, func, select

from troth.audit.details import LABEL, SALT_BYTES
from troth.kernel.data_class import DataClass
from troth.kernel.errors import TrothError
from troth.kernel.personal import Forgotten, Holding, PersonalFields
from troth.storage.database import Database
from troth.storage.detail_rows import audit_details

_NEWEST = 10_000  # rows of one person that an export opens; how many there are is said


class DetailsHolder:
    """Implements `kernel.personal.Holder` and `TenantHolder` for what lies beside the log."""

    name = "audit"

    def __init__(self, database: Database, fields: PersonalFields) -> None:
        self._database = database
        self._fields = fields

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """One for each place and program that the person came from, with how often; and the number of all rows."""
        mine = (audit_details.c.tenant == tenant, audit_details.c.subject == subject)
        newest = select(audit_details.c.sealed).where(*mine).order_by(audit_details.c.at.desc()).limit(_NEWEST)
        with self._database.read() as connection:
            total = connection.execute(select(func.count()).select_from(audit_details).where(*mine)).scalar_one()
            rows = [bytes(sealed) for sealed in connection.scalars(newest)]
        counted = Counter(filter(None, (self._told(tenant, subject, sealed) for sealed in rows)))
        return [
            Holding(self.name, "log-detail", f"log-detail-{at}", DataClass.ACCOUNT.value, content)
            for at, content in enumerate(_listed(counted, total), 1)
        ]

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Drop the rows; the log's commitments stay and say nothing. Idempotent."""
        with self._database.write() as connection:
            count = connection.execute(
                delete(audit_details).where(audit_details.c.tenant == tenant, audit_details.c.subject == subject)
            ).rowcount
        return Forgotten(self.name, (f"log-details-{count}",) if count else ())

    def people(self, tenant: str) -> list[str]:
        """Everybody of this tenant of whom something lies beside the log."""
        query = select(audit_details.c.subject).where(audit_details.c.tenant == tenant).distinct()
        with self._database.read() as connection:
            return sorted(connection.scalars(query))

    def close(self, tenant: str) -> Forgotten:
        """Nothing is kept of the tenant itself."""
        del tenant
        return Forgotten(self.name)

    def _told(self, tenant: str, subject: str, sealed: bytes) -> tuple[tuple[str, str], ...]:
        try:
            members = json.loads(self._fields.open(tenant, subject, LABEL, sealed)[SALT_BYTES:])
        except TrothError:
            return ()
        return tuple(sorted((name, value) for name, value in members.items() if name != "session"))


def _listed(counted: Counter[tuple[tuple[str, str], ...]], total: int) -> list[dict[str, Any]]:
    return [{**dict(told), "entries": count, "entries_in_all": total} for told, count in sorted(counted.items())]
