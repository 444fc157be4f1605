"""Service levels from stored looks; pure. What nobody looked at is "no data", and never counts as available.

Availability is the share of looks that found the service as it should be (Google SRE Workbook, chapter 2); coverage
is the share of looks that were due and were taken; the error budget is what the objective leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from troth.telemetry.samples import DAY_MS, EDGES_MS, HOUR_MS, KEPT_DAYS, Hour

_WHOLE = 90.0  # percent: looks that make a day, or a window, one without gaps; a restart costs some
WINDOWS = (("24 hours", 1), ("30 days", 30), ("90 days", KEPT_DAYS))


@dataclass(frozen=True, slots=True)
class Level:
    """One window of time. `availability`, `coverage` in percent; latency in ms: an upper bound, None beyond 5 s.

    `enough` is False when fewer than nine of ten looks were taken: then `availability` is that of the looks alone, and
    nothing is said of the budget.
    """

    window: str
    looks: int
    available: int
    due: int
    availability: float | None
    coverage: float
    enough: bool
    p50: int | None
    p95: int | None
    p99: int | None
    budget_left: float | None  # percent of the failures that the objective allows; below 0 it is overdrawn


@dataclass(frozen=True, slots=True)
class DayLevel:
    """One day (UTC). `coverage` in percent.

    `state`: available, gaps (available as far as anybody looked), partly, unavailable, or no data.
    """

    day: str
    looks: int
    available: int
    coverage: float
    state: str


def levels(rows: Sequence[Hour], now: int, *, objective: float, due: int) -> list[Level]:
    """The windows that end now. `due`: looks in an hour, all targets together, for hours of which nothing is known."""
    return [_level(rows, window, (now, days), objective=objective, due=due) for window, days in WINDOWS]


def _level(rows: Sequence[Hour], window: str, span: tuple[int, int], *, objective: float, due: int) -> Level:
    now, days = span
    since = now - days * DAY_MS
    inside = [one for one in rows if one.hour > since - HOUR_MS]
    looks, available = sum(one.looks for one in inside), sum(one.available for one in inside)
    expected = _expected(inside, days * 24, due)
    counts = [sum(column) for column in zip(*(one.latency for one in inside), strict=True)]
    failed, allowed = looks - available, looks * (100 - objective) / 100
    coverage = min(100.0, _percent(looks, expected) or 0.0)
    enough = coverage >= _WHOLE
    return Level(
        window=window,
        looks=looks,
        available=available,
        due=expected,
        availability=_percent(available, looks),
        coverage=coverage,
        enough=enough,
        p50=percentile(counts, 50),
        p95=percentile(counts, 95),
        p99=percentile(counts, 99),
        budget_left=None if not enough else round(100 - 100 * failed / allowed, 1),
    )


def _expected(rows: Sequence[Hour], length: int, due: int) -> int:
    """Looks that were due in `length` hours: what each hour says itself, `due` for those that say nothing."""
    known: dict[int, int] = {}
    for one in rows:
        known[one.hour] = known.get(one.hour, 0) + one.due
    return sum(known.values()) + max(0, length - len(known)) * due


def percentile(counts: Sequence[int], percent: int) -> int | None:
    """The upper end of the class in which the percentile lies; None without looks, or beyond the last class."""
    total, seen = sum(counts), 0
    for edge, count in zip(EDGES_MS, counts, strict=False):
        seen += count
        if total and seen * 100 >= percent * total:
            return edge
    return None


def by_day(rows: Sequence[Hour], now: int, *, due: int) -> list[DayLevel]:
    """Every day of the last ninety, oldest first; the present one is measured by its hours so far."""
    return [_day(rows, start, now, due) for start in _starts(now)]


def _starts(now: int) -> Iterator[int]:
    today = now - now % DAY_MS
    yield from range(today - (KEPT_DAYS - 1) * DAY_MS, today + 1, DAY_MS)


def _day(rows: Sequence[Hour], start: int, now: int, due: int) -> DayLevel:
    inside = [one for one in rows if start <= one.hour < start + DAY_MS]
    looks, available = sum(one.looks for one in inside), sum(one.available for one in inside)
    length = min(24, (now - start) // HOUR_MS + 1)
    coverage = min(100.0, _percent(looks, _expected(inside, length, due)) or 0.0)
    return DayLevel(day_of(start), looks, available, coverage, _state(looks, available, coverage))


def _state(looks: int, available: int, coverage: float) -> str:
    if looks == 0:
        return "no data"
    if available == looks:
        return "available" if coverage >= _WHOLE else "gaps"
    return "partly" if available else "unavailable"


def day_of(moment: int) -> str:
    """The day of an epoch time in ms: 2026-11-22."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d")


def _percent(part: int, whole: int) -> float | None:
    """Cut, not rounded: 99.996 % must not read as 100."""
    return None if whole == 0 else int(part * 100_000 / whole) / 1000
