"""Passkeys: signing in with one, adding, naming and removing them."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from troth.identity import messages as m
from troth.identity import passkey_messages as p
from troth.identity.own_account import FRESH_SECONDS
from troth.identity.sign_in import WITH_RECOVERY
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal import cookies
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.pages.sign_in import entered, form_page
from troth.portal.pages.welcome import authenticator, recovery_codes
from troth.portal.render import Page, page

_ANSWER = ("credential", "client_data", "authenticator_data", "signature", "user_handle")
_ATTEMPT_SECONDS = 5 * 60
_ADVICE = "The device's answer came incomplete; try again."
_COMPLETE = 2


async def sign_in_options(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What the device is to be asked; the attempt stays in a cookie that no script reads."""
    try:
        begun: p.SignInOffered = await desk.run("session.challenge", caller, m.Nothing())
    except TrothError as error:
        return _told(error)
    response = JSONResponse(begun.options)
    cookies.keep(response, cookies.ATTEMPT, begun.attempt, _ATTEMPT_SECONDS)
    return response


async def sign_in(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take the device's answer; on success set the session cookie."""
    form, kept = await form_of(request), request.cookies
    beside = {"attempt": kept.get(cookies.ATTEMPT, ""), "device": kept.get(cookies.DEVICE) or None}
    try:
        wish = filled(p.PasskeySignInAnswer, _ADVICE, **_fields(form, _ANSWER), **beside)
        made: m.SessionCreated = await desk.run("session.passkey", caller, wish)
    except TrothError as error:
        return form_page(caller, error)
    response = entered(made)
    cookies.drop(response, cookies.ATTEMPT)
    return response


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The passkeys."""
    return await _passkeys(desk, caller)


async def options(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What the device is to be asked for a new passkey."""
    return await _offered(desk, caller, "passkey.enrol")


async def add(desk: Desk, request: Request, caller: Caller) -> Response:
    """Keep a passkey. The first one shows the recovery codes."""
    form = await form_of(request)
    try:
        wish = filled(p.PasskeyAdd, _ADVICE, **_fields(form, ("name", "client_data", "attestation")))
        done: p.PasskeyAdded = await desk.run("passkey.add", caller, wish)
    except TrothError as error:
        half = caller.authentication.assurance < _COMPLETE
        return await (authenticator(desk, caller, error) if half else _passkeys(desk, caller, error))
    codes = done.recovery_codes
    response = recovery_codes(caller, codes) if codes else RedirectResponse("/passkeys", 303)
    cookies.keep(response, cookies.SESSION, done.token)
    return response


async def rename(desk: Desk, request: Request, caller: Caller) -> Response:
    """Call one otherwise."""
    named = {"passkey_id": request.path_params["passkey_id"], "name": text(await form_of(request), "name")}
    return await _changed(desk, caller, "passkey.rename", p.PasskeyRename, named)


async def remove(desk: Desk, request: Request, caller: Caller) -> Response:
    """Forget one."""
    return await _changed(desk, caller, "passkey.remove", p.PasskeyRemove, dict(request.path_params))


async def _offered(desk: Desk, caller: Caller, name: str) -> Response:
    try:
        offered: p.PasskeyOffered = await desk.run(name, caller, m.Nothing())
    except TrothError as error:
        return _told(error)
    return JSONResponse(offered.options)


async def _changed(desk: Desk, caller: Caller, name: str, model: type[Any], fields: dict[str, Any]) -> Response:
    try:
        await desk.run(name, caller, filled(model, "Give the passkey a name of at most 120 letters.", **fields))
    except TrothError as error:
        return await _passkeys(desk, caller, error)
    return RedirectResponse("/passkeys", 303)


async def _passkeys(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    me: m.AccountShown = await desk.run("account.show", caller, m.Nothing())
    listed: p.PasskeyList = await desk.run("passkey.list", caller, m.Nothing())
    frame = Page("Passkeys", "/account", caller, script="passkeys.js")
    shown = caller.authentication
    known = not listed.passkeys or shown.phishing_resistant or shown.method == WITH_RECOVERY.method
    fresh = known and shown.age_seconds <= FRESH_SECONDS
    status = error.status if error else 200
    return page("passkeys.html", frame, status, me=me, passkeys=listed.passkeys, fresh=fresh, error=error)


def _fields(form: FormData, names: tuple[str, ...]) -> dict[str, str]:
    return {name: text(form, name) for name in names}


def _told(error: TrothError) -> Response:
    """A refusal for the script, which shows the advice."""
    return JSONResponse({"advice": error.advice}, error.status)
