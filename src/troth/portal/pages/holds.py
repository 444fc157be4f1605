"""Legal holds and restrictions, for privacy officers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Invalid, TrothError
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, text
from troth.portal.render import Page, page
from troth.vault import holding_messages as m
from troth.vault.messages import Nothing

BASES = ("litigation", "tax-law", "authority-order", "legal-claim")
REASONS = ("by-request", "accuracy-contested", "unlawful-processing", "legal-claim", "objection-pending")


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Holds and restrictions with their dates."""
    return await _holds(desk, caller)


async def place(desk: Desk, request: Request, caller: Caller) -> Response:
    """Place a hold on a person or an object."""
    form = await form_of(request)
    whom = text(form, "about")
    try:
        named = {"subject" if whom.startswith("usr_") else "object": whom}
        advice = "Give the id of a person (usr_…) or of an object (obj_…), and a basis from the list."
        wish = filled(m.HoldPlace, advice, basis=text(form, "basis"), until=end_of(text(form, "until")), **named)
        await desk.run("hold.place", caller, wish)
    except TrothError as error:
        return await _holds(desk, caller, error)
    return RedirectResponse("/holds", 303)


async def lift(desk: Desk, request: Request, caller: Caller) -> Response:
    """Lift a hold; what waited for it goes on."""
    form = await form_of(request)
    try:
        named = {"hold_id": request.path_params["hold_id"], "reason": text(form, "reason")}
        await desk.run("hold.lift", caller, filled(m.HoldLift, WHY, **named))
    except TrothError as error:
        return await _holds(desk, caller, error)
    return RedirectResponse("/holds", 303)


async def restrict(desk: Desk, request: Request, caller: Caller) -> Response:
    """Restrict the use of a person's data on their request."""
    form = await form_of(request)
    try:
        advice = "Give the person's id, which begins with usr_, and a reason from the list."
        wish = filled(m.RestrictPerson, advice, subject=text(form, "subject"), reason=text(form, "reason"))
        await desk.run("restriction.place", caller, wish)
    except TrothError as error:
        return await _holds(desk, caller, error)
    return RedirectResponse("/holds", 303)


async def resume(desk: Desk, request: Request, caller: Caller) -> Response:
    """Permit the use of a person's data again."""
    form = await form_of(request)
    try:
        named = {"subject": request.path_params["subject"], "reason": text(form, "reason")}
        await desk.run("restriction.lift", caller, filled(m.RestrictionLift, WHY, **named))
    except TrothError as error:
        return await _holds(desk, caller, error)
    return RedirectResponse("/holds", 303)


def end_of(day: str) -> int:
    """The end of a day that a date field gives, in epoch ms. Raises `Invalid`."""
    try:
        return epoch_ms(datetime.fromisoformat(day[:10]).replace(tzinfo=UTC) + timedelta(days=1)) - 1
    except ValueError:
        raise Invalid("Give a date such as 2027-01-31.", code="bad-date") from None


async def _holds(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    holds: m.HoldList = await desk.run("hold.list", caller, Nothing())
    restricted: m.RestrictionList = await desk.run("restriction.list", caller, Nothing())
    return page(
        "holds.html",
        Page("Holds and restrictions", "/holds", caller),
        error.status if error else 200,
        holds=holds.holds,
        restrictions=restricted.restrictions,
        bases=BASES,
        reasons=REASONS,
        error=error,
    )
