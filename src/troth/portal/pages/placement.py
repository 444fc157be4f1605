"""Where data is, counted: of the whole service for operators, of their tenant for privacy officers; and who moves."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as identity
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, text
from troth.portal.render import Page, page
from troth.promises.system import PROBE_TENANT
from troth.vault.inventory_operations import PlacementInventory
from troth.vault.messages import Nothing
from troth.vault.moving import pin_operations as m

HERE = "/placement"


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Count now, and show it by jurisdiction."""
    return await _show(desk, caller)


async def pin(desk: Desk, request: Request, caller: Caller) -> Response:
    """Enter where a tenant goes."""
    form = await form_of(request)
    try:
        advice = "Give the signer as name=hex, as the destination publishes it."
        wish = filled(m.MovePin, advice, tenant_id=text(form, "tenant"), signer=text(form, "signer"))
        await desk.run("move.pin", caller, wish)
    except TrothError as error:
        return await _show(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def agree(desk: Desk, request: Request, caller: Caller) -> Response:
    """Agree as the second operator, with the fingerprint."""
    form = await form_of(request)
    try:
        named = {"tenant_id": request.path_params["tenant_id"], "fingerprint": text(form, "fingerprint")}
        advice = "Type all 32 digits of the fingerprint, and choose why you agree."
        await desk.run("move.approve", caller, filled(m.MoveAgree, advice, **named, reason=text(form, "reason")))
    except TrothError as error:
        return await _show(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def cancel(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take a destination back."""
    form = await form_of(request)
    try:
        named = {"tenant_id": request.path_params["tenant_id"], "reason": text(form, "reason")}
        wish = filled(m.MoveCancel, WHY, **named)
        await desk.run("move.cancel", caller, wish)
    except TrothError as error:
        return await _show(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def _show(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    if error is not None and caller.kind != "operator":
        raise error
    whole = caller.kind == "operator"
    name = "placement.inventory" if whole else "placement.own"
    counted: PlacementInventory = await desk.run(name, caller, Nothing())
    places: dict[str, dict[str, int]] = {}
    for line in counted.lines:
        places.setdefault(line.jurisdiction, {})[line.place] = line.count
    shown = {"counted": counted, "places": places, "total": sum(line.count for line in counted.lines)}
    shown |= await _moves(desk, caller) if whole else {"moves": (), "names": {}, "tenants": ()}
    frame = Page("Placement", HERE, caller)
    return page("placement.html", frame, error.status if error else 200, error=error, whole=whole, **shown)


async def _moves(desk: Desk, caller: Caller) -> dict[str, object]:
    listed: m.MoveList = await desk.run("move.list", caller, Nothing())
    known: identity.TenantList = await desk.run("tenant.list", caller, identity.Nothing())
    going = {one.tenant for one in listed.moves}
    free = [one for one in known.tenants if one.id not in going and not one.name.startswith(PROBE_TENANT)]
    return {"moves": listed.moves, "names": {one.id: one.name for one in known.tenants}, "tenants": free}
