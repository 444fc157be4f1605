"""Tells that a budget reached 50, 80 or 100 percent: once in each day or month, in the log, on the page, by mail."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from troth.gateway.limits.store import budget_alerts, budgets
from troth.identity.roles import GIVEN
from troth.identity.store import grants, users
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database
from troth.vault.tables import insert_missing

PERCENTS = (50, 80, 100)
ACTOR = "svc_budgets"
_TRY_MS = 15 * 60_000  # an instance that began to write and died is followed by another after so long
_MANY = 50  # alerts of one round
_TELLS = ("owner", "admin")


Place = tuple[str, int, int]  # budget, when its day or month began (epoch ms), percent


@dataclass(frozen=True, slots=True)
class Letter:
    """One alert to write about, and to whom (ids of people)."""

    tenant: str
    percent: int
    stops: bool
    people: tuple[str, ...]
    place: Place


class Alerts:
    """What was told of budgets."""

    def __init__(self, database: Database, recorder: Recorder, clock: Clock) -> None:
        self._database, self._recorder, self._clock = database, recorder, clock

    def look(
        self, connection: Connection, tenant: str, place: tuple[str, int, int], spent: tuple[int, int], request: str
    ) -> None:
        """Tell what falls due between two sums spent, in the transaction that changed the sum.

        `place`: budget, beginning of its time, amount. Whoever changes a sum holds its row, so no two see one passage.
        """
        (budget, began, amount), (before, after) = place, spent
        for percent in PERCENTS:
            if before * 100 < amount * percent <= after * 100:
                self._tell(connection, tenant, (budget, began, percent), request)

    def letters(self) -> list[Letter]:
        """Alerts that nobody was written to about yet; for some minutes no other instance gets them. For a job."""
        now = epoch_ms(self._clock.now())
        free = or_(budget_alerts.c.tried_at.is_(None), budget_alerts.c.tried_at < now - _TRY_MS)
        waiting = select(budget_alerts, budgets.c.stops, budgets.c.person)
        waiting = waiting.join(budgets, budgets.c.id == budget_alerts.c.budget)
        waiting = waiting.where(budget_alerts.c.told_at.is_(None), free).order_by(budget_alerts.c.at).limit(_MANY)
        found = []
        with self._database.write(SYSTEM) as connection:
            for row in connection.execute(waiting).all():
                place = (row.budget, row.began, row.percent)
                mine = update(budget_alerts).where(*_at(place), free).values(tried_at=now)
                if connection.execute(mine).rowcount:
                    people = self._people(connection, row.tenant, row.person, now)
                    found.append(Letter(row.tenant, row.percent, row.stops, people, place))
        return found

    def told(self, place: Place) -> None:
        """Everybody was written to."""
        with self._database.write(SYSTEM) as connection:
            connection.execute(update(budget_alerts).where(*_at(place)).values(told_at=epoch_ms(self._clock.now())))

    def _tell(self, connection: Connection, tenant: str, place: Place, request: str) -> None:
        budget, began, percent = place
        now = epoch_ms(self._clock.now())
        row = {"budget": budget, "began": began, "percent": percent, "tenant": tenant, "at": now}
        if not insert_missing(connection, budget_alerts, row):
            return  # the amount was raised since, and passed again
        facts: dict[str, Fact] = {"object": budget, "count": percent, "since": began}
        entry = Entry(
            log=tenant, operation="budget.reached", phase="event", outcome=Outcome.DONE, request=request, actor=ACTOR,
            tenant=tenant, time=now, facts=facts,
        )  # fmt: skip
        self._recorder.record_within(connection, entry)

    def _people(self, connection: Connection, tenant: str, person: str, now: int) -> tuple[str, ...]:
        """Who administers the tenant, and whose budget it is."""
        here = users.c.tenant == tenant, users.c.active.is_(True)
        holds = GIVEN, grants.c.role.in_(_TELLS), grants.c.expires_at > now
        named = select(users.c.id).outerjoin(grants, grants.c.user == users.c.id)
        wanted = named.where(*here, or_(users.c.id == person, and_(*holds))).distinct().order_by(users.c.id)
        return tuple(connection.execute(wanted).scalars())


def _at(place: Place) -> list[ColumnElement[bool]]:
    return [budget_alerts.c[name] == value for name, value in zip(("budget", "began", "percent"), place, strict=True)]
