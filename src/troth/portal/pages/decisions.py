"""The decisions in the log: who, what, why, by which policies, and the proof."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from troth.audit.decisions import DecisionList, DecisionPage
from troth.kernel.caller import Caller
from troth.portal import review_words
from troth.portal.desk import Desk
from troth.portal.pages.reviews import facts_of
from troth.portal.render import Page, page

_PAGE = 50


async def decisions(desk: Desk, request: Request, caller: Caller) -> Response:
    """Newest first."""
    before = request.query_params.get("before", "")
    place = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    found: DecisionPage = await desk.run("decision.list", caller, DecisionList(before=place, limit=_PAGE))
    rows = [(one, facts_of(one.facts)) for one in found.decisions]
    frame = Page("Decisions", "/decisions", caller)
    return page("decisions.html", frame, rows=rows, before=found.next, say=review_words)
