"""What a person asks for themselves: a further role for some hours, or emergency access."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity.governing import messages as m
from troth.identity.governing.elevations import LENDABLE
from troth.identity.messages import Nothing
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal import access_words
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.render import Page, page

HERE = "/my-access"


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What one asked for and has for a time."""
    return await _shown(desk, caller)


async def ask(desk: Desk, request: Request, caller: Caller) -> Response:
    """Ask for a role."""
    form = await form_of(request)
    advice = "Choose a role and 5 to 480 minutes, and say why in 5 to 500 characters."
    fields = {name: text(form, name) for name in ("role", "minutes", "reason")}
    try:
        await desk.run("elevation.ask", caller, filled(m.ElevationAsk, advice, **fields))
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def end(desk: Desk, request: Request, caller: Caller) -> Response:
    """Give it back, or withdraw the question."""
    try:
        wanted = m.ElevationNamed(elevation_id=request.path_params["elevation_id"])
        await desk.run("elevation.end", caller, wanted)
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def break_glass(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take the role that one was designated for."""
    form = await form_of(request)
    advice = "Choose 5 to 60 minutes, and say what happened in 5 to 500 characters."
    fields = {name: text(form, name) for name in ("minutes", "reason")}
    try:
        await desk.run("emergency.use", caller, filled(m.EmergencyUse, advice, **fields))
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def _shown(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: m.ElevationList = await desk.run("elevation.mine", caller, Nothing())
    frame, status = Page("My access", HERE, caller), error.status if error else 200
    lendable = sorted(LENDABLE - caller.roles)
    told = {"elevations": found.elevations, "roles": lendable, "say": access_words, "error": error}
    return page("my_access.html", frame, status, **told)
