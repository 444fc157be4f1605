"""Consent, API keys, activity, account."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.audit.operations import AuditPage, OwnListRequest
from troth.identity import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, TrothError
from troth.portal.desk import Desk, form_of, text
from troth.portal.pages.sign_in import SESSION_COOKIE, keep_cookie
from troth.portal.render import Page, page
from troth.vault import messages as v

# purpose -> what a person agrees to, in one sentence, and the version of that notice
PURPOSES = {
    "training": ("Use my redacted content to train models.", "2026-11"),
    "vendor-retention": ("Let a vendor that keeps requests for a stated time process mine.", "2026-11"),
}
_SCOPES = ("generate", "own-data", "own-data:write")


async def consent(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Each purpose with its state, and the history."""
    history: v.ConsentHistory = await desk.run("consent.list", caller, v.Nothing())
    standing = {one.purpose: one for one in history.consents if one.valid}
    frame = Page("Consent", "/consent", caller)
    return page("consent.html", frame, purposes=PURPOSES, standing=standing, history=history.consents)


async def grant(desk: Desk, request: Request, caller: Caller) -> Response:
    """Agree to one purpose."""
    purpose = text(await form_of(request), "purpose")
    if purpose not in PURPOSES:
        raise Invalid("There is no such purpose.", code="unknown-purpose")
    await desk.run("consent.grant", caller, v.ConsentGrant(purpose=purpose, notice=PURPOSES[purpose][1]))
    return RedirectResponse("/consent", 303)


async def withdraw(desk: Desk, request: Request, caller: Caller) -> Response:
    """Withdraw with one action."""
    await desk.run("consent.withdraw", caller, v.ConsentNamed(consent_id=request.path_params["consent_id"]))
    return RedirectResponse("/consent", 303)


async def keys(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The API keys."""
    return await _keys(desk, caller)


async def create_key(desk: Desk, request: Request, caller: Caller) -> Response:
    """A fresh key, shown once."""
    form = await form_of(request)
    try:
        fields = {"name": text(form, "name"), "scopes": form.getlist("scopes"), "days": text(form, "days") or "90"}
        wish = m.KeyCreate.model_validate(fields)
        made: m.KeyCreated = await desk.run("key.create", caller, wish)
    except ValidationError:
        return await _keys(
            desk, caller, error=Invalid("Give the key a name, at least one permission and 1 to 365 days.")
        )
    except TrothError as error:
        return await _keys(desk, caller, error=error)
    return await _keys(desk, caller, made=made)


async def revoke_key(desk: Desk, request: Request, caller: Caller) -> Response:
    """End a key at once."""
    await desk.run("key.revoke", caller, m.KeyRevoke(key_id=request.path_params["key_id"]))
    return RedirectResponse("/keys", 303)


async def activity(desk: Desk, request: Request, caller: Caller) -> Response:
    """What was done by this person or about them."""
    before = request.query_params.get("before", "")
    wanted = OwnListRequest(limit=50, before=int(before) if before.isdigit() and len(before) < 16 else None)
    found: AuditPage = await desk.run("activity.list", caller, wanted)
    shown = [entry for entry in found.entries if entry.phase != "opened"]
    return page("activity.html", Page("Activity", "/activity", caller), entries=shown, before=found.next)


async def account(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Who I am here, and where I am signed in."""
    return await _account(desk, caller)


async def end_session(desk: Desk, request: Request, caller: Caller) -> Response:
    """End one session."""
    await desk.run("session.delete", caller, m.SessionDelete(session_id=request.path_params["session_id"]))
    return RedirectResponse("/account", 303)


async def change_password(desk: Desk, request: Request, caller: Caller) -> Response:
    """A new password."""
    form = await form_of(request)
    wish = m.PasswordChange(current=str(form.get("current") or ""), new=str(form.get("new") or ""))
    try:
        fresh: m.SessionToken = await desk.run("password.change", caller, wish)
    except TrothError as error:
        return await _account(desk, caller, error=error)
    response = await _account(desk, caller, changed=True)
    keep_cookie(response, SESSION_COOKIE, fresh.token)
    return response


async def _account(desk: Desk, caller: Caller, *, error: TrothError | None = None, changed: bool = False) -> Response:
    me: m.AccountShown = await desk.run("account.show", caller, m.Nothing())
    sessions: m.SessionList = await desk.run("session.list", caller, m.Nothing())
    frame = Page("Account", "/account", caller)
    status = error.status if error else 200
    return page("account.html", frame, status, me=me, sessions=sessions, error=error, changed=changed)


async def _keys(
    desk: Desk, caller: Caller, *, made: m.KeyCreated | None = None, error: TrothError | None = None
) -> Response:
    listed: m.KeyList = await desk.run("key.list", caller, m.Nothing())
    frame = Page("API keys", "/keys", caller)
    status = error.status if error else 200
    return page("keys.html", frame, status, keys=listed.keys, made=made, error=error, scopes=_SCOPES)
