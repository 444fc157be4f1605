"""What each request used, and sums of days without ids; budgets with what was spent and told; limits of tenants.

A row holds ids, numbers and names from the vendors' records; never content, nor a name that a caller made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from troth.storage.database import Big, metadata
from troth.storage.prepared import PreparedInsert

DAY_MS = 86_400_000
_BATCH = 200  # rows that are folded in one transaction; three values of each stand in one statement
_COUNTS = ("tokens_in", "tokens_out", "images", "seconds", "bytes", "cost")


def _counts() -> list[Column[int]]:
    return [Column(name, Big, nullable=False) for name in _COUNTS]


usage_rows = Table(
    "usage_row",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("at", Big, nullable=False),
    Column("request", String(64), nullable=False),  # in no index: it would take a quarter of the room
    Column("subject", String(64), nullable=False),
    Column("key", String(64), nullable=False),  # empty: a person's own session
    Column("operation", String(64), nullable=False),
    Column("model", String(128), nullable=False),
    Column("vendor", String(64), nullable=False),
    *_counts(),
    Column("currency", String(3), nullable=False),  # empty: no price is known
    Column("outcome", String(64), nullable=False),
    Index("ix_usage_row_tenant_at", "tenant", "at"),
)
usage_days = Table(
    "usage_day",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("day", Big, primary_key=True),  # its beginning in UTC, epoch ms
    Column("model", String(128), primary_key=True),
    Column("vendor", String(64), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("requests", Big, nullable=False),
    *_counts(),
)
budgets = Table(
    "budget",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("scope", String(8), nullable=False),  # tenant | user | key
    Column("target", String(64), nullable=False),  # the id of that
    Column("person", String(64), nullable=False),  # whose it is, and with whom it goes; empty for the tenant's
    Column("span", String(8), nullable=False),  # day | month
    Column("amount", Big, nullable=False),  # millionths
    Column("currency", String(3), nullable=False),
    Column("stops", Boolean, nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("set_at", Big, nullable=False),
    UniqueConstraint("tenant", "scope", "target", "span"),
)
budget_spent = Table(
    "budget_spent",
    metadata,
    Column("budget", String(64), primary_key=True),
    Column("began", Big, primary_key=True),  # of the day or month, epoch ms
    Column("tenant", String(64), nullable=False),
    Column("spent", Big, nullable=False),  # millionths
)
budget_alerts = Table(
    "budget_alert",
    metadata,
    Column("budget", String(64), primary_key=True),
    Column("began", Big, primary_key=True),
    Column("percent", Big, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("at", Big, nullable=False),
    Column("tried_at", Big),  # when an instance began to write about it
    Column("told_at", Big),  # when all letters were taken
)
own_limits = Table(
    "own_limit",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("scope", String(8), primary_key=True),  # tenant | user | key
    Column("target", String(64), primary_key=True),  # the id of that; empty: each of them
    Column("person", String(64), nullable=False),  # whose it is, and with whom it goes; empty for those of many
    Column("limits", Text, nullable=False),  # JSON: name of a rule -> how much at most
    Column("set_by", String(64), nullable=False),
    Column("set_at", Big, nullable=False),
)
_ADD = PreparedInsert(usage_rows, *usage_rows.columns.keys())
_PLACE = ("tenant", "day", "model", "vendor", "currency")


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One request. `at` in epoch ms, `seconds` of video, `cost` in millionths of `currency`."""

    tenant: str
    at: int
    request: str
    subject: str
    key: str
    operation: str
    model: str
    vendor: str
    tokens_in: int
    tokens_out: int
    images: int
    seconds: int
    bytes: int
    cost: int
    currency: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over requests. `costs`: millionths by currency."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    images: int = 0
    seconds: int = 0
    bytes: int = 0
    costs: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Totals) -> Totals:
        names = [one for one in self.__slots__ if one != "costs"]
        numbers = {name: getattr(self, name) + getattr(other, name) for name in names}
        known = {**self.costs, **other.costs}
        return Totals(**numbers, costs={one: self.costs.get(one, 0) + other.costs.get(one, 0) for one in known})


def add_row(connection: Connection, row: UsageRow) -> None:
    """Keep one."""
    _ADD.run(connection, [{name: getattr(row, name) for name in row.__slots__}])


def within(tenant: str, start: int, end: int, **same: str) -> ColumnElement[bool]:
    """Rows of a tenant from `start` up to but not including `end`, whose columns have these values."""
    condition = (usage_rows.c.tenant == tenant) & (usage_rows.c.at >= start) & (usage_rows.c.at < end)
    for name, value in same.items():
        condition &= usage_rows.c[name] == value
    return condition


def rows_of(connection: Connection, where: ColumnElement[bool], most: int) -> Iterator[UsageRow]:
    """Rows in the order in which they came, at most so many."""
    order = (usage_rows.c.at, usage_rows.c.request)
    return (UsageRow(*row) for row in connection.execute(select(usage_rows).where(where).order_by(*order).limit(most)))


def totals_by(connection: Connection, column: str, where: ColumnElement[bool]) -> dict[str, Totals]:
    """Sums of rows by one of their columns, or by `day` (its beginning, epoch ms)."""
    by = usage_rows.c.at - usage_rows.c.at % DAY_MS if column == "day" else usage_rows.c[column]
    sums = [func.sum(usage_rows.c[name]) for name in _COUNTS]
    found = connection.execute(
        select(by, usage_rows.c.currency, func.count(), *sums).where(where).group_by(by, usage_rows.c.currency)
    )
    return _added(found)


def day_totals_by(connection: Connection, tenant: str, column: str, start: int, end: int) -> dict[str, Totals]:
    """The same of the sums of days that rows have gone into; `column` is day, model or vendor."""
    by = usage_days.c[column]
    sums = [func.sum(usage_days.c[name]) for name in ("requests", *_COUNTS)]
    where = (usage_days.c.tenant == tenant) & (usage_days.c.day >= start) & (usage_days.c.day < end)
    return _added(
        connection.execute(select(by, usage_days.c.currency, *sums).where(where).group_by(by, usage_days.c.currency))
    )


def spent_within(connection: Connection, place: Mapping[str, str], currency: str, span: tuple[int, int]) -> int:
    """What the rows say was spent from a time up to another, in millionths; `place`: tenant, scope and target."""
    same = {"user": {"subject": place["target"]}, "key": {"key": place["target"]}}.get(place["scope"], {})
    start, end = span
    where = within(place["tenant"], start, end, **same)
    sums = list(totals_by(connection, "tenant", where).values())
    if not same:
        sums += day_totals_by(connection, place["tenant"], "tenant", start, end).values()
    return sum((one.costs.get(currency, 0) for one in sums), 0)


def fold(connection: Connection, where: ColumnElement[bool]) -> int:
    """Turn some rows into sums of their days, without ids; how many. Call it until it says 0.

    Whoever deletes a row adds it, so that two processes never add it twice.
    """
    key = (usage_rows.c.tenant, usage_rows.c.at, usage_rows.c.request)
    chosen = [tuple(row) for row in connection.execute(select(*key).where(where).limit(_BATCH))]
    if not chosen:
        return 0
    gone = connection.execute(delete(usage_rows).where(tuple_(*key).in_(chosen)).returning(usage_rows)).all()
    sums: dict[tuple[str, int, str, str, str], dict[str, int]] = {}
    for row in gone:
        place = (row.tenant, row.at - row.at % DAY_MS, row.model, row.vendor, row.currency)
        day = sums.setdefault(place, dict.fromkeys(("requests", *_COUNTS), 0))
        day["requests"] += 1
        for name in _COUNTS:
            day[name] += getattr(row, name)
    for place in sorted(sums):
        _add_to_day(connection, place, sums[place])
    return len(chosen)


def _add_to_day(connection: Connection, place: tuple[str, int, str, str, str], more: dict[str, int]) -> None:
    at = dict(zip(_PLACE, place, strict=True))
    here = [usage_days.c[name] == value for name, value in at.items()]
    grown = {name: usage_days.c[name] + value for name, value in more.items()}
    if not connection.execute(update(usage_days).where(*here).values(grown)).rowcount:
        connection.execute(insert(usage_days).values(at | more))


def _added(found: object) -> dict[str, Totals]:
    sums: dict[str, Totals] = {}
    for by, currency, *numbers in found:  # type: ignore[attr-defined]
        requests, tokens_in, tokens_out, images, seconds, size, cost = map(int, numbers)
        costs = {currency: cost} if currency else {}
        more = Totals(requests, tokens_in, tokens_out, images, seconds, size, costs)
        sums[str(by)] = sums.get(str(by), Totals()) + more
    return sums
