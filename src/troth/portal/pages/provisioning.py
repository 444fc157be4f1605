"""Provisioning tokens, for owners; administrators look: made, shown once, given a new secret, ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as identity
from troth.identity.scim import messages as m
from troth.identity.sso import messages as sso
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.render import Page, page

HERE = "/provisioning"
_ADVICE = "Choose a provider, give the token a name and a number of days, and write one network a line."


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The tokens, and a form for another one."""
    return await _tokens(desk, caller)


async def create(desk: Desk, request: Request, caller: Caller) -> Response:
    """A fresh token, shown once."""
    form = await form_of(request)
    fields = {"connection_id": text(form, "connection"), "name": text(form, "name"), "days": text(form, "days") or 180}
    try:
        wish = filled(m.TokenCreate, _ADVICE, **fields, networks=tuple(text(form, "networks").split()))
        made: m.TokenIssued = await desk.run("provisioning.create", caller, wish)
    except TrothError as error:
        return await _tokens(desk, caller, error=error)
    return await _tokens(desk, caller, made=made)


async def rotate(desk: Desk, request: Request, caller: Caller) -> Response:
    """A new secret, shown once; the old one stops at once."""
    try:
        wish = m.TokenRotate(token_id=request.path_params["token_id"])
        made: m.TokenIssued = await desk.run("provisioning.rotate", caller, wish)
    except TrothError as error:
        return await _tokens(desk, caller, error=error)
    return await _tokens(desk, caller, made=made)


async def revoke(desk: Desk, request: Request, caller: Caller) -> Response:
    """End a token at once."""
    try:
        await desk.run("provisioning.revoke", caller, m.TokenNamed(token_id=request.path_params["token_id"]))
    except TrothError as error:
        return await _tokens(desk, caller, error=error)
    return RedirectResponse(HERE, 303)


async def _tokens(
    desk: Desk, caller: Caller, *, made: m.TokenIssued | None = None, error: TrothError | None = None
) -> Response:
    listed: m.TokenList = await desk.run("provisioning.list", caller, identity.Nothing())
    known: sso.SsoList = await desk.run("sso.list", caller, identity.Nothing())
    return page(
        "provisioning.html",
        Page("Provisioning", HERE, caller),
        error.status if error else 200,
        tokens=listed.tokens,
        address=listed.address,
        providers={one.id: one.name for one in known.connections},
        owner="owner" in caller.roles,
        made=made,
        error=error,
    )
