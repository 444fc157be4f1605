"""API keys: made, shown once, ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.render import Page, page


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The API keys."""
    return await _keys(desk, caller)


async def create(desk: Desk, request: Request, caller: Caller) -> Response:
    """A fresh key, shown once."""
    form = await form_of(request)
    advice = "Give the key a name, at least one permission and 1 to 365 days."
    fields = {"name": text(form, "name"), "scopes": form.getlist("scopes"), "days": text(form, "days") or "90"}
    try:
        made: m.KeyCreated = await desk.run("key.create", caller, filled(m.KeyCreate, advice, **fields))
    except TrothError as error:
        return await _keys(desk, caller, error=error)
    return await _keys(desk, caller, made=made)


async def revoke(desk: Desk, request: Request, caller: Caller) -> Response:
    """End a key at once."""
    await desk.run("key.revoke", caller, m.KeyRevoke(key_id=request.path_params["key_id"]))
    return RedirectResponse("/keys", 303)


async def _keys(
    desk: Desk, caller: Caller, *, made: m.KeyCreated | None = None, error: TrothError | None = None
) -> Response:
    listed: m.KeyList = await desk.run("key.list", caller, m.Nothing())
    frame = Page("API keys", "/keys", caller)
    return page("keys.html", frame, error.status if error else 200, keys=listed.keys, made=made, error=error)
