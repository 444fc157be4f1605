"""The retention schedule of a tenant: everybody may see it, privacy officers may shorten it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, text
from troth.portal.navigation import may_erase_others
from troth.portal.render import Page, page
from troth.vault import holding_messages as m
from troth.vault.messages import Nothing

_ADVICE = "Choose a class and give 1 to 3650 days; a purpose is a short lower-case token."


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The schedule as a table."""
    return await _schedule(desk, caller)


async def change(desk: Desk, request: Request, caller: Caller) -> Response:
    """Set a rule."""
    form = await form_of(request)
    fields = {"data_class": text(form, "data_class"), "days": text(form, "days"), "reason": text(form, "reason")}
    try:
        wish = filled(m.RuleSet, _ADVICE, purpose=text(form, "purpose") or None, **fields)
        await desk.run("retention.set", caller, wish)
    except TrothError as error:
        return await _schedule(desk, caller, error)
    return RedirectResponse("/retention", 303)


async def clear(desk: Desk, request: Request, caller: Caller) -> Response:
    """Remove a rule."""
    form = await form_of(request)
    try:
        fields = {"data_class": text(form, "data_class"), "reason": text(form, "reason")}
        wish = filled(m.RuleClear, WHY, purpose=text(form, "purpose") or None, **fields)
        await desk.run("retention.clear", caller, wish)
    except TrothError as error:
        return await _schedule(desk, caller, error)
    return RedirectResponse("/retention", 303)


async def _schedule(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    schedule: m.Schedule = await desk.run("retention.show", caller, Nothing())
    frame = Page("Retention", "/retention", caller)
    status = error.status if error else 200
    return page("retention.html", frame, status, schedule=schedule, may_change=may_erase_others(caller), error=error)
