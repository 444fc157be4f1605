"""Federal holidays of the United States (5 U.S.C. 6103), from their rules."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

_DAY: Final = timedelta(days=1)
_FIXED: Final = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
# month, weekday (Monday 0), which one of the month
_FLOATING: Final = ((1, 0, 3), (2, 0, 3), (9, 0, 1), (10, 0, 2), (11, 3, 4))


@lru_cache(maxsize=64)
def federal_holidays(year: int) -> frozenset[date]:
    """The days off that belong to a year; New Year's Day may be taken on 31 December of the year before.

    One on a Saturday is taken on Friday, one on a Sunday on Monday (E.O. 11582 section 3, 5 U.S.C. 6103(b)).
    """
    days = [_observed(date(year, month, day)) for month, day in _FIXED]
    days += [_nth(year, *one) for one in _FLOATING]
    last_of_may = date(year, 5, 31)
    days.append(last_of_may - last_of_may.weekday() * _DAY)
    return frozenset(days)


def federal_between(first: int, last: int) -> frozenset[date]:
    """All of the years from `first` to `last`."""
    return frozenset().union(*(federal_holidays(year) for year in range(first, last + 2)))


def _observed(day: date) -> date:
    return day + {5: -1, 6: 1}.get(day.weekday(), 0) * _DAY


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + ((weekday - first.weekday()) % 7 + 7 * (number - 1)) * _DAY
