"""One review of access: every grant as it stood, and what reviewers say of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity.governing import messages as m
from troth.identity.messages import Nothing
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.kernel.operation import Binary
from troth.portal import access_words
from troth.portal.desk import Desk
from troth.portal.downloads import attachment
from troth.portal.forms import filled, form_of, text
from troth.portal.navigation import may_review
from troth.portal.pages.access import HERE, names
from troth.portal.render import Page, page


async def begin(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Begin a review before it is due."""
    made: m.CampaignOpened = await desk.run("access-review.open", caller, Nothing())
    return RedirectResponse(f"{HERE}/reviews/{made.review.id}", 303)


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """The grants under review."""
    return await _shown(desk, caller, request.path_params["campaign_id"])


async def judge(desk: Desk, request: Request, caller: Caller) -> Response:
    """Keep a grant, or remove it."""
    form, wanted = await form_of(request), request.path_params["campaign_id"]
    named = {"campaign_id": wanted, "user_id": text(form, "user_id"), "role": text(form, "role")}
    said = {"verdict": text(form, "verdict"), "reason": text(form, "reason")}
    try:
        await desk.run("access-review.judge", caller, filled(m.GrantJudge, "Choose why.", **named, **said))
    except TrothError as error:
        return await _shown(desk, caller, wanted, error)
    return RedirectResponse(f"{HERE}/reviews/{wanted}", 303)


async def close(desk: Desk, request: Request, caller: Caller) -> Response:
    """Close it when everything was decided."""
    wanted = request.path_params["campaign_id"]
    try:
        await desk.run("access-review.close", caller, m.CampaignNamed(campaign_id=wanted))
    except TrothError as error:
        return await _shown(desk, caller, wanted, error)
    return RedirectResponse(f"{HERE}/reviews/{wanted}", 303)


async def export(desk: Desk, request: Request, caller: Caller) -> Response:
    """As CSV."""
    wanted = m.CampaignNamed(campaign_id=request.path_params["campaign_id"])
    made: Binary = await desk.run("access-review.export", caller, wanted)
    return attachment(made)


async def _shown(desk: Desk, caller: Caller, wanted: str, error: TrothError | None = None) -> Response:
    opened: m.CampaignOpened = await desk.run("access-review.show", caller, m.CampaignNamed(campaign_id=wanted))
    people = await names(desk, caller) if caller.tenant is not None else {}
    frame, status = Page("Review of access", HERE, caller), error.status if error else 200
    told = {"opened": opened, "judges": may_review(caller), "people": people, "say": access_words, "error": error}
    return page("access_review.html", frame, status, **told)
