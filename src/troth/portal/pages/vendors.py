"""Vendors, for operators: what lapses next, one vendor's papers and history, and who was exposed by an incident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.gateway.vendors.papers import questionnaire
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.wire.vendors import (
    DecideVendor,
    Exposure,
    ListVendors,
    NextLapses,
    ShowExposure,
    TestContact,
    VendorById,
    Vendors,
)
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, TrothError
from troth.portal.desk import Desk
from troth.portal.forms import WHY, filled, form_of, text
from troth.portal.render import Page, page

_DAYS = "Give two days, the first before the second."


async def listed(desk: Desk, _request: Request, caller: Caller) -> Response:
    """All vendors, and what lapses next."""
    return await _list(desk, caller)


async def one(desk: Desk, request: Request, caller: Caller) -> Response:
    """One vendor: papers, what was seen, history."""
    return await _one(desk, caller, request.path_params["vendor_id"])


async def approve(desk: Desk, request: Request, caller: Caller) -> Response:
    """Confirm a vendor's review."""
    return await _decide(desk, caller, "vendor.approve", request)


async def suspend(desk: Desk, request: Request, caller: Caller) -> Response:
    """Stop every call to a vendor."""
    return await _decide(desk, caller, "vendor.suspend", request)


async def contact(desk: Desk, request: Request, caller: Caller) -> Response:
    """Note a test of the contact for incidents."""
    form, vendor = await form_of(request), request.path_params["vendor_id"]
    try:
        answered = text(form, "answered") == "yes"
        wish = filled(TestContact, "Say whether somebody answered.", vendor_id=vendor, answered=answered)
        await desk.run("vendor.contact", caller, wish)
    except TrothError as error:
        return await _one(desk, caller, vendor, error=error)
    return RedirectResponse(f"/vendors/{vendor}", 303)


async def look(desk: Desk, request: Request, caller: Caller) -> Response:
    """Look at which TLS the address offers."""
    vendor = request.path_params["vendor_id"]
    try:
        await desk.run("vendor.probe", caller, filled(VendorById, "There is no such vendor.", vendor_id=vendor))
    except TrothError as error:
        return await _one(desk, caller, vendor, error=error)
    return RedirectResponse(f"/vendors/{vendor}", 303)


async def exposure(desk: Desk, request: Request, caller: Caller) -> Response:
    """Tenants and requests that used a vendor in a window of days."""
    vendor, asked = request.path_params["vendor_id"], request.query_params
    try:
        since, until = _start(asked.get("since", "")), _start(asked.get("until", "")) + 86_400_000
        wish = filled(ShowExposure, _DAYS, vendor_id=vendor, since=since, until=until)
        found: Exposure = await desk.run("vendor.exposure", caller, wish)
    except TrothError as error:
        return await _one(desk, caller, vendor, error=error)
    return await _one(desk, caller, vendor, found=found)


def _start(day: str) -> int:
    try:
        return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError as error:
        raise Invalid(_DAYS, code="bad-window", field="since") from error


async def _decide(desk: Desk, caller: Caller, name: str, request: Request) -> Response:
    form = await form_of(request)
    try:
        named = {"vendor_id": request.path_params["vendor_id"], "reason": text(form, "reason")}
        await desk.run(name, caller, filled(DecideVendor, WHY, **named))
    except TrothError as error:
        return await _list(desk, caller, error=error)
    return RedirectResponse("/vendors", 303)


async def _list(desk: Desk, caller: Caller, *, error: TrothError | None = None) -> Response:
    known: Vendors = await desk.run("vendor.list", caller, ListVendors())
    coming: NextLapses = await desk.run("vendor.lapses", caller, ListVendors())
    soon = [one for one in coming.lapses if one.state != "later"]
    frame = Page("Vendors", "/vendors", caller)
    status = error.status if error else 200
    return page("vendors.html", frame, status, vendors=known.vendors, soon=soon, error=error)


async def _one(
    desk: Desk, caller: Caller, vendor: str, *, error: TrothError | None = None, found: Exposure | None = None
) -> Response:
    wish = filled(VendorById, "There is no such vendor.", vendor_id=vendor)
    record: VendorRecord = await desk.run("vendor.show", caller, wish)
    coming: NextLapses = await desk.run("vendor.lapses", caller, ListVendors())
    frame = Page(record.facts.name, "/vendors", caller)
    told: dict[str, Any] = {
        "one": record,
        "facts": record.facts,
        "lapses": [one for one in coming.lapses if one.vendor == vendor],
        "questions": questionnaire(record.facts.diligence.questionnaire) if record.facts.diligence else {},
        "today": datetime.now(UTC).date(),
        "month_ago": datetime.now(UTC).date() - timedelta(days=30),
    }
    return page("vendor.html", frame, error.status if error else 200, error=error, found=found, **told)
