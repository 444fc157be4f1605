"""By when a request must be confirmed and answered. Pure: moments and calendars in, dates out.

GDPR: Art. 12(3), one month from receipt, two further months with notice inside the first; months are counted as
Regulation (EEC, Euratom) 1182/71 Art. 3 says. CCPA: 11 CCR 7021 (10 business days to confirm; 45 calendar days from
receipt to answer, however long verification takes; 45 more with notice), 7026(f) and 7027(g) (15 business days).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from itertools import count, islice
from typing import Final

_DAY: Final = timedelta(days=1)
_SOON, _SOON_SHORT = 7, 3  # days before the end at which a long or a short clock counts as due soon


class Law(StrEnum):
    """Whose rules a request runs under."""

    GDPR = "gdpr"
    CCPA = "ccpa"


class Kind(StrEnum):
    """What is asked for. `UNSORTED`: a message that nobody has read yet; it runs on the shortest clock."""

    ACCESS = "access"
    PORTABILITY = "portability"
    ERASURE = "erasure"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    OPT_OUT = "opt-out"
    UNSORTED = "unsorted"


class Urgency(StrEnum):
    """How near an end is."""

    NONE = "none"
    ON_TIME = "on-time"
    DUE_SOON = "due-soon"
    OVERDUE = "overdue"


# What acts against a use of data: in California the short clock of 7026(f) and 7027(g), which knows no extension.
STOPS: Final = frozenset({Kind.RESTRICTION, Kind.OBJECTION, Kind.OPT_OUT, Kind.UNSORTED})

# Hours from UTC at the western and the eastern end of each jurisdiction, by winter and summer time.
_ENDS: Final = {"eu": (-1, 3), "us": (-10, -4), "au": (8, 11)}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where days begin and end, and which are not worked on.

    A day is counted for the strictest place of the jurisdiction: receipt falls on the day that it is in the west, and
    a term ends when its last day ends in the east. Saturdays and Sundays are never worked on; `holidays` are further
    days. To leave them out is strict under the CCPA (fewer days are free) and under the GDPR (a term that ends on one
    is not prolonged), so an empty set is safe.
    """

    west: timedelta = timedelta()
    east: timedelta = timedelta()
    holidays: frozenset[date] = field(default_factory=frozenset)

    def day(self, moment: datetime) -> date:
        """The day of a moment, for receipt. `moment` carries its zone."""
        return (moment.astimezone(UTC) + self.west).date()

    def end(self, day: date) -> datetime:
        """The moment at which a day has ended, in UTC."""
        return datetime.combine(day + _DAY, time(), UTC) - self.east

    def worked(self, day: date) -> bool:
        """False on weekends and holidays."""
        return day.weekday() < 5 and day not in self.holidays


@dataclass(frozen=True, slots=True)
class Terms:
    """The ends of one request, each the last day on which it may be done; None: the law sets none."""

    confirm: date | None
    answer: date
    longest: date | None
    """The last day after an extension; None when there can be none."""

    def due(self, *, extended: bool) -> date:
        """The day that counts now."""
        return self.longest if extended and self.longest else self.answer


def calendar_of(jurisdiction: str, holidays: frozenset[date] = frozenset()) -> Calendar:
    """The calendar of `eu`, `us` or `au`. Raises KeyError for any other."""
    west, east = _ENDS[jurisdiction]
    return Calendar(timedelta(hours=west), timedelta(hours=east), holidays)


def law_of(jurisdiction: str) -> Law:
    """The law that a request runs under unless it says otherwise: the CCPA in `us`, the GDPR elsewhere."""
    return Law.CCPA if jurisdiction == "us" else Law.GDPR


def terms(law: Law, kind: Kind, received: date, calendar: Calendar) -> Terms:
    """The ends of a request that was received on that day."""
    if law is Law.GDPR:
        month = partial(eu_term, received, calendar=calendar)
        return Terms(None, month(1), month(3))
    confirm = business_days(received, 10, calendar)
    if kind in STOPS:
        return Terms(confirm, business_days(received, 15, calendar), None)
    return Terms(confirm, received + 45 * _DAY, received + 90 * _DAY)


def strictest(several: Sequence[Terms]) -> Terms:
    """The ends that hold when several terms are in force: the earliest of each, and no extension that one forbids."""
    confirm = min((one.confirm for one in several if one.confirm is not None), default=None)
    longest = [one.longest for one in several if one.longest is not None]
    return Terms(confirm, min(one.answer for one in several), min(longest) if len(longest) == len(several) else None)


def months_after(day: date, months: int) -> date:
    """The same date that many months later, or that month's last day (Reg. 1182/71 Art. 3(2)(c))."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def business_days(day: date, number: int, calendar: Calendar) -> date:
    """The `number`th day after `day` that is worked on; the day itself does not count."""
    following = (day + n * _DAY for n in count(1))
    return next(islice(filter(calendar.worked, following), number - 1, None))


def urgency(now: datetime, last: date | None, calendar: Calendar, *, short: bool = False) -> Urgency:
    """How near the end of `last` is."""
    if last is None:
        return Urgency.NONE
    end = calendar.end(last)
    if now >= end:
        return Urgency.OVERDUE
    return Urgency.DUE_SOON if now >= end - (_SOON_SHORT if short else _SOON) * _DAY else Urgency.ON_TIME


def eu_term(received: date, months: int, calendar: Calendar) -> date:
    """Months from the day of the event; an end on a day that is not worked on moves to the next (Art. 3(4))."""
    worked: Callable[[date], bool] = calendar.worked
    end = months_after(received, months)
    return end if worked(end) else business_days(end, 1, calendar)
