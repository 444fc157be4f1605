"""Calendar: everything that is due, by whom, overdue first, and the weeks to come as a picture."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from troth.governance import calendar_messages as m
from troth.governance.messages import DueShown
from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound, TrothError
from troth.portal import governance_words as say
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.navigation import entries, may_administer
from troth.portal.render import Page, page

_HERE = "/calendar"
_DAYS = 92
_MOST = 200
_MOVES = frozenset({"test", "rotate", "remove"})
_BAD = "Give the https address of your server."


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What is due in the next three months, and all that is overdue."""
    return await _shown(desk, caller)


async def subscribe(desk: Desk, request: Request, caller: Caller) -> Response:
    """Make a feed, and show its address this once."""
    await form_of(request)
    return await _made(desk, caller, "calendar.subscribe", m.Nothing)


async def unsubscribe(desk: Desk, request: Request, caller: Caller) -> Response:
    """End the feed."""
    await form_of(request)
    return await _made(desk, caller, "calendar.unsubscribe", m.Nothing)


async def add_webhook(desk: Desk, request: Request, caller: Caller) -> Response:
    """Add a webhook, and show its secret this once."""
    form = await form_of(request)
    chosen = {"events": form.getlist("events")} if "events" in form else {}
    return await _made(desk, caller, "webhook.add", lambda: filled(m.WebhookAdd, _BAD, url=text(form, "url"), **chosen))


async def change_webhook(desk: Desk, request: Request, caller: Caller) -> Response:
    """Try a webhook, give it a fresh secret, or take it away."""
    await form_of(request)
    name, move = request.path_params["webhook_id"], request.path_params["move"]
    if move not in _MOVES:
        raise NotFound("There is no such button on this page.", code="no-such-move")
    return await _made(desk, caller, f"webhook.{move}", lambda: filled(m.WebhookNamed, _BAD, webhook_id=name))


async def _made(desk: Desk, caller: Caller, operation: str, wish: Callable[[], Any]) -> Response:
    try:
        return await _shown(desk, caller, made=await desk.run(operation, caller, wish()))
    except TrothError as error:
        return await _shown(desk, caller, error=error)


async def _shown(desk: Desk, caller: Caller, *, made: Any = None, error: TrothError | None = None) -> Response:
    found: m.CalendarShown = await desk.run("calendar.show", caller, m.CalendarShow(days=_DAYS, limit=_MOST))
    late = [one for one in found.dues if one.state in ("lapsed", "overdue")]
    next_ = [one for one in found.dues if one.state not in ("lapsed", "overdue")]
    offered = {address for address, _ in entries(caller)}
    shown = {"found": found, "groups": (("Overdue", late), ("Next", next_)), "bars": bars(found.weeks)}
    hooks: m.WebhooksShown = await desk.run("webhook.list", caller, m.Nothing())
    shown |= {"hooks": hooks.webhooks, "made": made, "may_change": may_administer(caller)}
    shown |= {"place": lambda one: place(one, offered), "place_of": lambda name: say.ROOMS.get(name, (name, ""))[0]}
    status = error.status if error else 200
    return page("calendar.html", Page("Calendar", _HERE, caller), status, error=error, say=say, **shown)


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
