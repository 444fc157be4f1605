"""Who may read the log of the tenant, and until when: for its owners and administrators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.identity.auditor_operations import AuditorGrant, AuditorList, AuditorShown
from troth.identity.roles import MOST_DAYS
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.navigation import may_read_log
from troth.portal.render import Page, page

_ADVICE = f"Choose a person, a number of days from 1 to {MOST_DAYS}, and say why in 5 to 500 characters."


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Who reads the log now, and the form to let somebody."""
    return await _listed(desk, caller)


async def grant(desk: Desk, request: Request, caller: Caller) -> Response:
    """Let somebody read it for some days."""
    form = await form_of(request)
    fields = {name: text(form, name) for name in ("user_id", "days", "reason")}
    try:
        await desk.run("auditor.grant", caller, filled(AuditorGrant, _ADVICE, **fields))
    except TrothError as error:
        return await _listed(desk, caller, error=error)
    return RedirectResponse("/auditors", 303)


async def revoke(desk: Desk, request: Request, caller: Caller) -> Response:
    """End it now."""
    try:
        await desk.run("auditor.revoke", caller, m.UserNamed(user_id=request.path_params["user_id"]))
    except TrothError as error:
        return await _listed(desk, caller, error=error)
    return RedirectResponse("/auditors", 303)


async def _listed(desk: Desk, caller: Caller, *, error: TrothError | None = None) -> Response:
    found: AuditorList = await desk.run("auditor.list", caller, m.Nothing())
    people: m.UserList = await desk.run("user.list", caller, m.Nothing())
    known = {one.id: one for one in people.users}
    rows = [(one, known.get(one.user), _who(one, known)) for one in found.auditors]
    others = [one for one in people.users if one.active and one.id != caller.subject]
    frame = Page("Auditors", "/auditors", caller)
    status = error.status if error else 200
    shown = {"rows": rows, "people": others, "most": MOST_DAYS, "me": caller.subject, "reads": may_read_log(caller)}
    return page("auditors.html", frame, status, error=error, **shown)


def _who(one: AuditorShown, known: dict[str, m.UserShown]) -> str:
    giver = known.get(one.granted_by)
    return giver.display_name if giver else one.granted_by
