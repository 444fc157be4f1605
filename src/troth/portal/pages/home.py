"""The first page of privacy officers and security leads: what is red, what is due next, and where to begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from troth.governance import calendar_messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import Unavailable
from troth.portal import charts
from troth.portal import governance_words as say
from troth.portal.desk import Desk
from troth.portal.navigation import entries
from troth.portal.pages.calendar import place
from troth.portal.render import Page, page
from troth.promises.operations import Nothing
from troth.promises.report import PromiseRow, PromiseTable
from troth.promises.showing import HistoryTable, ShowHistory

HERE = "/home"
_DAYS = 31
_NEXT = 8
_MOST_RED = 20
_LATE = ("lapsed", "overdue")
# Whose promises come first, and where one begins: (address, text).
_FIRST = {
    "privacy-officer": ("RGT", "DEL", "CLS", "TRN", "VEN", "LOC"),
    "security-analyst": ("ACC", "IDN", "CRY", "AUD", "MON", "EDG", "INC", "BCK"),
}
_DOORS = {
    "privacy-officer": (
        ("/desk", "Answer requests"),
        ("/registers/dpia", "Assess a risk to people"),
        ("/registers/activities", "Record of processing"),
        ("/registers/incidents", "Report an incident"),
        ("/requests", "Forget a person"),
        ("/holds", "Legal holds"),
    ),
    "security-analyst": (
        ("/registers/risks", "Risks"),
        ("/registers/incidents", "Report an incident"),
        ("/registers/scans", "Scans"),
        ("/registers/pentests", "Penetration tests"),
        ("/reviews", "Review administrators"),
        ("/log", "Read the log"),
    ),
}


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Red first, due next, buttons."""
    found: m.CalendarShown = await desk.run("calendar.show", caller, m.CalendarShow(days=_DAYS))
    table: PromiseTable = await desk.run("promise.list", caller, Nothing())
    roles = [one for one in _FIRST if one in caller.roles] or list(_FIRST)
    red = sorted((one for one in table.data if one.state == "not kept"), key=lambda one: _rank(one, roles))
    offered = {address for address, _ in entries(caller)}
    late = [one for one in found.dues if one.state in _LATE]
    soon = [one for one in found.dues if one.state not in _LATE]
    months = await _months(desk, caller)
    shown: dict[str, Any] = {
        "counts": table.counts,
        "red": red[:_MOST_RED],
        "more_red": max(0, len(red) - _MOST_RED),
        "late": late,
        "most": _NEXT,
        "soon": soon[:_NEXT],
        "unjudged": found.unjudged,
        "untold": (found.failing, found.dead),
        "doors": list(dict.fromkeys(door for one in roles for door in _DOORS[one])),
        "months": months,
        "chart": charts.trend([(name, kept) for name, kept, _ in months], "Promises that were kept every day"),
        "place": lambda one: place(one, offered),
        "place_of": lambda name: say.ROOMS.get(name, (name, ""))[0],
    }
    return page("home.html", Page("Home", HERE, caller), say=say, **shown)


async def _months(desk: Desk, caller: Caller) -> list[tuple[str, int, int]]:
    """(month, promises that were kept on every day of it, with exceptions too; all), oldest first."""
    try:
        told: HistoryTable = await desk.run("promise.history", caller, ShowHistory())
    except Unavailable:  # the runs of a year are being read
        return []
    kept: Counter[str] = Counter()
    for row in told.data:
        kept.update(one.month for one in row.months if one.state in ("kept", "kept with exception"))
    names = [one.month for one in told.data[0].months] if told.data else []
    return [(name, kept[name], len(told.data)) for name in names]


def _rank(one: PromiseRow, roles: Sequence[str]) -> tuple[bool, str]:
    """Promises of one's own field first."""
    mine = {family for role in roles for family in _FIRST[role]}
    return one.id.partition("-")[0] not in mine, one.id
