"""Consent: each purpose with its state, its history and signed receipts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid
from troth.portal.desk import Desk
from troth.portal.downloads import attachment
from troth.portal.forms import form_of, text
from troth.portal.render import Page, page
from troth.vault import holding_messages as h
from troth.vault import messages as m

# purpose -> its name, what a person agrees to in one sentence, and the version of that notice
PURPOSES = {
    "training": ("Training", "Use my redacted content to train models.", "2026-11"),
    "vendor-retention": (
        "Vendors that keep requests",
        "Let a vendor that keeps requests for a stated time process mine.",
        "2026-11",
    ),
}


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Each purpose with its state, and the history."""
    history: m.ConsentHistory = await desk.run("consent.list", caller, m.Nothing())
    standing = {one.purpose: one for one in history.consents if one.valid}
    processing: h.ProcessingShown = await desk.run("processing.show", caller, m.Nothing())
    frame = Page("Consent", "/consent", caller)
    return page(
        "consent.html",
        frame,
        purposes=PURPOSES,
        standing=standing,
        history=history.consents,
        processing=processing,
    )


async def restrict(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Restrict the use of one's own data."""
    await desk.run("processing.restrict", caller, h.Restrict())
    return RedirectResponse("/consent", 303)


async def resume(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Permit the use of one's own data again."""
    await desk.run("processing.resume", caller, m.Nothing())
    return RedirectResponse("/consent", 303)


async def grant(desk: Desk, request: Request, caller: Caller) -> Response:
    """Agree to one purpose."""
    purpose = text(await form_of(request), "purpose")
    if purpose not in PURPOSES:
        raise Invalid("There is no such purpose.", code="unknown-purpose")
    await desk.run("consent.grant", caller, m.ConsentGrant(purpose=purpose, notice=PURPOSES[purpose][2]))
    return RedirectResponse("/consent", 303)


async def withdraw(desk: Desk, request: Request, caller: Caller) -> Response:
    """Withdraw with one action."""
    await desk.run("consent.withdraw", caller, m.ConsentNamed(consent_id=request.path_params["consent_id"]))
    return RedirectResponse("/consent", 303)


async def receipt(desk: Desk, request: Request, caller: Caller) -> Response:
    """The signed receipt of a consent."""
    wanted = m.ConsentNamed(consent_id=request.path_params["consent_id"])
    return attachment(await desk.run("consent.receipt", caller, wanted))
