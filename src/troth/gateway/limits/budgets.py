"""Budgets of money for a calendar day or month (UTC), of a tenant, a person or a key.

What a request cost is added in the transaction that keeps its row, and whoever passes 50, 80 or 100 percent leaves the
alert in that transaction too: so an alert is never lost, and its key lets it stand once. Admission reads what was spent
from the same table, whichever instance spent it, and adds what runs at its estimate: in this process, or in all of them
where they share their limits. A budget that stops refuses when that reaches its amount; the request that reached it is
finished. What cannot be read is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, and_, bindparam, case, delete, or_, select, text, update

from troth.gateway.limits.alerts import Alerts
from troth.gateway.limits.rules import Moment, moment
from troth.gateway.limits.running import Promises, Running
from troth.gateway.limits.store import DAY_MS, UsageRow, add_row, budget_alerts, budget_spent, budgets, spent_within
from troth.gateway.limits.targets import owner_of
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound, TooMany, TrothError
from troth.kernel.ids import new_id
from troth.storage.database import Database
from troth.storage.prepared import PreparedSelect
from troth.vault.fences import fence, fence_tenant
from troth.vault.tables import insert_missing

Scope = Literal["tenant", "user", "key"]
Span = Literal["day", "month"]
_TRIES = 3  # of a promise
_WHOSE = {"tenant": "of your organisation", "user": "of yours", "key": "of this API key"}
_NAMED = or_(
    budgets.c.scope == "tenant",
    and_(budgets.c.scope == "user", budgets.c.target == bindparam("user")),
    and_(budgets.c.scope == "key", budgets.c.target == bindparam("key")),
)
_BEGAN = case((budgets.c.span == "day", bindparam("day")), else_=bindparam("month"))
_HOLDING = PreparedSelect(
    select(
        *(budgets.c[name] for name in ("id", "scope", "span", "amount", "currency", "stops")),
        _BEGAN.label("began"), budget_spent.c.spent,
    )
    .outerjoin(budget_spent, and_(budget_spent.c.budget == budgets.c.id, budget_spent.c.began == _BEGAN))
    .where(budgets.c.tenant == bindparam("tenant"), _NAMED)
)  # fmt: skip
# In the order of ids, so that two transactions never wait for each other.
_SPEND = text(
    "INSERT INTO budget_spent (budget, began, tenant, spent)"
    " SELECT id, CASE WHEN span = 'day' THEN CAST(:day AS BIGINT) ELSE CAST(:month AS BIGINT) END, tenant,"
    " CAST(:cost AS BIGINT) FROM budget WHERE tenant = :tenant AND currency = :currency AND (scope = 'tenant'"
    " OR (scope = 'user' AND target = :user) OR (scope = 'key' AND target = :key)) ORDER BY id"
    " ON CONFLICT (budget, began) DO UPDATE SET spent = budget_spent.spent + excluded.spent"
    " RETURNING budget, began, spent"
)


@dataclass(frozen=True, slots=True)
class Wished:
    """A budget as somebody sets it: of whom, for which time, how much (millionths), and whether it stops."""

    scope: Scope
    target: str
    span: Span
    amount: int
    stops: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget, and where it stands in the present day or month. Money in millionths, times in epoch ms.

    `alerts`: when each percentage was told.
    """

    id: str
    scope: str
    target: str
    span: str
    amount: int
    currency: str
    stops: bool
    set_by: str
    set_at: int
    began: int
    ends: int
    spent: int
    alerts: dict[int, int]


@dataclass(frozen=True, slots=True)
class Held:
    """What a request of a person, by a key, counts against."""

    id: str
    scope: str
    span: str
    amount: int
    currency: str
    stops: bool
    began: int
    spent: int


@dataclass(frozen=True, slots=True)
class Standings:
    """What was read for a request of `whose` (tenant, user, key), and what was promised when it was read."""

    whose: tuple[str, str, str]
    held: Sequence[Held] = ()
    mark: int = 0

    @property
    def stopping(self) -> list[Held]:
        """Those that stop."""
        return [one for one in self.held if one.stops]


class Budgets:
    """The budgets of all tenants. `currency`: of those that are set from now on. `running`: what is promised."""

    def __init__(
        self, database: Database, clock: Clock, alerts: Alerts, currency: str, *, running: Promises | None = None
    ) -> None:
        self._database, self._clock = database, clock
        self._alerts, self._currency = alerts, currency
        self.running = running or Running()

    def holding(self, tenant: str, user: str, key: str, now: Moment) -> Standings:
        """What a request counts against. Raises `Unavailable` when that cannot be read: nothing is admitted then."""
        mark = self.running.mark()
        values = {"tenant": tenant, "user": user, "key": key, "month": now.began, "day": _day(now.now)}
        rows = self._database.rows(_HOLDING, values)
        held = [Held(row[0], row[1], row[2], row[3], row[4], bool(row[5]), row[6], row[7] or 0) for row in rows]
        return Standings((tenant, user, key), held, mark)

    def require(self, standings: Standings, now: Moment, told: dict[str, str]) -> None:
        """Raises `TooMany` (budget-spent, budget-promised) for the first budget that stops and has nothing left.

        `told`: headers of the refusal. It spares a request that has no room the rest of the way; `promise` decides.
        """
        for one in standings.stopping:
            if one.spent + self.running.amount(one.id, now.now) >= one.amount:
                raise _refused(one, now, told)

    def promise(
        self, standings: Standings, amount: int, times: tuple[Moment, int], told: dict[str, str]
    ) -> Callable[[], None]:
        """Hold an estimate, until `times[1]` at most, against the budgets that stop; what takes it back.

        Of several requests at the same time that only one has room for, one is admitted: promises are made one after
        the other, and what was spent is read again after ours, unless nothing ended since it was read. Whoever ended
        before ours has its row by then, whoever ends later was counted in it. Who is counted in both, having ended
        between, makes us try again. Raises `TooMany` as `require`, `Unavailable`.
        """
        (now, until), full = times, list[Held]()
        if not standings.stopping:
            return lambda: None
        for _ in range(_TRIES):
            stopping = {one.id: one for one in standings.stopping}
            rooms = {one.id: one.amount - one.spent for one in stopping.values()}
            made = self.running.promise(standings.whose[0], rooms, amount, (now.now, until), standings.mark)
            if made.refused is not None:
                raise _refused(stopping[made.refused], now, told)
            if made.sure:
                return made.take_back
            try:
                standings = self.holding(*standings.whose, now)
            except TrothError:
                made.take_back()
                raise
            full = [one for one in standings.stopping if one.spent + made.others.get(one.id, 0) >= one.amount]
            if not full:
                return made.take_back
            made.take_back()
        raise _refused(full[0], now, told)

    def spend(self, connection: Connection, row: UsageRow) -> None:
        """Keep a request's row, add its cost to what it counts against, and leave the alerts that fall due.

        What was promised for it is taken back once the row stands, not before.
        """
        add_row(connection, row)
        if row.cost > 0:
            self._add(connection, row)

    def set(self, tenant: str, wished: Wished, actor: str, request: str) -> str:
        """Set a budget, or change the one of that target and time; its id.

        What was used of the present day or month counts from its beginning. Raises `NotFound`
        (limit-target-not-found), `Gone`.
        """
        now = moment(epoch_ms(self._clock.now()))
        with self._database.write() as connection:
            _hold_rows(connection)
            fence_tenant(connection, tenant)
            person = owner_of(connection, tenant, wished.scope, wished.target) if wished.scope != "tenant" else ""
            if person:
                fence(connection, tenant, person)
            place = {"tenant": tenant, "scope": wished.scope, "target": wished.target, "span": wished.span}
            budget = self._placed(connection, place | {"person": person}, wished, actor)
            began = _began(wished.span, now)
            spent = self._counted(connection, place, budget, began)
            self._alerts.look(connection, tenant, (budget, began, wished.amount), (-1, spent), request)
        return budget

    def remove(self, tenant: str, budget: str) -> None:
        """Take a budget away, with what was spent of it. Raises `NotFound` (budget-not-found)."""
        mine = budgets.c.tenant == tenant, budgets.c.id == budget
        with self._database.write() as connection:
            if not connection.execute(delete(budgets).where(*mine)).rowcount:
                raise NotFound("There is no such budget; list those of your tenant to see their ids.",
                               code="budget-not-found")  # fmt: skip
            for table in (budget_spent, budget_alerts):
                connection.execute(delete(table).where(table.c.budget == budget))

    def all(self, tenant: str, person: str | None = None) -> list[Budget]:
        """Those of a tenant, or those of one person and their keys, and where they stand."""
        now = moment(epoch_ms(self._clock.now()))
        wanted = select(budgets).where(budgets.c.tenant == tenant)
        if person is not None:
            wanted = wanted.where(or_(budgets.c.person == person, budgets.c.target == person))
        with self._database.read() as connection:
            rows = connection.execute(wanted.order_by(budgets.c.scope.desc(), budgets.c.target, budgets.c.span)).all()
            return [_standing(connection, row, now) for row in rows]

    def age(self, before: int) -> None:
        """Forget what was spent of days and months that began before that (epoch ms)."""
        with self._database.write() as connection:
            for table in (budget_spent, budget_alerts):
                connection.execute(delete(table).where(table.c.began < before))

    def _add(self, connection: Connection, row: UsageRow) -> None:
        at = moment(row.at)
        whose = {"tenant": row.tenant, "user": row.subject, "key": row.key, "currency": row.currency}
        values = whose | {"cost": row.cost, "day": _day(row.at), "month": at.began}
        for budget, began, spent in connection.execute(_SPEND, values).all():
            amount = connection.execute(select(budgets.c.amount).where(budgets.c.id == budget)).scalar()
            if amount is not None:  # somebody took it away meanwhile
                passed = (int(spent) - row.cost, int(spent))
                self._alerts.look(connection, row.tenant, (str(budget), int(began), amount), passed, row.request)

    def _placed(self, connection: Connection, place: dict[str, Any], wished: Wished, actor: str) -> str:
        """The id of the row, made or changed."""
        change = {"amount": wished.amount, "currency": self._currency, "stops": wished.stops, "set_by": actor,
                  "set_at": epoch_ms(self._clock.now())}  # fmt: skip
        here = [budgets.c[name] == place[name] for name in ("tenant", "scope", "target", "span")]
        changed = update(budgets).where(*here).values(change).returning(budgets.c.id)
        if (found := connection.execute(changed).scalar()) is not None:
            return str(found)
        budget = new_id("bud")
        if insert_missing(connection, budgets, {"id": budget, **place, **change}):
            return budget
        return str(connection.execute(changed).scalar_one())  # somebody set the first one at the same time

    def _counted(self, connection: Connection, place: dict[str, str], budget: str, began: int) -> int:
        """What was spent so far, by the rows; kept."""
        spent = spent_within(connection, place, self._currency, (began, _ends(place["span"], began)))
        here = budget_spent.c.budget == budget, budget_spent.c.began == began
        fresh = {"budget": budget, "began": began, "tenant": place["tenant"], "spent": spent}
        if not insert_missing(connection, budget_spent, fresh):
            connection.execute(update(budget_spent).where(*here).values(spent=spent))
        return spent


def _hold_rows(connection: Connection) -> None:
    """No row of a request comes in while a budget is set, and each that came before is seen: it counts once.

    On SQLite, which has one writer, that is so anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE usage_row IN SHARE MODE"))


def _standing(connection: Connection, row: Any, now: Moment) -> Budget:
    began = _began(row.span, now)
    here = budget_spent.c.budget == row.id, budget_spent.c.began == began
    spent = connection.execute(select(budget_spent.c.spent).where(*here)).scalar()
    told = select(budget_alerts.c.percent, budget_alerts.c.at)
    told = told.where(budget_alerts.c.budget == row.id, budget_alerts.c.began == began)
    alerts = {int(percent): int(at) for percent, at in connection.execute(told.order_by(budget_alerts.c.percent))}
    known = (row.id, row.scope, row.target, row.span, row.amount, row.currency, row.stops, row.set_by, row.set_at)
    return Budget(*known, began, _ends(row.span, began), int(spent or 0), alerts)


def _day(at: int) -> int:
    return at - at % DAY_MS


def _began(span: str, now: Moment) -> int:
    return now.began if span == "month" else _day(now.now)


def _ends(span: str, began: int) -> int:
    return moment(began).ends if span == "month" else began + DAY_MS


def _refused(one: Held, now: Moment, told: dict[str, str]) -> TooMany:
    told["x-should-retry"] = "true" if one.spent < one.amount else "false"
    return _refusal(one, now)


def _refusal(one: Held, now: Moment) -> TooMany:
    whose, seconds = _WHOSE[one.scope], max(1, -(-(_ends(one.span, one.began) - now.now) // 1000))
    if one.spent < one.amount:
        advice = f"What is left of the budget {whose} for this {one.span} is promised to requests that still run; ask "
        return TooMany(advice + "again when they are done.", code="budget-promised", seconds=5)
    advice = f"The budget {whose} for this {one.span} is spent; an owner or admin of your organisation can raise it."
    return TooMany(advice, code="budget-spent", seconds=seconds)
