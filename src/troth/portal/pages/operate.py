"""What operators see: tenants, running the checks. None of it opens anybody's data."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.render import Page, page
from troth.promises.operations import Nothing
from troth.promises.system import PROBE_TENANT


async def tenants(desk: Desk, _request: Request, caller: Caller) -> Response:
    """All tenants."""
    return await _tenants(desk, caller)


async def create_tenant(desk: Desk, request: Request, caller: Caller) -> Response:
    """A tenant and its first owner, whose first password is shown once."""
    form = await form_of(request)
    advice = "Give a name, a jurisdiction, and the owner's name and e-mail address."
    names = ("name", "jurisdiction", "owner_email", "owner_name")
    try:
        wish = filled(m.TenantCreate, advice, **{name: text(form, name) for name in names})
        made: m.TenantCreated = await desk.run("tenant.create", caller, wish)
    except TrothError as error:
        return await _tenants(desk, caller, error=error)
    return await _tenants(desk, caller, made=made)


async def run_checks(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Run every check now, then show the table."""
    await desk.run("check.run", caller, Nothing())
    return RedirectResponse("/trust", 303)


async def _tenants(
    desk: Desk, caller: Caller, *, made: m.TenantCreated | None = None, error: TrothError | None = None
) -> Response:
    listed: m.TenantList = await desk.run("tenant.list", caller, m.Nothing())
    frame = Page("Tenants", "/tenants", caller)
    status = error.status if error else 200
    return page("tenants.html", frame, status, tenants=listed.tenants, ours=PROBE_TENANT, made=made, error=error)
