"""One promise as strangers may see it: its state, its year, how it is checked, what excuses it, and the last runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from troth.kernel.errors import NotFound
from troth.kernel.operation import Call, Group, Route, operation
from troth.promises.catalogue import catalogue
from troth.promises.check import Check
from troth.promises.history import History
from troth.promises.past import Past
from troth.promises.report import PromiseRow, RunRow, row_of, run_row
from troth.promises.runner import Runner
from troth.promises.standings import Standings
from troth.promises.turns import taken

_RECENT = 12  # runs of each check
_FRESH_SECONDS = 5.0


class ShowHistory(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ShowPromise(BaseModel):
    """One promise by its id, such as `CRY-01`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    promise: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,8}-[0-9]{2,3}$")]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class MonthRow(_Row):
    """A month in UTC (`2026-11`): the worst state of its days, and how many days had which state."""

    month: str
    state: str
    days: dict[str, int]


class HistoryRow(_Row):
    """The bar of a promise: twelve months, oldest first; the last one is the present, as far as it has passed."""

    id: str
    months: tuple[MonthRow, ...]


class HistoryTable(_Row):
    """The bars of all promises, in the order of the catalogue."""

    data: list[HistoryRow]


class CheckRow(_Row):
    """How a promise is checked: every how many seconds, after how many its evidence is stale, and with which code.

    `confirmed`: the schedule in force names this code for it, so that its runs count.
    """

    check: str
    looks_at: str
    scope: str
    population: str
    every: int
    fresh: int
    code: str
    confirmed: bool


class RecentRun(RunRow):
    """A run with what is wrong with its row, if anything is: then it counts as nothing."""

    flaw: str


class PromiseShown(PromiseRow):
    """A promise with its year. `log`: where each run's `record` and `link` stand, for whoever asks for a proof."""

    acceptance: str
    months: tuple[MonthRow, ...]
    checks: list[CheckRow]
    recent: list[RecentRun]
    log: str = "operator"


class PromiseViews:
    """What strangers may ask about single promises and about the last twelve months; at most five seconds old."""

    def __init__(self, runner: Runner, standings: Standings, past: Past, *, fresh: float = _FRESH_SECONDS) -> None:
        self._runner = runner
        self._standings = standings
        self._past = past
        self._fresh = fresh
        self._lock = threading.Lock()
        self._shown: dict[str, tuple[float, PromiseShown]] = {}

    @operation("promise.history", group=Group.PUBLIC, request=ShowHistory,
               route=Route("GET", "/v1/promise-history", body="none"))  # fmt: skip
    def history(self, _call: Call, _request: ShowHistory) -> HistoryTable:
        """The last twelve months of every promise, month by month."""
        bars = self._past.bars()
        return HistoryTable(data=[HistoryRow(id=one, months=_months(bars[one])) for one in catalogue()])

    @operation("promise.show", group=Group.PUBLIC, request=ShowPromise,
               route=Route("GET", "/v1/promises/{promise}", body="none"))  # fmt: skip
    def show(self, _call: Call, request: ShowPromise) -> PromiseShown:
        """One promise: its state and year, how it is checked, what excuses it, and its last runs."""
        return self.shown(request.promise)

    def shown(self, promise: str) -> PromiseShown:
        """The same, for who has no call. Raises `NotFound` (no-such-promise), `Unavailable` (history-busy)."""
        if promise not in catalogue():
            raise NotFound("There is no promise with this id; `troth promises` lists them.", code="no-such-promise")
        known = self._shown.get(promise)
        if known is not None and time.monotonic() - known[0] < self._fresh:
            return known[1]
        with taken(self._lock):  # strangers ask, and a view costs some hundredths of a second
            known = self._shown.get(promise)
            if known is None or time.monotonic() - known[0] >= self._fresh:
                view = self._view(promise)
                self._shown[promise] = known = (time.monotonic(), view)  # from its end: a slow one is made once
            return known[1]

    def _view(self, promise: str) -> PromiseShown:
        told, standing = next(one for one in self._standings.now() if one[0].id == promise)
        checks = [one for one in self._runner.checks if promise in one.promises]
        looks = {one.id: one.looks_at for one in self._runner.checks}
        row = row_of(told, standing, looks).model_dump()
        return PromiseShown(
            **row,
            acceptance=told.acceptance,
            months=_months(self._past.bar(promise)),
            checks=self._checks(checks),
            recent=self._recent([one.id for one in checks], looks),
        )

    def _checks(self, checks: Sequence[Check]) -> list[CheckRow]:
        declared = {one.check: one for one in self._runner.declared()}
        planned = {one.check: one for one in self._runner.evidence.schedules.proposed()}
        return [
            CheckRow(
                check=one.id,
                looks_at=one.looks_at,
                scope=one.scope,
                population=one.population,
                every=planned[one.id].every,
                fresh=planned[one.id].fresh,
                code=one.digest,
                confirmed=one.id in declared and declared[one.id].code == one.digest,
            )
            for one in checks
        ]

    def _recent(self, checks: Sequence[str], looks: dict[str, str]) -> list[RecentRun]:
        found = self._runner.evidence.reading.recent(checks, _RECENT)
        runs = [(one.run, one.flaw) for several in found.values() for one in several]
        runs.sort(key=lambda one: (one[0].at, one[0].check), reverse=True)
        return [RecentRun(**run_row(run, looks).model_dump(), flaw=flaw) for run, flaw in runs]


def _months(bar: History) -> tuple[MonthRow, ...]:
    return tuple(
        MonthRow(month=one.month, state=one.state.value, days={state.value: n for state, n in one.days.items()})
        for one in bar.months
    )
