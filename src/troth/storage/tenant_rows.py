"""What a tenant set for itself, as a holder of personal data: it goes with the tenant, and forgets who set it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Column, Connection, Table, delete, update

from troth.kernel.personal import FORGOTTEN, Forgotten, Holding
from troth.storage.database import Database


class TenantRows:
    """Implements `kernel.personal.Holder` and `TenantHolder` for one table.

    `kind` is what a row is called in certificates; `dropped` clears what is in the memory of this process. `named`:
    columns with the id of who set it.
    """

    def __init__(
        self,
        name: str,
        database: Database,
        table: Table,
        *,
        kind: str,
        dropped: Callable[[], object] = lambda: None,
        named: Sequence[str] = (),
    ) -> None:
        self.name, self._named = name, named
        self._database, self._table, self._kind, self._dropped = database, table, kind, dropped

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """Nothing: it is the tenant's."""
        del tenant, subject
        return []

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """What the person set stays, without them. Idempotent."""
        if self._named:
            with self._database.write() as connection:
                forget_names(connection, [self._table.c[name] for name in self._named], tenant, subject)
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


def forget_names(connection: Connection, columns: Sequence[Column[str]], tenant: str, subject: str) -> None:
    """The tenant's rows stay, and no longer say that it was this person: `FORGOTTEN` stands in their place."""
    for column in columns:
        mine = column.table.c.tenant == tenant, column == subject
        connection.execute(update(column.table).where(*mine).values({column.name: FORGOTTEN}))
