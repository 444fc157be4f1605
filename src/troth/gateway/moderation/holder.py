"""Moderation as a holder of personal data: a person's cases, and what a tenant set."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, select, update

from troth.gateway.moderation.cases import Cases
from troth.gateway.moderation.tables import cases, policies
from troth.kernel.data_class import DataClass
from troth.kernel.personal import Forgotten, Holding
from troth.storage.database import Database

_GOES = ("subject", "content", "statement", "appeal", "answer")


class ModerationHolder:
    """Implements `kernel.personal.Holder` and `TenantHolder`.

    A forgotten person's cases stay as rows without a person: category, times and outcomes, of which error rates are
    counted. Evidence under a legal hold is not theirs to erase; it lies with `vault` under its own key.
    """

    name = "moderation"

    def __init__(self, database: Database, register: Cases) -> None:
        self._database, self._register = database, register

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """Every case with its words and with what was judged."""
        return [
            Holding("moderation", "moderation-case", row["id"], DataClass.USER_GENERATED.value, _told(row))
            for row in self._register.of_person(tenant, subject, limit=10_000, content=True)
        ]

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Take the person out of their cases; what still waited is closed. Idempotent."""
        mine = (cases.c.tenant == tenant, cases.c.subject == subject)
        with self._database.write() as connection:
            gone = list(connection.execute(select(cases.c.id).where(*mine)).scalars())
            over = {"state": "closed", "due_at": None} | dict.fromkeys(_GOES)
            connection.execute(update(cases).where(*mine).values(over))
        return Forgotten(self.name, tuple(gone))

    def people(self, tenant: str) -> list[str]:
        """Everybody with a case."""
        query = select(cases.c.subject).where(cases.c.tenant == tenant, cases.c.subject.is_not(None)).distinct()
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def close(self, tenant: str) -> Forgotten:
        """Drop the tenant's policies and the cases that are nobody's any more."""
        with self._database.write() as connection:
            gone = list(connection.execute(select(policies.c.id).where(policies.c.tenant == tenant)).scalars())
            for table in (policies, cases):
                connection.execute(delete(table).where(table.c.tenant == tenant))
        return Forgotten(self.name, tuple(gone))


def _told(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: row[name] for name in ("request", "side", "medium", "category", "action", "policy", "state",
                                          "opened_at", "outcome", "reason", "statement", "appeal", "appealed_at",
                                          "answer", "answer_outcome", "answered_at")}  # fmt: skip
    content = json.loads(row["content"]) if row["content"] else None
    return {**shown, "content": content, "score": row["score"] / 1000}
