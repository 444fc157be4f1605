"""API keys: made, shown once, replaced, ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.identity.api_keys import messages as k
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
    advice = "Give the key a name, at least one permission and a number of days; write one network or model a line."
    fields = {"name": text(form, "name"), "scopes": form.getlist("scopes"), "days": text(form, "days") or None}
    limits = {name: text(form, name).split() or None for name in ("networks", "models")}
    try:
        made: k.KeyCreated = await desk.run("key.create", caller, filled(k.KeyCreate, advice, **fields, **limits))
    except TrothError as error:
        return await _keys(desk, caller, error=error)
    return await _keys(desk, caller, made=made)


async def rotate(desk: Desk, request: Request, caller: Caller) -> Response:
    """A fresh secret in place of a key's, shown once."""
    hours = text(await form_of(request), "overlap_hours")
    fields = {"key_id": request.path_params["key_id"], "overlap_hours": hours}
    try:
        wish = filled(k.KeyRotate, "Say how many hours the old key goes on: 0 to 24.", **fields)
        made: k.KeyRotated = await desk.run("key.rotate", caller, wish)
    except TrothError as error:
        return await _keys(desk, caller, error=error)
    return await _keys(desk, caller, made=made)


async def revoke(desk: Desk, request: Request, caller: Caller) -> Response:
    """End a key at once."""
    await desk.run("key.revoke", caller, k.KeyRevoke(key_id=request.path_params["key_id"]))
    return RedirectResponse("/keys", 303)


async def _keys(
    desk: Desk, caller: Caller, *, made: k.KeyCreated | None = None, error: TrothError | None = None
) -> Response:
    listed: k.KeyList = await desk.run("key.list", caller, m.Nothing())
    frame = Page("API keys", "/keys", caller)
    return page("keys.html", frame, error.status if error else 200, keys=listed.keys, made=made, error=error)
