"""Rights as a holder of personal data: requests, statements, objections. What it shows it also forgets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from troth.kernel.data_class import DataClass
from troth.kernel.personal import Forgotten, Holding
from troth.vault.objections import objections
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind
from troth.vault.rights.register import Register
from troth.vault.rights.requests import State
from troth.vault.rights.statements import Statements


class RightsHolder:
    """Implements `kernel.personal.Holder` and `TenantHolder`.

    A forgotten person's requests stay as rows without a person: kind, law, times and outcome, which the records of
    11 CCR 7101 and the share of answers in time need. Their texts go with the person's key. Who asked to be forgotten
    is told: the letter was sealed before (`closing`), and may go now.
    """

    name = "rights"

    def __init__(self, register: Register, statements: Statements) -> None:
        self._register = register
        self._statements = statements

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """Every request with its texts, every statement and every objection."""
        with self._register.ground.database.read() as connection:
            rows = store.of_person(connection, tenant, subject)
        found = [_holding("request", row["id"], self._request(row)) for row in rows]
        for said in self._statements.of(tenant, subject):
            content = {"about": said.about, "text": said.text, "created_at": said.created_at}
            found.append(_holding("statement", said.id, content))
        for one in self._register.objections.history(tenant, subject):
            content = {"purpose": one.purpose, "source": one.source, "raised_at": one.raised_at}
            found.append(_holding("objection", one.id, content | {"lifted_at": one.lifted_at}))
        return found

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Take the person out of everything. An open request to be erased is answered with it. Idempotent."""
        requests, statements = store.requests, store.statements
        with self._register.ground.database.write() as connection:
            rows = store.of_person(connection, tenant, subject)
            gone = [row["id"] for row in rows]
            for row in rows:
                self._let_go(connection, row)
            # After the rows are locked: a letter that was being sealed meanwhile is there by now, or is refused.
            self._register.closings.ready(connection, tenant, gone)
            connection.execute(update(requests).where(requests.c.officer == subject).values(officer=None))
            mine = (statements.c.tenant == tenant, statements.c.subject == subject)
            gone += connection.execute(select(statements.c.id).where(*mine)).scalars()
            connection.execute(delete(statements).where(*mine))
            gone += self._register.objections.forget(connection, tenant, subject)
        return Forgotten(self.name, tuple(gone))

    def people(self, tenant: str) -> list[str]:
        """Everybody with a request, a statement or an objection."""
        found: set[str] = set()
        with self._register.ground.database.read() as connection:
            for table in (store.requests, store.statements, objections):
                mine = select(table.c.subject).where(table.c.tenant == tenant, table.c.subject.is_not(None))
                found.update(connection.execute(mine.distinct()).scalars())
        return sorted(found)

    def close(self, tenant: str) -> Forgotten:
        """Let go of what strangers wrote to the tenant; their keys go with those of the tenant."""
        with self._register.ground.database.write() as connection:
            rows = store.of_strangers(connection, tenant)
            for row in rows:
                self._let_go(connection, row)
                store.change(connection, row["id"], own_key=False)
            self._register.closings.close(connection, tenant)
        return Forgotten(self.name, tuple(row["id"] for row in rows))

    def _let_go(self, connection: Any, row: dict[str, Any]) -> None:
        request = store.of_row(row)
        values: dict[str, Any] = dict.fromkeys(("subject", "body", "answer", "mark", "sender", "officer"))
        if request.open:
            answered = request.kind in (Kind.ERASURE, Kind.UNSORTED)
            values["state"] = State.ANSWERED if answered else State.WITHDRAWN
            values["closed_at"] = self._register.ground.now()
        store.change(connection, request.id, **values)
        connection.execute(delete(store.notices).where(store.notices.c.request == request.id))

    def _request(self, row: dict[str, Any]) -> dict[str, Any]:
        texts, request = self._register.texts, store.of_row(row)
        written = texts.written(row)
        return {
            "kind": request.kind.value,
            "purpose": request.purpose,
            "law": request.law.value,
            "channel": request.channel,
            "state": request.state.value,
            "reason": request.reason,
            "received_at": request.received_at,
            "closed_at": request.closed_at,
            "due": request.due(self._register.calendar).isoformat(),
            "title": written.title,
            "text": written.text,
            "address": written.address,
            "answer": texts.answered(row),
        }


def _holding(kind: str, identifier: str, content: dict[str, Any]) -> Holding:
    return Holding("rights", kind, identifier, DataClass.ACCOUNT.value, content)
