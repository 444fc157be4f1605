"""The account: who I am here, where I am signed in, my password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal import cookies
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.pages.welcome import changed_password
from troth.portal.render import Page, page


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Who I am here, and where I am signed in."""
    return await _account(desk, caller)


async def end_session(desk: Desk, request: Request, caller: Caller) -> Response:
    """End one session."""
    await desk.run("session.delete", caller, m.SessionDelete(session_id=request.path_params["session_id"]))
    return RedirectResponse("/account", 303)


async def change_password(desk: Desk, request: Request, caller: Caller) -> Response:
    """A new password."""
    try:
        fresh = await changed_password(desk, caller, await form_of(request))
    except TrothError as error:
        return await _account(desk, caller, error=error)
    response = await _account(desk, caller, changed=True)
    cookies.keep(response, cookies.SESSION, fresh.token)
    return response


async def rectify(desk: Desk, request: Request, caller: Caller) -> Response:
    """Correct name and address."""
    form, me = await form_of(request), await desk.run("account.show", caller, m.Nothing())
    given = {"email": text(form, "email"), "display_name": text(form, "name")}
    fields = {name: value for name, value in given.items() if value and value != getattr(me, name)}
    try:
        wish = filled(
            m.AccountRectify, "Give your name and address as they should be.", totp=text(form, "totp"), **fields
        )
        await desk.run("account.rectify", caller, wish)
    except TrothError as error:
        return await _account(desk, caller, error=error)
    return await _account(desk, caller, corrected=True)


async def _account(
    desk: Desk, caller: Caller, *, error: TrothError | None = None, changed: bool = False, corrected: bool = False
) -> Response:
    me: m.AccountShown = await desk.run("account.show", caller, m.Nothing())
    sessions: m.SessionList = await desk.run("session.list", caller, m.Nothing())
    frame = Page("Account", "/account", caller)
    status = error.status if error else 200
    said = {"error": error, "changed": changed, "corrected": corrected}
    return page("account.html", frame, status, me=me, sessions=sessions, **said)
