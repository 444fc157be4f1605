"""Budgets and limits of one tenant on a database: people, a key, a service account, and requests that cost money."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select

from troth.gateway.limits.alerts import Alerts
from troth.gateway.limits.budgets import Budgets, Wished
from troth.gateway.limits.counting import Came, Estimate
from troth.gateway.limits.holder import UsageHolder
from troth.gateway.limits.limiter import Limiter, Ticket
from troth.gateway.limits.own import OwnLimits
from troth.gateway.limits.rules import amounts
from troth.gateway.limits.running import Promises
from troth.gateway.limits.store import UsageRow
from troth.gateway.limits.usage import Done, Usage
from troth.gateway.vendors.papers import Price
from troth.identity.oauth.store import services
from troth.identity.store import api_keys, tenants, users
from troth.kernel.caller import Caller
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from troth.storage.database import Database
from troth.storage.outbox import Outbox, outbox
from worlds import MovableClock

EURO = 1_000_000
PRICE = Price(currency="EUR", input=EURO * EURO)  # a euro for each token


@dataclass
class BudgetWorld:
    """`ann` owns the key; `service` is a service account."""

    database: Database
    ceilings: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock: MovableClock = field(default_factory=MovableClock)

    def __post_init__(self) -> None:
        self.tenant, self.ann, self.ben = new_id("ten"), new_id("usr"), new_id("usr")
        self.key, self.service = new_id("key"), new_id("svc")
        self.outbox, self._begun = Outbox(self.database), dict[str, list[Ticket]]()
        self.alerts = Alerts(self.database, self.outbox, self.clock)
        limits = {scope: amounts(table) for scope, table in self.ceilings.items()}
        self.own = OwnLimits(self.database, self.clock, limits)
        self.budgets, self.usage, self.limiter = self.instance(limits)
        self.holder = UsageHolder(self.database, self.usage)
        self._people()

    def instance(self, limits: Any = (), running: Promises | None = None) -> tuple[Budgets, Usage, Limiter]:
        """Another process on the same database."""
        budgets = Budgets(self.database, self.clock, self.alerts, "EUR", running=running)
        usage = Usage(self.database, self.clock, keep_days=62, budgets=budgets)
        limiter = Limiter(dict(limits), self.clock, b"s" * 32, currency="EUR", used=usage.used, own=self.own,
                          budgets=budgets)  # fmt: skip
        return budgets, usage, limiter

    def set(
        self, euros: float, *, scope: Any = "tenant", target: str = "", span: Any = "month", stops: bool = True
    ) -> str:
        """A budget; its id."""
        wished = Wished(scope, target or self.tenant, span, round(euros * EURO), stops)
        return self.budgets.set(self.tenant, wished, self.ann, new_id("req"))

    def call(self, person: str = "", key: str = "") -> Call:
        """A call of Ann, or of somebody else, by session or key."""
        who = person or self.ann
        kind = "service" if who == self.service else "api-key" if key else "user"
        return Call(Caller(key or who, kind, self.tenant, who), new_id("req"), self.clock.now())

    def begin(self, call: Call | None = None, tokens: int = 1, limiter: Limiter | None = None) -> Ticket:
        """Ask for a request of so many euros."""
        call = call or self.call()
        ticket = (limiter or self.limiter).begin(call, Estimate(tokens), [PRICE])
        self._begun.setdefault(call.request_id, []).append(ticket)
        return ticket

    def spend(self, euros: float, call: Call | None = None, usage: Usage | None = None) -> None:
        """A request that cost so much, to its closing transaction."""
        call = call or self.call()
        ticket = Ticket((), None, None, "", lambda _ticket: None, Came(Estimate(1)))  # type: ignore[arg-type]
        ticket.money, ticket.currency = round(euros * EURO), "EUR"
        with self.database.write() as connection:
            (usage or self.usage).change(call, ticket, Done("chat.complete", "m", "acme", "answered"))(connection)
        for one in self._begun.pop(call.request_id, []):
            one.promised()

    def spent(self) -> dict[str, float]:
        """Euros by the id of the budget, in its present time."""
        return {one.id: one.spent / EURO for one in self.budgets.all(self.tenant)}

    def told(self) -> list[tuple[str, int]]:
        """(budget, percent) of the alerts in the log, in their order."""
        with self.database.read() as connection:
            leaves = [
                json.loads(leaf) for leaf in connection.execute(select(outbox.c.leaf).order_by(outbox.c.seq)).scalars()
            ]
        return [(one["facts"]["object"], one["facts"]["count"]) for one in leaves if one["op"] == "budget.reached"]

    def row(self) -> UsageRow:
        """The newest row of the tenant."""
        return self.usage.rows(self.tenant, self.usage.now(), None, 1000)[-1]

    def close(self) -> None:
        self.outbox.close()

    def _people(self) -> None:
        person = {"tenant": self.tenant, "email": b"e", "display_name": b"n", "password": b"p", "password_at": 0,
                  "password_issued": False, "active": True, "created_at": 0}  # fmt: skip
        key = {"id": self.key, "user": self.ann, "digest": b"d", "name": b"n", "scopes": "generate", "created_at": 0,
               "expires_at": 1}  # fmt: skip
        service = {"id": self.service, "tenant": self.tenant, "owner": self.ann, "name": "n", "scopes": "generate",
                   "method": "private_key_jwt", "created_at": 0, "expires_at": 1}  # fmt: skip
        with self.database.write() as connection:
            connection.execute(insert(tenants), {"id": self.tenant, "name": "A", "jurisdiction": "eu", "created_at": 0})
            for number, who in enumerate((self.ann, self.ben)):
                connection.execute(insert(users), person | {"id": who, "email_index": bytes([number]) * 32})
            connection.execute(insert(api_keys), key)
            connection.execute(insert(services), service)
