"""Limits and budgets: everybody sees what holds for them, who administers sets them for the organisation."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.gateway.wire import limits as wire
from troth.kernel.caller import Caller
from troth.kernel.errors import PreconditionFailed, TrothError
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, text
from troth.portal.navigation import may_administer
from troth.portal.render import Page, page

_LIMIT = "Choose a limit and whose it is, give a number, and say why."
_BUDGET = "Choose whose budget it is, write the amount as 250.00, and say why."
_ATTEMPTS = 3
_KINDS = ("requests", "tokens", "images", "seconds", "bytes", "money")
NAMES = (*(f"{kind}-per-{window}" for kind in _KINDS for window in ("minute", "hour", "day", "month")), "concurrent")


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What holds, and the forms for who administers."""
    return await _shown(desk, caller)


async def set_limit(desk: Desk, request: Request, caller: Caller) -> Response:
    """Set one limit, or take it away when no number is given; the others of that place stay."""
    form = await form_of(request)
    try:
        for attempt in range(_ATTEMPTS):
            try:
                await desk.run("limit.set", caller, await _changed(desk, caller, form))
                break
            except PreconditionFailed:  # of another limit, by somebody else at the same time
                if attempt + 1 == _ATTEMPTS:
                    raise
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse("/limits", 303)


async def _changed(desk: Desk, caller: Caller, form: FormData) -> wire.SetLimits:
    """All limits of a place as they stand, but for the one of the form."""
    of, target, name, most = (text(form, one) for one in ("of", "target", "name", "most"))
    view: wire.LimitsShown = await desk.run("limit.tenant", caller, wire.ShowLimits())
    here = next((one for one in view.own if (one.of, one.target or "") == (of, target)), None)
    limits = {} if here is None else {one: most for one, most in here.limits.items() if one != name}
    fields = {"of": of, "target": target or None, "limits": limits | ({name: most} if most else {})}
    seen = 0 if here is None else here.set_at
    return filled(wire.SetLimits, _LIMIT, reason=text(form, "reason"), seen=seen, **fields)


async def set_budget(desk: Desk, request: Request, caller: Caller) -> Response:
    """Set a budget, or change the one of that time."""
    form = await form_of(request)
    fields: dict[str, Any] = {name: text(form, name) for name in ("of", "per", "amount", "at_end", "reason")}
    try:
        wish = filled(wire.SetBudget, _BUDGET, target=text(form, "target") or None, **fields)
        await desk.run("budget.set", caller, wish)
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse("/limits", 303)


async def remove_budget(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take a budget away."""
    form = await form_of(request)
    try:
        fields = {"budget_id": request.path_params["budget_id"], "reason": text(form, "reason")}
        await desk.run("budget.remove", caller, filled(wire.RemoveBudget, WHY, **fields))
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse("/limits", 303)


async def view_of(desk: Desk, caller: Caller, *, whole: bool) -> wire.LimitsShown:
    """Limits and budgets of the caller, or of the whole tenant."""
    view: wire.LimitsShown = await desk.run("limit.tenant" if whole else "limit.show", caller, wire.ShowLimits())
    return view


async def _shown(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    may_set = may_administer(caller)
    frame = Page("Limits and budgets", "/limits" if may_set else "/account", caller)
    view = await view_of(desk, caller, whole=may_set)
    status = error.status if error else 200
    return page("limits.html", frame, status, view=view, may_set=may_set, names=NAMES, error=error)
