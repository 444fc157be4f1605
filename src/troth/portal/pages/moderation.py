"""Moderation: the review queue, one case, the policy of the tenant, evidence, and everybody's own cases."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.gateway.moderation import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal import moderation_words
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, text, typed
from troth.portal.navigation import may_erase_others
from troth.portal.render import Page, page

QUEUE, MINE, POLICY = "/moderation", "/my-cases", "/moderation-policy"
_WORDS = "Write a few words for the person, of 4000 characters at most, and choose an outcome and a reason."


async def queue(desk: Desk, request: Request, caller: Caller) -> Response:
    """What waits for a decision, by date, and how often decisions were wrong."""
    everything = request.query_params.get("all") == "1"
    decides = may_erase_others(caller)
    name = "moderation-case.queue" if decides else "moderation-case.list"
    table: m.CaseTable = await desk.run(name, caller, m.CaseList(waiting=not everything))
    told = {"table": table, "everything": everything, "decides": decides}
    return page("moderation.html", Page("Moderation", QUEUE, caller), 200, say=moderation_words, **told)


async def opened(desk: Desk, request: Request, caller: Caller) -> Response:
    """Open what a case is about; asked by a form, since it is recorded."""
    form = await form_of(request)
    return await _opened(desk, caller, request.path_params["case_id"], text(form, "reason"))


async def decide(desk: Desk, request: Request, caller: Caller) -> Response:
    """Decide it, or the appeal upon it."""
    form, case_id = await form_of(request), request.path_params["case_id"]
    try:
        wish = filled(
            m.CaseDecide, _WORDS, case_id=case_id, outcome=text(form, "outcome"), reason=text(form, "reason"),
            words=typed(form, "words").strip(),
        )  # fmt: skip
        await desk.run("moderation-case.decide", caller, wish)
    except TrothError as error:
        return await _opened(desk, caller, case_id, "checked", error)
    return RedirectResponse(QUEUE, 303)


async def mine(desk: Desk, _request: Request, caller: Caller) -> Response:
    """One's own cases."""
    return await _mine(desk, caller)


async def appeal(desk: Desk, request: Request, caller: Caller) -> Response:
    """Object to a decision about oneself."""
    form = await form_of(request)
    try:
        named = {"case_id": request.path_params["case_id"], "words": typed(form, "words").strip()}
        await desk.run("moderation-case.appeal", caller, filled(m.CaseAppeal, "Say why, in a few words.", **named))
    except TrothError as error:
        return await _mine(desk, caller, error)
    return RedirectResponse(MINE, 303)


async def policy(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What is refused, reviewed and flagged, and what was proposed."""
    return await _policy(desk, caller)


async def propose(desk: Desk, request: Request, caller: Caller) -> Response:
    """Propose a policy."""
    form = await form_of(request)
    wanted = text(form, "policy").replace("\r\n", "\n")
    try:
        wish = filled(m.PolicyPropose, "Paste a policy in YAML, of 16 KB at most.", policy=wanted,
                      reason=text(form, "reason"))  # fmt: skip
        await desk.run("moderation-policy.propose", caller, wish)
    except TrothError as error:
        return await _policy(desk, caller, error, wanted)
    return RedirectResponse(POLICY, 303)


async def approve(desk: Desk, request: Request, caller: Caller) -> Response:
    """Put a proposal of somebody else in force."""
    form = await form_of(request)
    try:
        named = {"policy_id": request.path_params["policy_id"], "reason": text(form, "reason")}
        await desk.run("moderation-policy.approve", caller, filled(m.PolicyApprove, WHY, **named))
    except TrothError as error:
        return await _policy(desk, caller, error)
    return RedirectResponse(POLICY, 303)


async def _opened(desk: Desk, caller: Caller, case_id: str, reason: str, error: TrothError | None = None) -> Response:
    wish = filled(m.CaseOpen, WHY, case_id=case_id, reason=reason)
    found: m.CaseOpened = await desk.run("moderation-case.open", caller, wish)
    frame, status = Page("Case", QUEUE, caller), error.status if error else 200
    return page("moderation_case.html", frame, status, say=moderation_words, found=found, error=error)


async def _mine(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: m.OwnCases = await desk.run("moderation-case.mine", caller, m.Asked())
    frame, status = Page("My cases", MINE, caller), error.status if error else 200
    return page("my_cases.html", frame, status, say=moderation_words, found=found, error=error)


async def _policy(desk: Desk, caller: Caller, error: TrothError | None = None, wanted: str = "") -> Response:
    shown: m.PolicyInForce = await desk.run("moderation-policy.show", caller, m.Asked())
    frame, status = Page("Content policy", POLICY, caller), error.status if error else 200
    told = {"shown": shown, "may_change": may_erase_others(caller), "wanted": wanted, "error": error}
    return page("moderation_policy.html", frame, status, say=moderation_words, **told)
