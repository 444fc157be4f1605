"""Registers as a holder of personal data: what entries say about a person, and what the person did for records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select, update

from troth.governance.sealing import SUBJECT, event_of
from troth.governance.tables import events, items, records
from troth.kernel.data_class import DataClass
from troth.kernel.personal import Forgotten, Holding, PersonalFields
from troth.storage.database import Database


class RegistersHolder:
    """Implements `kernel.personal.Holder` and `TenantHolder`.

    Of a forgotten person the texts about them go, with the key that they were sealed under. That there was an entry,
    its time, its move and its digest stay, so the chain of the record holds; so do the opaque ids of who made a move.
    """

    name = "registers"

    def __init__(self, database: Database, fields: PersonalFields) -> None:
        self._database, self._fields = database, fields

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """Every entry that is about the person, the record that stands for them, and what they did."""
        with self._database.read() as connection:
            about = _about(connection, tenant, subject)
            standing_for = _of_account(connection, tenant, subject)
            did = _did(connection, tenant, subject)
        found = []
        for row in about:
            event = event_of(self._fields, row)
            content = {"form": event.form, "move": event.move, "at": event.at, "values": event.values}
            found.append(_holding("register-entry", f"{event.record}.{event.sequence}", content))
        for row in standing_for:
            found.append(_holding("register-record", row["id"], {"form": row["form"], "state": row["state"]}))
        for row in did:
            content = {"population": row["population"], "at": row["at"]}
            found.append(_holding("register-act", f"{row['record']}.{row['at']}", content))
        return found

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Drop the content of entries about the person and what they did; let go of their record. Idempotent."""
        with self._database.write() as connection:
            gone = [f"{row['record']}.{row['sequence']}" for row in _about(connection, tenant, subject)]
            gone += [row["id"] for row in _of_account(connection, tenant, subject)]
            gone += [f"{row['record']}.{row['at']}" for row in _did(connection, tenant, subject)]
            mine = update(events).where(events.c.tenant == tenant, events.c.subject == subject)
            connection.execute(mine.values(content=None, subject=SUBJECT))
            own = update(records).where(records.c.tenant == tenant, records.c.account == subject)
            connection.execute(own.values(account=None))
            connection.execute(delete(items).where(items.c.tenant == tenant, items.c.account == subject))
        return Forgotten(self.name, tuple(gone))

    def people(self, tenant: str) -> list[str]:
        """Everybody whom an entry is about, for whom a record stands, or who did something."""
        found: set[str] = set()
        with self._database.read() as connection:
            for column in (events.c.subject, records.c.account, items.c.account):
                mine = select(column).where(column.table.c.tenant == tenant, column.is_not(None))
                found.update(connection.execute(mine.distinct()).scalars())
        return sorted(found - {SUBJECT})

    def close(self, tenant: str) -> Forgotten:
        """Drop every register of the tenant. Idempotent."""
        with self._database.write() as connection:
            gone = connection.execute(select(records.c.id).where(records.c.tenant == tenant)).scalars().all()
            for table in (items, events, records):
                connection.execute(delete(table).where(table.c.tenant == tenant))
        return Forgotten(self.name, tuple(gone))


def _about(connection: Connection, tenant: str, subject: str) -> list[dict[str, Any]]:
    mine = select(events).where(events.c.tenant == tenant, events.c.subject == subject, events.c.subject != SUBJECT)
    return [dict(row) for row in connection.execute(mine.order_by(events.c.record, events.c.sequence)).mappings()]


def _of_account(connection: Connection, tenant: str, subject: str) -> list[dict[str, Any]]:
    mine = select(records).where(records.c.tenant == tenant, records.c.account == subject).order_by(records.c.id)
    return [dict(row) for row in connection.execute(mine).mappings()]


def _did(connection: Connection, tenant: str, subject: str) -> list[dict[str, Any]]:
    mine = select(items).where(items.c.tenant == tenant, items.c.account == subject)
    return [dict(row) for row in connection.execute(mine.order_by(items.c.record, items.c.at)).mappings()]


def _holding(kind: str, identifier: str, content: dict[str, Any]) -> Holding:
    return Holding("registers", kind, identifier, DataClass.ACCOUNT.value, content)
