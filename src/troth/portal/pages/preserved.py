"""Preserved evidence, for privacy officers: what is kept for the law, its report, and what two people decide upon.

What a piece shows is never on a page: who takes it out gets a file, once, after a colleague asked for that.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.gateway.moderation import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.kernel.operation import Binary
from troth.portal import moderation_words
from troth.portal.desk import Desk
from troth.portal.downloads import attachment
from troth.portal.forms import WHY, filled, form_of, require_words, text
from troth.portal.render import Page, page

HERE = "/preserved"
OUT, ERASE = "take it out", "erase it"  # what is typed before something happens that cannot be undone
_REPORTED = "Name the authority and its number by short words of letters and digits, such as cybertipline and 12345."
_OVER = frozenset({"released", "expired"})


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Everything that is preserved, without what it shows."""
    return await _shown(desk, caller)


async def report(desk: Desk, request: Request, caller: Caller) -> Response:
    """Note to whom it was reported; the time of the law runs anew."""
    form, named = await form_of(request), request.path_params["evidence_id"]
    try:
        wish = filled(m.EvidenceReport, _REPORTED, evidence_id=named, reason=text(form, "reason"),
                      authority=text(form, "authority"), reference=text(form, "reference"))  # fmt: skip
        await desk.run("preserved.report", caller, wish)
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def ask(desk: Desk, request: Request, caller: Caller) -> Response:
    """Ask a colleague to take it out, or to erase it."""
    form, named = await form_of(request), request.path_params["evidence_id"]
    try:
        wish = filled(m.EvidenceAsk, WHY, evidence_id=named, reason=text(form, "reason"), wish=text(form, "wish"))
        await desk.run("preserved.ask", caller, wish)
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def open_(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take it out as a file that no browser shows."""
    form, named = await form_of(request), request.path_params["evidence_id"]
    try:
        require_words(text(form, "words"), OUT)
        wish = filled(m.EvidenceNamed, WHY, evidence_id=named, reason=text(form, "reason"))
        taken: Binary = await desk.run("preserved.open", caller, wish)
    except TrothError as error:
        return await _shown(desk, caller, error)
    return attachment(Binary(taken.content, "application/octet-stream", f"{named}.json"))


async def release(desk: Desk, request: Request, caller: Caller) -> Response:
    """Erase it, after a colleague asked to."""
    form, named = await form_of(request), request.path_params["evidence_id"]
    try:
        require_words(text(form, "words"), ERASE)
        wish = filled(m.EvidenceNamed, WHY, evidence_id=named, reason=text(form, "reason"))
        await desk.run("preserved.release", caller, wish)
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def _shown(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: m.EvidenceTable = await desk.run("preserved.list", caller, m.Asked())
    standing = [one for one in found.evidence if one.state not in _OVER]
    over = [one for one in found.evidence if one.state in _OVER]
    frame, status = Page("Preserved evidence", HERE, caller), error.status if error else 200
    told = {"standing": standing, "over": over, "me": caller.actor, "out": OUT, "erase": ERASE, "error": error}
    return page("preserved.html", frame, status, say=moderation_words, **told)
