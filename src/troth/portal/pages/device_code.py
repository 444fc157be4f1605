"""Signing in the command line of a machine: the person types the code that it shows, looks, and decides.

No address carries the code, so that nobody is led here by a link with a stranger's code (RFC 8628 section 5.4).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity.oauth import messages as m
from troth.identity.own_account import FRESH_SECONDS
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.render import Page, page

_ADVICE = "Type the eight letters that the device shows."


async def show(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """Ask for the code, of somebody who lately showed who they are."""
    if caller.authentication.age_seconds > FRESH_SECONDS:
        return RedirectResponse("/prove?back=/activate", 303)
    return _page(caller)


async def look(desk: Desk, request: Request, caller: Caller) -> Response:
    """Show what waits under the code."""
    try:
        wish = await _typed(request)
        waiting: m.DeviceWaiting = await desk.run("device-code.show", caller, wish)
    except TrothError as error:
        return _page(caller, error)
    return _page(caller, waiting=waiting, code=wish.user_code)


async def approve(desk: Desk, request: Request, caller: Caller) -> Response:
    """Let the device in."""
    return await _decided(desk, request, caller, "approve")


async def deny(desk: Desk, request: Request, caller: Caller) -> Response:
    """Say no."""
    return await _decided(desk, request, caller, "deny")


async def _decided(desk: Desk, request: Request, caller: Caller, what: str) -> Response:
    try:
        await desk.run(f"device-code.{what}", caller, await _typed(request))
    except TrothError as error:
        return _page(caller, error)
    return _page(caller, decided=what)


async def _typed(request: Request) -> m.DeviceCodeTyped:
    return filled(m.DeviceCodeTyped, _ADVICE, user_code=text(await form_of(request), "user_code"))


def _page(
    caller: Caller,
    error: TrothError | None = None,
    *,
    waiting: m.DeviceWaiting | None = None,
    code: str = "",
    decided: str = "",
) -> Response:
    frame = Page("Sign in a device", "/account", caller)
    status = error.status if error else 200
    return page("device_code.html", frame, status, error=error, waiting=waiting, code=code, decided=decided)
