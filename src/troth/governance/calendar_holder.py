"""The calendar as a holder of personal data: who has a feed, and which letters wait for whom."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select

from troth.governance.calendar_tables import deliveries, feeds, reminders, webhooks
from troth.kernel.data_class import DataClass
from troth.kernel.personal import Forgotten, Holding
from troth.storage.database import Database


class CalendarHolder:
    """Implements `kernel.personal.Holder` and `TenantHolder`."""

    name = "calendar"

    def __init__(self, database: Database) -> None:
        self._database = database

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """Since when somebody has a feed, and what was written to them."""
        with self._database.read() as connection:
            theirs, letters = _feeds(connection, tenant, subject), _letters(connection, tenant, subject)
        found = [_holding("calendar-feed", row["person"], {"made_at": row["made_at"]}) for row in theirs]
        told = ("kind", "put_at", "done_at", "state")
        return found + [_holding("calendar-letter", row["id"], {name: row[name] for name in told}) for row in letters]

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Drop their feed and every letter to them. Idempotent."""
        with self._database.write() as connection:
            gone = [row["person"] for row in _feeds(connection, tenant, subject)]
            gone += [row["id"] for row in _letters(connection, tenant, subject)]
            connection.execute(delete(feeds).where(feeds.c.tenant == tenant, feeds.c.person == subject))
            connection.execute(delete(deliveries).where(deliveries.c.tenant == tenant, deliveries.c.target == subject))
        return Forgotten(self.name, tuple(gone))

    def people(self, tenant: str) -> list[str]:
        """Everybody who has a feed or was written to."""
        letters = select(deliveries.c.target).where(deliveries.c.tenant == tenant, deliveries.c.channel == "mail")
        with self._database.read() as connection:
            found = set(connection.execute(select(feeds.c.person).where(feeds.c.tenant == tenant)).scalars())
            found |= set(connection.execute(letters.distinct()).scalars())
        return sorted(found)

    def close(self, tenant: str) -> Forgotten:
        """Drop the calendar of the tenant. Idempotent."""
        with self._database.write() as connection:
            gone = connection.execute(select(webhooks.c.id).where(webhooks.c.tenant == tenant)).scalars().all()
            for table in (deliveries, webhooks, reminders, feeds):
                connection.execute(delete(table).where(table.c.tenant == tenant))
        return Forgotten(self.name, tuple(gone))


def _feeds(connection: Connection, tenant: str, subject: str) -> list[dict[str, Any]]:
    mine = select(feeds).where(feeds.c.tenant == tenant, feeds.c.person == subject)
    return [dict(row) for row in connection.execute(mine).mappings()]


def _letters(connection: Connection, tenant: str, subject: str) -> list[dict[str, Any]]:
    mine = select(deliveries).where(deliveries.c.tenant == tenant, deliveries.c.target == subject)
    return [dict(row) for row in connection.execute(mine.order_by(deliveries.c.id)).mappings()]


def _holding(kind: str, identifier: str, content: dict[str, Any]) -> Holding:
    return Holding("calendar", kind, identifier, DataClass.ACCOUNT.value, content)
