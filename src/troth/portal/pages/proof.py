"""Showing once more who is there, by a passkey or a code, and back to where that was asked for."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from troth.identity import messages as m
from troth.identity import passkey_messages as p
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal import cookies
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.leading import back
from troth.portal.render import Page, page

_ANSWER = ("credential", "client_data", "authenticator_data", "signature", "user_handle")


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """Ask for a passkey or a code."""
    return await _ask(desk, caller, back(request.query_params.get("back")))


async def options(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What the device is to be asked to show who is there."""
    try:
        offered: p.PasskeyOffered = await desk.run("session.step-up-challenge", caller, m.Nothing())
    except TrothError as error:
        return JSONResponse({"advice": error.advice}, error.status)
    return JSONResponse(offered.options)


async def by_passkey(desk: Desk, request: Request, caller: Caller) -> Response:
    """Show by a passkey who is there."""
    form = await form_of(request)
    fields = {name: text(form, name) for name in _ANSWER}
    return await _proved(desk, caller, ("session.step-up-passkey", p.PasskeyAnswer, fields), text(form, "back"))


async def by_code(desk: Desk, request: Request, caller: Caller) -> Response:
    """The same by a one-time code, or by a recovery code when the authenticator is lost."""
    form = await form_of(request)
    kind = "recovery_code" if text(form, "recovery_code") else "totp"
    return await _proved(
        desk, caller, ("session.step-up", m.SessionStepUp, {kind: text(form, kind)}), text(form, "back")
    )


async def _proved(desk: Desk, caller: Caller, shown: tuple[str, type[Any], dict[str, str]], wanted: str) -> Response:
    name, model, fields = shown
    try:
        wish = filled(model, "The answer came incomplete; try again.", **fields)
        fresh: m.SessionToken = await desk.run(name, caller, wish)
    except TrothError as error:
        return await _ask(desk, caller, back(wanted), error)
    response = RedirectResponse(back(wanted), 303)
    cookies.keep(response, cookies.SESSION, fresh.token)
    return response


async def _ask(desk: Desk, caller: Caller, wanted: str, error: TrothError | None = None) -> Response:
    me: m.AccountShown = await desk.run("account.show", caller, m.Nothing())
    listed: p.PasskeyList = await desk.run("passkey.list", caller, m.Nothing())
    frame = Page("Prove that it is you", "/account", caller, script="passkeys.js")
    status = error.status if error else 200
    return page("prove.html", frame, status, me=me, passkeys=listed.passkeys, back=wanted, error=error)
