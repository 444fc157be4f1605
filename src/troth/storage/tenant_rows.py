"""What a tenant set for itself and what names nobody, as a holder of personal data: it goes with the tenant."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Table, delete

from troth.kernel.personal import Forgotten, Holding
from troth.storage.database import Database


class TenantRows:
    """Implements `kernel.personal.Holder` and `TenantHolder` for one table.

    `kind` is what a row is called in certificates; `dropped` clears what is in the memory of this process.
    """

    def __init__(
        self, name: str, database: Database, table: Table, *, kind: str, dropped: Callable[[], object] = lambda: None
    ) -> None:
        self.name = name
        self._database, self._table, self._kind, self._dropped = database, table, kind, dropped

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """Nothing: it is the tenant's."""
        del tenant, subject
        return []

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Nothing."""
        del tenant, subject
        return Forgotten(self.name)

    def people(self, tenant: str) -> list[str]:
        """Nobody."""
        del tenant
        return []

    def close(self, tenant: str) -> Forgotten:
        """Drop the tenant's rows. Idempotent."""
        with self._database.write() as connection:
            gone = connection.execute(delete(self._table).where(self._table.c.tenant == tenant)).rowcount
        self._dropped()
        return Forgotten(self.name, (self._kind,) * gone)
