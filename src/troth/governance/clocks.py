"""Legal clocks: when a window opens, when it ends, and whether what had to happen in it did. Pure.

Days, months and business days are those of `troth.vault.rights.clocks`. A bound is always taken at its strict side: an
end is reached as early, a lower bound as late as any reading of the law permits. So for a window of business days, days
off count when it opens (17 U.S.C. 512(g)(2)(C): not less than 10) and do not count when it ends (nor more than 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from troth.governance.forms.expressions import holds
from troth.governance.forms.form import ClockRule, Form, Span
from troth.governance.holidays import federal_between
from troth.governance.looking import Look
from troth.governance.naming import names_of
from troth.governance.records import Record
from troth.vault.rights.clocks import Calendar, business_days, calendar_of, eu_term, months_after

# law -> whose days; `plain` is the calendar of the house, without rolling
LAWS: Final[Mapping[str, str]] = {"gdpr": "eu", "ccpa": "us", "dmca": "us", "plain": ""}
_DAY: Final = timedelta(days=1)
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Running:
    """One clock of one record. Times in epoch ms.

    `opens`: before it, what belongs inside may not happen. `stopped`: when it was answered. `late`: not answered in
    time, or answered after it. `early`: done before the window. `excused`: late, with the reason that the law asks for.
    """

    name: str
    started: int
    opens: int | None
    ends: int
    stopped: int | None
    late: bool
    early: bool
    excused: bool


def ms(moment: datetime) -> int:
    """Epoch ms."""
    return round(moment.timestamp() * 1000)


def span_end(start: int, span: Span, calendar: Calendar, *, law: str = "plain") -> int:
    """When a span from `start` (epoch ms) is over, at its strict side, in epoch ms.

    Hours run from the moment; all else from the day, which itself does not count, to the end of the last day. Under
    `gdpr` a month that ends on a day off goes on to the next day worked (Reg. 1182/71 Art. 3(4)).
    """
    if span.unit == "hours":
        return start + span.number * _HOUR_MS
    day = calendar.day(datetime.fromtimestamp(start / 1000, UTC))
    return ms(calendar.end(_last_day(day, span, calendar, law)))


def _last_day(day: date, span: Span, calendar: Calendar, law: str) -> date:
    if span.unit == "business days":
        return business_days(day, span.number, calendar) if span.number else day
    if span.unit == "months":
        return eu_term(day, span.number, calendar) if law == "gdpr" else months_after(day, span.number)
    return day + span.number * _DAY


def _opening(start: int, span: Span, calendar: Calendar) -> int:
    """When a lower bound has certainly passed: from the day in the east to the end of the last day in the west."""
    if span.unit == "hours":
        return start + span.number * _HOUR_MS
    day = (datetime.fromtimestamp(start / 1000, UTC) + calendar.east).date()
    years = federal_between(day.year, day.year + 1)
    last = _last_day(day, span, replace(calendar, holidays=calendar.holidays | years), "plain")
    return ms(datetime.combine(last + _DAY, time(), UTC) - calendar.west)


def calendar_for(law: str, look: Look) -> Calendar:
    """The calendar of a law: the one that the look brings, else the jurisdiction's without days off."""
    place = LAWS[law]
    if not place:
        return look.home
    return look.calendars.get(place) or calendar_of(place)


def running(form: Form, record: Record, look: Look) -> tuple[Running, ...]:
    """The clocks of a record that have started."""
    names = names_of(form, record, look) if form.clocks else {}
    rules = [one for one in form.clocks.values() if one.when is None or holds(one.when, names)]
    found = [(rule, _started(rule, record, look)) for rule in rules]
    return tuple(_run(rule, record, start, look) for rule, start in found if start is not None)


def _started(rule: ClockRule, record: Record, look: Look) -> int | None:
    if rule.starts in record.done:
        return record.done[rule.starts].at
    value = record.values.get(rule.starts)
    if isinstance(value, date):  # the day begins where it begins first
        return ms(datetime.combine(value, time(), UTC) - calendar_for(rule.law, look).west)
    return value if isinstance(value, int) else None


def _run(rule: ClockRule, record: Record, start: int, look: Look) -> Running:
    calendar = calendar_for(rule.law, look)
    # business days off are not waited for; a month that ends on one goes on, which the GDPR's law of terms grants
    until = calendar if rule.law == "gdpr" else replace(calendar, holidays=frozenset())
    ends = span_end(start, rule.within, until, law=rule.law)
    extension = record.done.get(rule.extended_by or "")
    if extension is not None and rule.extend is not None and start <= extension.at < ends:
        longer = Span(rule.within.number + rule.extend.number, rule.within.unit)
        ends = span_end(start, longer, until, law=rule.law)
    opens = None if rule.not_before is None else _opening(start, rule.not_before, calendar)
    ends = ends if opens is None else max(ends, opens + 86_400_000)
    stops = {name: record.done[name].at for name in rule.stops if name in record.done and record.done[name].at >= start}
    stopped = min(stops.values(), default=None)
    late = (look.now if stopped is None else stopped) >= ends
    early = opens is not None and any(name in rule.inside and at < opens for name, at in stops.items())
    excused = late and rule.excuse is not None and record.values.get(rule.excuse) is not None
    return Running(rule.name, start, opens, ends, stopped, late, early, excused)
