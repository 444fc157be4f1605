"""Sign in and out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal import cookies
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text, typed
from troth.portal.navigation import start
from troth.portal.render import Page, page

_CODE_LENGTH = 8  # a one-time code is shorter than this, spaces and all; a recovery code is longer


async def home(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """Where a person wants to be first."""
    return RedirectResponse(start(caller), 303)


async def show(_desk: Desk, request: Request, caller: Caller) -> Response:
    """The sign-in form."""
    if not caller.anonymous:
        return RedirectResponse("/", 303)
    return form_page(caller, ended="ended" in request.query_params)


async def sign_in(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take e-mail, password and code; on success set the session cookie."""
    form = await form_of(request)
    code = text(form, "totp")
    recovery = code if len(code) >= _CODE_LENGTH else ""
    try:
        wish = filled(
            m.SessionCreate,
            "Fill in your e-mail address and password.",
            email=text(form, "email"),
            password=typed(form, "password"),
            totp=None if recovery else code or None,
            recovery_code=recovery or None,
            device=request.cookies.get(cookies.DEVICE) or None,
        )
        made: m.SessionCreated = await desk.run("session.create", caller, wish)
    except TrothError as error:
        return form_page(caller, error, email=text(form, "email"))
    return entered(made)


def entered(made: m.SessionCreated) -> Response:
    """On to what is missing, with the cookies of a fresh session."""
    response = RedirectResponse(_next(made), 303)
    cookies.keep(response, cookies.SESSION, made.token)
    cookies.keep(response, cookies.DEVICE, made.device, cookies.DEVICE_SECONDS)
    return response


async def sign_out(desk: Desk, _request: Request, caller: Caller) -> Response:
    """End the session."""
    await desk.run("session.delete", caller, m.SessionDelete(session_id="current"))
    response = RedirectResponse("/sign-in", 303)
    response.headers["clear-site-data"] = '"storage"'  # keys that a browser keeps for this session
    for name in (cookies.SESSION, cookies.BOUND):
        cookies.drop(response, name)
    return response


def _next(made: m.SessionCreated) -> str:
    if "password" in made.missing:
        return "/welcome/password"
    return "/welcome" if made.missing else "/"


def form_page(caller: Caller, error: TrothError | None = None, *, email: str = "", ended: bool = False) -> Response:
    """The sign-in form, with what went wrong."""
    frame = Page("Sign in", "/sign-in", caller, script="passkeys.js")
    return page("sign_in.html", frame, error.status if error else 200, error=error, email=email[:254], ended=ended)
