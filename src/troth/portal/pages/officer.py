"""The privacy officer's desk: every request of the tenant with its clocks, and every move with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound, TrothError
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text, typed
from troth.portal.render import Page, page
from troth.vault.rights import messages as m

HERE = "/desk"
Fields = Callable[[FormData], dict[str, Any]]


def _sorted(form: FormData) -> dict[str, Any]:
    kind = text(form, "kind")
    purpose = {"purpose": text(form, "purpose")} if kind == "objection" else {}
    return {"kind": kind, **purpose}


def _verified(form: FormData) -> dict[str, Any]:
    return {"means": text(form, "means"), "subject": text(form, "subject") or None}


def _refused(form: FormData) -> dict[str, Any]:
    return {"reason": text(form, "reason"), "text": typed(form, "text").strip()}


# move in the address -> operation, its request, and what of the form goes in
_MOVES: Mapping[str, tuple[str, type[BaseModel], Fields | None]] = {
    "take": ("request.take", m.RequestNamed, None),
    "sort": ("request.sort", m.RequestSort, _sorted),
    "verify": ("request.verify", m.RequestVerify, _verified),
    "notices": ("request.notify", m.RequestNotice, lambda form: {"notice": text(form, "notice")}),
    "extend": ("request.extend", m.RequestExtend, lambda form: {"reason": text(form, "reason")}),
    "answer": ("request.answer", m.RequestAnswer, lambda form: {"text": typed(form, "text").strip()}),
    "refuse": ("request.refuse", m.RequestRefuse, _refused),
}


async def queue(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The most urgent first, and the notices to be sent by hand."""
    found: m.RequestQueue = await desk.run("request.queue", caller, m.Nothing())
    waiting = [one for one in found.requests if one.open]
    frame = Page("Privacy desk", HERE, caller)
    counts = {name: sum(1 for one in waiting if one.urgency == name) for name in ("overdue", "due-soon", "on-time")}
    letters = [one for one in found.letters if one.by_hand]
    closed = [one for one in found.requests if not one.open]
    return page("desk.html", frame, requests=waiting, closed=closed, counts=counts, letters=letters)


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """One request with what can be done."""
    return await _show(desk, caller, request.path_params["request_id"])


async def move(desk: Desk, request: Request, caller: Caller) -> Response:
    """Make one move."""
    wanted, name = request.path_params["request_id"], request.path_params["move"]
    if name not in _MOVES:
        raise NotFound("There is nothing at this address.", code="no-route")
    operation, model, fields = _MOVES[name]
    try:
        given = fields(await form_of(request)) if fields else {}
        wish = filled(model, "Fill in the form.", request_id=wanted, **given)
        await desk.run(operation, caller, wish)
    except TrothError as error:
        if error.status in (403, 404):
            raise
        return await _show(desk, caller, wanted, error)
    return RedirectResponse(f"{HERE}/{wanted}", 303)


async def _show(desk: Desk, caller: Caller, wanted: str, error: TrothError | None = None) -> Response:
    opened: m.RequestOpened = await desk.run("request.open", caller, m.RequestNamed(request_id=wanted))
    frame = Page("Request", HERE, caller)
    return page("desk_request.html", frame, error.status if error else 200, opened=opened, error=error)
