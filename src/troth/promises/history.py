"""The bar of twelve months: what was said of a promise on each day of a month, and the worst of it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate

from troth.promises.schedule import ScheduleVersion, spans
from troth.promises.status import Declared, Evidence, Period, State, status, worst
from troth.promises.waiving import Waiver

MONTHS = 12
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Month:
    """A month in UTC, as `2026-11`: the worst state of its days, and how many days had which state.

    The present day counts as far as it has passed; days that are still to come do not.
    """

    month: str
    state: State
    days: Mapping[State, int]


@dataclass(frozen=True, slots=True)
class History:
    """The months of a promise, oldest first; the last one is the present."""

    promise: str
    months: tuple[Month, ...]


def first_day(now: int, months: int = MONTHS) -> int:
    """The beginning of the first of so many months, the present one the last; epoch ms."""
    present = datetime.fromtimestamp(now / 1000, UTC)
    number = present.year * 12 + present.month - months
    return round(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)


def days(start: int, now: int) -> Iterator[Period]:
    """The days from `start` on, the present one as far as it has passed."""
    for day in range(start, now, DAY_MS):
        yield Period(day, min(day + DAY_MS, now))


def in_months(promise: str, said: Iterable[tuple[Period, State]]) -> History:
    """The states of days, counted by month."""
    counted: dict[str, Counter[State]] = {}
    for day, state in said:
        counted.setdefault(_month(day.start), Counter())[state] += 1
    return History(promise, tuple(Month(name, worst(found), dict(found)) for name, found in counted.items()))


@lru_cache(maxsize=800)
def _month(day: int) -> str:
    return datetime.fromtimestamp(day / 1000, UTC).strftime("%Y-%m")


class Told:
    """Evidence in which the runs around a moment are found at once."""

    def __init__(self, evidence: Mapping[str, Sequence[Evidence]]) -> None:
        self._evidence = evidence
        self._times: dict[str, list[int]] = {}
        for check, runs in evidence.items():
            times = [one.run.at for one in runs]
            if times == list(accumulate(times, max)):  # a clock that went back: then all of them are looked at
                self._times[check] = times

    def around(self, check: str, period: Period) -> Sequence[Evidence]:
        """The runs of a period and the last one before it."""
        runs, times = self._evidence.get(check, ()), self._times.get(check)
        if times is None:
            return runs
        return runs[max(0, bisect_right(times, period.start) - 1) : bisect_right(times, period.end)]


class Plans:
    """Which checks stood for a promise at which time: by each version of the schedule, and by what runs here now.

    `present`: the checks of the schedule in force now with the code that runs here, for a day that is not over.
    """

    def __init__(self, versions: Sequence[ScheduleVersion], present: Sequence[Declared]) -> None:
        self._spans = [one for one in spans(versions) if one[1] < one[2]]
        self._present = present
        self._known: dict[tuple[int, str], list[Declared]] = {}
        self.begins = min((one.starts for one in versions), default=1 << 62)
        """From when on anybody was to look (epoch ms)."""

    def stretches(self, promise: str, day: Period, now: int) -> Iterator[tuple[list[Declared], Period]]:
        """The checks of each stretch of a day; none before there was any schedule."""
        reached = day.start
        for version, start, end in self._spans:
            if start >= day.end or end <= day.start:
                continue
            first, last = max(day.start, start), min(day.end, end)
            if first > reached:
                yield [], Period(reached, first)
            reached = last
            yield self._declared(version, promise, present=last >= now), Period(first, last)
        if reached < day.end:
            yield [], Period(reached, day.end)

    def _declared(self, version: ScheduleVersion, promise: str, *, present: bool) -> list[Declared]:
        if present:
            return [one for one in self._present if promise in one.promises]
        key = version.version, promise
        if key not in self._known:
            self._known[key] = declared_by(version, promise)
        return self._known[key]


def day_state(promise: str, day: Period, plans: Plans, told: Told, *, waivers: Sequence[Waiver], now: int) -> State:
    """The state of a promise over one day: for each stretch of it, by the schedule that was in force then."""
    if day.end <= plans.begins:  # nobody was to look
        return State.UNKNOWN
    found = []
    for declared, span in plans.stretches(promise, day, now):
        evidence = {one.check: told.around(one.check, span) for one in declared}
        found.append(status(promise, declared, evidence, waivers=waivers, period=span, now=now).state)
    return worst(found or [State.UNKNOWN])


def declared_by(version: ScheduleVersion, promise: str) -> list[Declared]:
    """The checks of a promise by a version, as it says of itself."""
    return [
        Declared(one.check, one.promises, one.fresh, one.code, one.code)
        for one in version.checks
        if promise in one.promises
    ]
