"""Off-boarding, for operators: one asks to erase a whole tenant, another one agrees, and the certificate proves it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as identity
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.downloads import attachment
from troth.portal.forms import WHY, filled, form_of, require_words, text
from troth.portal.render import Page, page
from troth.promises.system import PROBE_TENANT
from troth.vault import messages as m

HERE, WORDS = "/offboardings", "erase this tenant"


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Every tenant's erasure, and the form to ask for one."""
    return await _show(desk, caller)


async def ask(desk: Desk, request: Request, caller: Caller) -> Response:
    """Ask for the erasure of a tenant; its salt is shown once."""
    form = await form_of(request)
    try:
        require_words(text(form, "confirm"), WORDS)
        at_once = text(form, "now") == "yes"
        wish = filled(m.Offboard, "Choose a tenant.", tenant_id=text(form, "tenant"), confirm=WORDS, immediate=at_once)
        asked: m.OffboardingShown = await desk.run("offboarding.request", caller, wish)
    except TrothError as error:
        return await _show(desk, caller, error=error)
    return await _show(desk, caller, asked=asked)


async def approve(desk: Desk, request: Request, caller: Caller) -> Response:
    """Agree as the second operator."""
    return await _decided(desk, request, caller, "offboarding.approve")


async def cancel(desk: Desk, request: Request, caller: Caller) -> Response:
    """Call off what has not begun."""
    return await _decided(desk, request, caller, "offboarding.cancel")


async def certificate(desk: Desk, request: Request, caller: Caller) -> Response:
    """Download the certificate, to hand to who the tenant was."""
    return attachment(await desk.run("offboarding.certificate", caller, _named(request)))


def _named(request: Request) -> m.OffboardingNamed:
    return filled(m.OffboardingNamed, "There is no such tenant.", tenant_id=request.path_params["tenant_id"])


async def _decided(desk: Desk, request: Request, caller: Caller, name: str) -> Response:
    form = await form_of(request)
    try:
        named = {"tenant_id": request.path_params["tenant_id"], "reason": text(form, "reason")}
        await desk.run(name, caller, filled(m.OffboardingDecided, WHY, **named))
    except TrothError as error:
        return await _show(desk, caller, error=error)
    return RedirectResponse(HERE, 303)


async def _show(
    desk: Desk, caller: Caller, *, asked: m.OffboardingShown | None = None, error: TrothError | None = None
) -> Response:
    listed: m.OffboardingList = await desk.run("offboarding.list", caller, m.Nothing())
    known: identity.TenantList = await desk.run("tenant.list", caller, identity.Nothing())
    names = {one.id: one.name for one in known.tenants}
    leaving = {one.tenant for one in listed.offboardings if one.state != "cancelled"}
    free = [one for one in known.tenants if one.id not in leaving and not one.name.startswith(PROBE_TENANT)]
    frame = Page("Off-boarding", HERE, caller)
    shown = {"leaving": listed.offboardings, "names": names, "tenants": free, "asked": asked, "me": caller.actor}
    status = error.status if error else 200
    return page("offboarding.html", frame, status, error=error, confirmation=WORDS, **shown)
