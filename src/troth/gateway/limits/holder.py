"""Usage as a holder of personal data: what a person's requests used, and the limits and budgets set for them alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, delete, select

from troth.gateway.limits import store
from troth.gateway.limits.store import (
    DAY_MS,
    UsageRow,
    budget_alerts,
    budget_spent,
    budgets,
    own_limits,
    usage_days,
    usage_rows,
)
from troth.gateway.limits.usage import Usage
from troth.kernel.data_class import DataClass
from troth.kernel.personal import Forgotten, Holding
from troth.storage.database import Database
from troth.storage.tenant_rows import forget_names

_MOST = 1_000_000  # rows in one person's copy


class UsageHolder:
    """Implements `kernel.personal.Holder` and `TenantHolder`.

    Rows of a forgotten person go into the sums of their days, which name nobody, no request and no key.
    """

    name = "usage"

    def __init__(self, database: Database, usage: Usage) -> None:
        self._database, self._usage = database, usage

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """One entry a day, with its rows, and one for each limit and budget."""
        with self._database.read() as connection:
            rows = list(store.rows_of(connection, _of(tenant, subject), _MOST))
            return [*_days(rows), *_set_for(connection, tenant, subject)]

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Turn the person's rows into sums, drop what was set for them, and who set what stays. Idempotent."""
        with self._database.write() as connection:
            gone = [one.identifier for one in _set_for(connection, tenant, subject)]
            mine = select(budgets.c.id).where(budgets.c.tenant == tenant, budgets.c.person == subject)
            for table in (budget_spent, budget_alerts):
                connection.execute(delete(table).where(table.c.budget.in_(mine)))
            for own in (budgets, own_limits):
                connection.execute(delete(own).where(own.c.tenant == tenant, own.c.person == subject))
            forget_names(connection, (budgets.c.set_by, own_limits.c.set_by), tenant, subject)
        return Forgotten(self.name, (*gone, *("usage-row",) * self._usage.fold(_of(tenant, subject))))

    def people(self, tenant: str) -> list[str]:
        """Everybody with rows, limits or budgets."""
        with self._database.read() as connection:
            found: set[str] = set()
            for column in (usage_rows.c.subject, budgets.c.person, own_limits.c.person):
                wanted = select(column).where(column.table.c.tenant == tenant).distinct()
                found.update(connection.execute(wanted).scalars())
        return sorted(found - {""})

    def close(self, tenant: str) -> Forgotten:
        """Drop what is left of the tenant: the sums, and what it set."""
        with self._database.write() as connection:
            for table in (usage_rows, usage_days, budget_spent, budget_alerts, budgets, own_limits):
                connection.execute(delete(table).where(table.c.tenant == tenant))
        return Forgotten(self.name)


def _set_for(connection: Connection, tenant: str, subject: str) -> list[Holding]:
    """Limits and budgets of one person and their keys."""
    found = []
    for table, kind, told in ((budgets, "budget", ("scope", "target", "span", "amount", "currency", "stops", "set_at")),
                              (own_limits, "limit", ("scope", "target", "limits", "set_at"))):  # fmt: skip
        mine = select(table).where(table.c.tenant == tenant, table.c.person == subject).order_by(table.c.target)
        for row in connection.execute(mine).mappings():
            content = {name: row[name] for name in told}
            found.append(Holding("usage", kind, row.get("id", row["target"]), DataClass.ACCOUNT.value, content))
    return found


def _of(tenant: str, subject: str) -> ColumnElement[bool]:
    return (usage_rows.c.tenant == tenant) & (usage_rows.c.subject == subject)


def _days(rows: list[UsageRow]) -> Iterator[Holding]:
    for day, found in groupby(rows, key=lambda row: row.at - row.at % DAY_MS):
        told = [{name: value for name, value in asdict(row).items() if name not in ("tenant", "subject")}
                for row in found]  # fmt: skip
        yield Holding("usage", "usage", str(day), DataClass.ACCOUNT.value, {"requests": told})
