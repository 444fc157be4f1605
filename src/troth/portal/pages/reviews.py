"""Reviews of what administrators did, for auditors, owners and operators."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.audit.review import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.kernel.record import Fact
from troth.portal import review_words, words
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.navigation import may_review
from troth.portal.pages.log import told
from troth.portal.render import Page, page

HERE = "/reviews"


async def table(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Ranges with their gaps, what waits, and what is not cleared up."""
    return await _table(desk, caller)


async def begin(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Fix the next range and draw from it."""
    try:
        made: m.ReviewOpened = await desk.run("review.open", caller, m.ReviewOpen())
    except TrothError as error:
        return await _table(desk, caller, error)
    return RedirectResponse(f"{HERE}/{made.review.id}", 303)


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """One review with the acts that were drawn."""
    return await _show(desk, caller, request.path_params["review_id"])


async def judge(desk: Desk, request: Request, caller: Caller) -> Response:
    """Say of one act that it is fine, a question or wrong."""
    form, wanted = await form_of(request), request.path_params["review_id"]
    try:
        named = {"review_id": wanted, "index": request.path_params["index"]}
        said, reason = text(form, "verdict"), text(form, "reason") or None
        advice = "Choose a verdict; a question, or a wrong act, needs a reason."
        await desk.run("review.judge", caller, filled(m.ActJudge, advice, **named, verdict=said, reason=reason))
    except TrothError as error:
        return await _show(desk, caller, wanted, error)
    return RedirectResponse(f"{HERE}/{wanted}#act-{request.path_params['index']}", 303)


async def clear_up(desk: Desk, request: Request, caller: Caller) -> Response:
    """Say why a question, or a wrong act, is cleared up."""
    form, wanted = await form_of(request), request.path_params["review_id"]
    try:
        named = {"review_id": wanted, "index": request.path_params["index"], "reason": text(form, "reason")}
        await desk.run("review.follow-up", caller, filled(m.FollowUpClose, "Choose how it was cleared up.", **named))
    except TrothError as error:
        return await _show(desk, caller, wanted, error)
    return RedirectResponse(f"{HERE}/{wanted}#act-{request.path_params['index']}", 303)


async def close(desk: Desk, request: Request, caller: Caller) -> Response:
    """Close a review."""
    wanted = request.path_params["review_id"]
    try:
        await desk.run("review.close", caller, m.ReviewNamed(review_id=wanted))
    except TrothError as error:
        return await _show(desk, caller, wanted, error)
    return RedirectResponse(f"{HERE}/{wanted}", 303)


async def _table(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: m.ReviewTable = await desk.run("review.list", caller, m.Nothing())
    status = error.status if error else 200
    frame = Page("Reviews", HERE, caller)
    told = {"table": found, "rows": _rows(found), "judges": may_review(caller), "error": error}
    return page("reviews.html", frame, status, say=review_words, **told)


async def _show(desk: Desk, caller: Caller, wanted: str, error: TrothError | None = None) -> Response:
    opened: m.ReviewOpened = await desk.run("review.show", caller, m.ReviewNamed(review_id=wanted))
    frame, status = Page("Review", HERE, caller), error.status if error else 200
    facts = {one.index: facts_of(one.facts) for one in opened.drawn}
    told = {"opened": opened, "facts": facts, "judges": may_review(caller), "error": error}
    return page("review.html", frame, status, say=review_words, **told)


def facts_of(facts: Mapping[str, Fact]) -> list[tuple[str, str]]:
    """What an entry tells, in words; counts by kind are left to the entry's own page."""
    shown = []
    for name, value in facts.items():
        if not isinstance(value, dict):
            shown.append((words.plain(name), told(name, value)))
    return shown


def _rows(found: m.ReviewTable) -> list[tuple[m.ReviewShown | None, m.GapShown | None]]:
    """Reviews and the gaps between them, newest first: each row is one or the other."""
    rows: list[tuple[int, m.ReviewShown | None, m.GapShown | None]] = []
    rows += [(one.first, one, None) for one in found.reviews]
    rows += [(one.first, None, one) for one in found.gaps]
    return [(review, gap) for _, review, gap in sorted(rows, key=lambda row: row[0], reverse=True)]
