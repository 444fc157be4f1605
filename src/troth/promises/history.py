"""The bar of twelve months: what was said of a promise on each day of a month, and the worst of it. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate

from troth.promises.schedule import ScheduleVersion, spans
from troth.promises.status import SLACK_MS, Declared, Evidence, Period, State, placed, status, worst
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
    """Evidence in which the runs around a moment are found at once, also where clocks went ahead or back."""

    def __init__(self, evidence: Mapping[str, Sequence[Evidence]]) -> None:
        self._evidence = evidence
        self._places = {check: _Places.of(runs) for check, runs in evidence.items() if runs}

    def around(self, check: str, period: Period) -> Sequence[Evidence]:
        """What `status` must see of a period: its runs, the last one before it, and what makes any of them late."""
        if check not in self._places:
            return ()
        runs, known = self._evidence[check], self._places[check]
        first = min(bisect_right(known.reached, period.start), bisect_right(known.later, period.start))
        first = max(0, first - 1)
        last = bisect_right(known.later, period.end) + 1  # one more: it may be of the future
        if known.reached is known.later:
            return runs[first:last]
        besides = {one for one in known.ahead if known.at[one] > period.start}
        besides |= {bisect_left(known.reached, known.reached[first]), known.furthest}
        return [runs[one] for one in sorted(besides | set(range(first, min(last, len(runs)))))]


@dataclass(frozen=True, slots=True)
class _Places:
    """Where `status` puts each run of a chain in time (`at`, epoch ms), and what rises with the sequence: the newest
    time that was `reached` then, and the oldest that is still to come `later`. `ahead`: after them came older ones.
    `furthest`: the one that says the latest time.
    """

    at: Sequence[int]
    reached: Sequence[int]
    later: Sequence[int]
    ahead: frozenset[int] = frozenset()
    furthest: int = 0

    @classmethod
    def of(cls, runs: Sequence[Evidence]) -> _Places:
        at = [one.run.at for one in runs]
        if at == list(accumulate(at, max)) and not any(one.since for one in runs):
            return cls(at, at, at)
        furthest = at.index(max(at))
        at = [one.at for one in placed(runs)]
        reached = (
            one.since - SLACK_MS if one.flaw or one.run.clock else place for one, place in zip(runs, at, strict=True)
        )
        later = list(accumulate(reversed(at), min))[::-1]
        ahead = frozenset(place for place, (own, oldest) in enumerate(zip(at, later, strict=True)) if own > oldest)
        return cls(at, list(accumulate(reached, max)), later, ahead, furthest)


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
