"""The calendar, as doors may ask for it."""

from __future__ import annotations

from dataclasses import dataclass

from troth.governance import calendar_messages as m
from troth.governance import shown
from troth.governance.agenda import Agenda, overdue, weeks
from troth.governance.calendar import Calendar
from troth.governance.looking import DAY_MS
from troth.governance.operations import who
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True)
class CalendarOperations:
    """The calendar of the caller's tenant."""

    calendar: Calendar

    @operation("calendar.show", group=Group.GOVERN, request=m.CalendarShow, command=("calendar", "show"),
               route=Route("GET", "/v1/calendar", body="none"))  # fmt: skip
    def show(self, call: Call, request: m.CalendarShow) -> m.CalendarShown:
        """List everything that is due in your tenant and that you may read, by whom, overdue first."""
        now = self.calendar.now()
        found = self.calendar.dues(who(call), now)
        call.note(count=len(found.dues), withheld=len(found.unjudged))
        return _shown(found, request, now)


def _shown(found: Agenda, request: m.CalendarShow, now: int) -> m.CalendarShown:
    until = now + request.days * DAY_MS
    near = [one for one in found.dues if one.at <= until or one.state in ("overdue", "lapsed")]
    return m.CalendarShown(
        now=now,
        overdue=overdue(found.dues),
        dues=tuple(shown.due(one) for one in near[: request.limit]),
        more=len(near) > request.limit,
        unjudged=found.unjudged,
        weeks=tuple(m.WeekShown(start=one.start, count=one.count) for one in weeks(found.dues, now)),
    )
