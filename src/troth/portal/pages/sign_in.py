"""Sign in, second factor, sign out."""

from __future__ import annotations

import base64
import io

import segno
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, TrothError
from troth.portal.desk import Desk, form_of, text
from troth.portal.render import Page, page

SESSION_COOKIE = "__Host-sid"
_DEVICE_COOKIE = "__Host-device"
_DEVICE_SECONDS = 400 * 86400


async def show(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """The sign-in form."""
    if not caller.anonymous:
        return RedirectResponse("/data", 303)
    return _form(caller)


async def sign_in(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take e-mail, password and code; on success set the session cookie."""
    form = await form_of(request)
    code = text(form, "totp")
    recovery = code if len(code) > 8 else ""
    try:
        wish = m.SessionCreate(
            email=text(form, "email"),
            password=str(form.get("password") or ""),
            totp=None if recovery else code or None,
            recovery_code=recovery or None,
            device=request.cookies.get(_DEVICE_COOKIE) or None,
        )
        made: m.SessionCreated = await desk.run("session.create", caller, wish)
    except ValidationError:
        return _form(caller, Invalid("Fill in your e-mail address and password."))
    except TrothError as error:
        return _form(caller, error)
    response = RedirectResponse("/data" if made.assurance >= 2 else "/second-factor", 303)
    keep_cookie(response, SESSION_COOKIE, made.token)
    keep_cookie(response, _DEVICE_COOKIE, made.device, _DEVICE_SECONDS)
    return response


async def sign_out(desk: Desk, _request: Request, caller: Caller) -> Response:
    """End the session."""
    await desk.run("session.delete", caller, m.SessionDelete(session_id="current"))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


async def second_factor(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Offer a secret for an authenticator app."""
    if caller.authentication.assurance >= 2:
        return RedirectResponse("/data", 303)
    return await _offer(desk, caller)


async def confirm(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take the first code; show the recovery codes once."""
    code = text(await form_of(request), "totp")
    try:
        done: m.TotpConfirmed = await desk.run("totp.confirm", caller, m.TotpConfirm(totp=code))
    except (TrothError, ValidationError) as error:
        shown = error if isinstance(error, TrothError) else Invalid("Type the six digits that your app shows.")
        return await _offer(desk, caller, shown)
    response = page("recovery_codes.html", Page("Recovery codes", caller=caller), codes=done.recovery_codes)
    keep_cookie(response, SESSION_COOKIE, done.token)
    return response


async def _offer(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    offered: m.TotpOffered = await desk.run("totp.enrol", caller, m.TotpEnrol())
    picture = io.BytesIO()
    segno.make(offered.uri, error="m").save(picture, kind="svg", scale=4, border=1, dark="#16202b", xmldecl=False)
    source = "data:image/svg+xml;base64," + base64.b64encode(picture.getvalue()).decode()
    frame = Page("Second factor", caller=caller)
    return page("second_factor.html", frame, 422 if error else 200, secret=offered.secret, picture=source, error=error)


def _form(caller: Caller, error: TrothError | None = None) -> Response:
    return page("sign_in.html", Page("Sign in", "/sign-in", caller), error.status if error else 200, error=error)


def keep_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that only this host, only over TLS, and no script can read."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")
