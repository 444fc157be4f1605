"""Who has what, who asks for more, emergency access and custom roles: for owners; auditors and analysts read it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity.governing import messages as m
from troth.identity.messages import Nothing, UserList
from troth.identity.roles import TENANT_ROLES
from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound, TrothError
from troth.portal import access_words
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.navigation import may_administer, may_review
from troth.portal.render import Page, page

HERE = "/access"
_WHY = "Choose why from the list."


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Everything at a glance."""
    return await _shown(desk, caller)


async def decide(desk: Desk, request: Request, caller: Caller) -> Response:
    """Approve or refuse what somebody asked for, or end what they have."""
    move, wanted = request.path_params["move"], {"elevation_id": request.path_params["elevation_id"]}
    if move == "end":
        return await _done(desk, caller, "elevation.revoke", m.ElevationNamed, _WHY, **wanted)
    if move not in ("approve", "refuse"):
        raise NotFound("There is nothing at this address.", code="no-route")
    reason = text(await form_of(request), "reason")
    return await _done(desk, caller, f"elevation.{move}", m.ElevationDecide, _WHY, **wanted, reason=reason)


async def judge_use(desk: Desk, request: Request, caller: Caller) -> Response:
    """Judge a use of emergency access."""
    form, wanted = await form_of(request), request.path_params["elevation_id"]
    said = {"reason": text(form, "reason"), "verdict": text(form, "verdict")}
    advice = "Choose a verdict, and why."
    return await _done(desk, caller, "emergency.review", m.EmergencyReview, advice, elevation_id=wanted, **said)


async def designate(desk: Desk, request: Request, caller: Caller) -> Response:
    """Let somebody take a role in an emergency."""
    form = await form_of(request)
    fields = {name: text(form, name) for name in ("user_id", "role", "days", "reason")}
    advice = "Choose a person, a role and a number of days, and say why in 5 to 500 characters."
    return await _done(desk, caller, "emergency.designate", m.EmergencyDesignate, advice, **fields)


async def withdraw(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take that back."""
    who = request.path_params["user_id"]
    return await _done(desk, caller, "emergency.withdraw", m.PersonNamed, _WHY, user_id=who)


async def make_role(desk: Desk, request: Request, caller: Caller) -> Response:
    """Make a custom role."""
    form = await form_of(request)
    advice = "Give a name of 3 to 32 small letters, digits and hyphens, and choose what the role permits."
    fields = {"name": text(form, "name"), "groups": form.getlist("groups")}
    return await _done(desk, caller, "custom-role.create", m.CustomRoleCreate, advice, **fields)


async def change_role(desk: Desk, request: Request, caller: Caller) -> Response:
    """Change what a custom role permits."""
    form, which = await form_of(request), request.path_params["role_id"]
    fields = {"role_id": which, "groups": form.getlist("groups")}
    return await _done(desk, caller, "custom-role.change", m.CustomRoleChange, "Choose what it permits.", **fields)


async def delete_role(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take a custom role away."""
    which = request.path_params["role_id"]
    return await _done(desk, caller, "custom-role.delete", m.CustomRoleNamed, _WHY, role_id=which)


async def _done(desk: Desk, caller: Caller, name: str, model: Any, advice: str, **fields: Any) -> Response:
    try:
        await desk.run(name, caller, filled(model, advice, **fields))
    except TrothError as error:
        return await _shown(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def _shown(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    held: m.AccessList = await desk.run("access.list", caller, Nothing())
    reviews: m.CampaignList = await desk.run("access-review.list", caller, Nothing())
    tenant = await _of_tenant(desk, caller) if caller.tenant is not None else {}
    frame, status = Page("Access", HERE, caller), error.status if error else 200
    told = {"held": held.grants, "reviews": reviews, "judges": may_review(caller), "owns": "owner" in caller.roles}
    shown = {"say": access_words, "roles": sorted(TENANT_ROLES), "me": caller.subject, "error": error}
    nothing: dict[str, Any] = {"elevations": [], "emergency": None, "uses": [], "custom": [], "people": {}}
    return page("access.html", frame, status, **nothing | tenant, **told, **shown)


async def _of_tenant(desk: Desk, caller: Caller) -> dict[str, Any]:
    """What operators have none of; names of people for those who may list them."""
    elevations: m.ElevationList = await desk.run("elevation.list", caller, Nothing())
    emergency: m.EmergencyList = await desk.run("emergency.list", caller, Nothing())
    uses: m.UseList = await desk.run("emergency.uses", caller, Nothing())
    custom: m.CustomRoleList = await desk.run("custom-role.list", caller, Nothing())
    return {
        "elevations": elevations.elevations,
        "emergency": emergency,
        "uses": uses.uses,
        "custom": custom.roles,
        "people": await names(desk, caller),
    }


async def names(desk: Desk, caller: Caller) -> dict[str, str]:
    """Names by id, for those who may list people; nothing for who reads the log alone."""
    if not may_administer(caller):
        return {}
    people: UserList = await desk.run("user.list", caller, Nothing())
    return {one.id: one.display_name for one in people.users if one.active}
