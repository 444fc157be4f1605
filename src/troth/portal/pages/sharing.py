"""Objects of several people: an owner adds owners and says whom it shows; people shown see that, and decide."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.pages import data
from troth.portal.render import Page, page
from troth.vault import holding_messages as h
from troth.vault import sharing_messages as m
from troth.vault.messages import Nothing, ObjectNamed

HERE = "/shows-me"


async def share(desk: Desk, request: Request, caller: Caller) -> Response:
    """One more owner."""
    return await _named(desk, request, caller, "object.share")


async def tag(desk: Desk, request: Request, caller: Caller) -> Response:
    """It shows somebody."""
    return await _named(desk, request, caller, "object.tag")


async def leave(desk: Desk, request: Request, caller: Caller) -> Response:
    """Leave it to the other owners."""
    try:
        await desk.run("object.leave", caller, _object(request))
    except TrothError as error:
        return await data.shown(desk, caller, _object(request), error)
    return RedirectResponse("/data", 303)


async def listing(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What shows this person, without its content."""
    return await _listing(desk, caller)


async def deny(desk: Desk, request: Request, caller: Caller) -> Response:
    """It does not show me."""
    try:
        await desk.run("depiction.deny", caller, _object(request))
    except TrothError as error:
        return await _listing(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def _named(desk: Desk, request: Request, caller: Caller, name: str) -> Response:
    wanted = _object(request)
    try:
        person = text(await form_of(request), "person")
        wish = filled(m.PersonOfObject, "Give the address of their account.", object_id=wanted.object_id, person=person)
        await desk.run(name, caller, wish)
    except TrothError as error:
        return await data.shown(desk, caller, wanted, error)
    return RedirectResponse(f"/data/{wanted.object_id}#people", 303)


async def _listing(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: m.Depictions = await desk.run("depiction.list", caller, Nothing())
    processing: h.ProcessingShown = await desk.run("processing.show", caller, Nothing())
    frame = Page("What shows me", "/data", caller)
    status = error.status if error else 200
    return page("shows_me.html", frame, status, depictions=found.depictions, processing=processing, error=error)


def _object(request: Request) -> ObjectNamed:
    return ObjectNamed(object_id=request.path_params["object_id"])
