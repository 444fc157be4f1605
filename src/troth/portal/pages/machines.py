"""Devices with certificates: one's own, to take a lost one out; and for administrators those of everybody."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.identity.certificates import messages as c
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.render import Page, page


async def own(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The person's devices."""
    return await _own(desk, caller)


async def revoke(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take one out; its sessions end."""
    try:
        await desk.run("device.revoke", caller, _named(request))
    except TrothError as error:
        return await _own(desk, caller, error)
    return RedirectResponse("/machines", 303)


async def fleet(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Everybody's."""
    return await _fleet(desk, caller)


async def confirm(desk: Desk, request: Request, caller: Caller) -> Response:
    """Answer for somebody's device."""
    return await _changed(desk, request, caller, "device.confirm")


async def withdraw(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take somebody's out."""
    return await _changed(desk, request, caller, "device.withdraw")


async def _changed(desk: Desk, request: Request, caller: Caller, operation: str) -> Response:
    try:
        await desk.run(operation, caller, _named(request))
    except TrothError as error:
        return await _fleet(desk, caller, error)
    return RedirectResponse("/fleet", 303)


async def _own(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: c.DeviceList = await desk.run("device.list", caller, m.Nothing())
    frame, status = Page("Devices", "/account", caller), error.status if error else 200
    standing = [one for one in found.devices if one.revoked_at is None]
    return page("machines.html", frame, status, devices=standing, error=error)


async def _fleet(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: c.DeviceList = await desk.run("device.inventory", caller, m.Nothing())
    people: m.UserList = await desk.run("user.list", caller, m.Nothing())
    names = {one.id: one.display_name for one in people.users}
    rows = [(one, names.get(one.user, one.user)) for one in found.devices]
    frame, status = Page("Devices of your people", "/people", caller), error.status if error else 200
    return page("fleet.html", frame, status, rows=rows, me=caller.subject, error=error)


def _named(request: Request) -> c.DeviceNamed:
    return c.DeviceNamed(device_id=request.path_params["device_id"])
