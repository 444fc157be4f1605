"""MON-08: the service is available as often as it says it will be, and what nobody looked at is not counted as up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from troth.kernel.clock import epoch_ms
from troth.promises.check import Check, Facts, counted
from troth.promises.system import System
from troth.telemetry.figures import by_day, levels
from troth.telemetry.samples import DAY_MS, EDGES_MS, HOUR_MS, HOURS, KEPT_DAYS, Hour, recorded

_LOOKS = 60  # of an hour that is made up
_MADE_UP = 10  # days of made-up hours


def _day(start: int, *, looks: int = _LOOKS, available: int | None = None) -> list[Hour]:
    """Made-up hours of one day."""
    latency = tuple([looks] + [0] * len(EDGES_MS))
    several = looks if available is None else available
    return (
        [Hour("made-up", start + n * HOUR_MS, _LOOKS, looks, several, latency) for n in range(HOURS)] if looks else []
    )


def _told_apart(now: int) -> list[bool]:
    """Of days that are made up: one without looks is no data, one with few has gaps, and neither counts as up."""
    midnight = now - now % DAY_MS - _MADE_UP * DAY_MS
    wanted = {"available": {}, "no data": {"looks": 0}, "gaps": {"looks": 20}, "partly": {"available": 30},
              "unavailable": {"available": 0}}  # fmt: skip
    outcomes = []
    for number, (state, members) in enumerate(wanted.items()):
        start = midnight + number * DAY_MS
        rows = _day(start, **members)
        shown = by_day(rows, now, due=_LOOKS)[KEPT_DAYS - 1 - _MADE_UP + number]
        outcomes.append(shown.state == state and (shown.looks > 0) is bool(rows))
        (_, month, _) = levels(rows, now, objective=99.0, due=_LOOKS)
        outcomes.append(month.budget_left is None and not month.enough)  # one day says nothing of thirty
    return outcomes


def _available(system: System, rows: Callable[[int], Sequence[Hour]]) -> Facts:
    """The last day by its looks against the objective; an error when too few were taken to tell."""
    now = epoch_ms(system.base.clock.now())
    found = rows(now)
    due = max((sum(one.due for one in found if one.hour == hour) for hour in {one.hour for one in found}), default=0)
    windows = levels(found, now, objective=system.base.settings.telemetry.objective_percent, due=due)
    day, *others = windows
    if not due or not day.enough:
        return Facts(population=day.due, tested=0, broken=0)
    told = [day, *(one for one in others if one.enough)]
    outcomes = [one.budget_left is not None and one.budget_left >= 0 for one in told] + _told_apart(now)
    return replace(counted(outcomes), details={"looks": day.looks, "due": day.due, "available": day.available})


def _recorded(system: System, now: int) -> list[Hour]:
    with system.base.database.read() as connection:
        return recorded(connection, now - KEPT_DAYS * DAY_MS - HOUR_MS)


def _down_for_hours(now: int) -> list[Hour]:
    """The known-bad day: looked at all the time, and away for half of it."""
    hour = now - now % HOUR_MS
    latency = tuple([_LOOKS] + [0] * len(EDGES_MS))
    return [
        Hour("made-up", hour - n * HOUR_MS, _LOOKS, _LOOKS, _LOOKS if n % 2 else 0, latency) for n in range(HOURS + 1)
    ]


CHECKS = (
    Check(
        "availability",
        ("MON-08",),
        "The looks of the server at its own door: over the last day, and over 30 and 90 days where enough were taken, "
        "the service was available as often as its stated objective asks. Of made-up days, those that nobody looked at "
        "must stand apart. The looks come from the same machine: that strangers reach it, they do not show.",
        lambda system: _available(system, lambda now: _recorded(system, now)),
        lambda system: _available(system, _down_for_hours),
        population="windows of time that were looked at enough, and made-up days",
        scope="looks of this server at its own door, of 90 days",
    ),
)
