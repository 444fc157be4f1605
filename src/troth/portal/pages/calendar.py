"""Calendar: everything that is due, by whom, overdue first, and the weeks to come as a picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from troth.governance import calendar_messages as m
from troth.governance.messages import DueShown
from troth.kernel.caller import Caller
from troth.portal import governance_words as say
from troth.portal.desk import Desk
from troth.portal.navigation import entries
from troth.portal.render import Page, page

_HERE = "/calendar"
_DAYS = 92
_MOST = 200


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What is due in the next three months, and all that is overdue."""
    found: m.CalendarShown = await desk.run("calendar.show", caller, m.CalendarShow(days=_DAYS, limit=_MOST))
    late = [one for one in found.dues if one.state in ("lapsed", "overdue")]
    next_ = [one for one in found.dues if one.state not in ("lapsed", "overdue")]
    offered = {address for address, _ in entries(caller)}
    shown = {"found": found, "groups": (("Overdue", late), ("Next", next_)), "bars": bars(found.weeks)}
    shown |= {"place": lambda one: place(one, offered), "place_of": lambda name: say.ROOMS.get(name, (name, ""))[0]}
    return page("calendar.html", Page("Calendar", _HERE, caller), 200, say=say, **shown)


def bars(weeks: Sequence[m.WeekShown]) -> list[dict[str, Any]]:
    """One bar for each week: `height` of 100; a week with something is seen, however few it has."""
    most = max((one.count for one in weeks), default=0)
    return [
        {"start": one.start, "count": one.count, "height": max(6, one.count * 100 // most) if one.count else 0}
        for one in weeks
    ]


def place(due: DueShown, offered: Collection[str]) -> tuple[str, str]:
    """(title, address) of where something that is due is done; no address where no page of `offered` shows it."""
    if due.form in say.ROOMS:
        title, address = say.ROOMS[due.form]
        return title, address if address in offered else ""
    return due.form.replace("-", " ").capitalize(), f"/registers/{due.form}/{due.record}"
