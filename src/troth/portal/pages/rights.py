"""One's own rights: requests with their clocks, objections, statements."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text, typed
from troth.portal.render import Page, page
from troth.vault.rights import messages as m

HERE = "/my-requests"


async def listing(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Requests, objections and statements, and a form for a new request."""
    return await _listing(desk, caller)


async def file(desk: Desk, request: Request, caller: Caller) -> Response:
    """Ask for a right."""
    form = await form_of(request)
    kind = text(form, "kind")
    fields = {"kind": kind, "text": typed(form, "text").strip()}
    if kind == "objection":
        fields["purpose"] = text(form, "purpose")
    try:
        wish = filled(m.RequestFile, "Choose what you ask for; an objection names the use.", **fields)
        made: m.RequestShown = await desk.run("request.file", caller, wish)
    except TrothError as error:
        return await _listing(desk, caller, error)
    return RedirectResponse(f"{HERE}/{made.id}", 303)


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """One request: its clock, what was written, the answer."""
    return await _show(desk, caller, request.path_params["request_id"])


async def confirm(desk: Desk, request: Request, caller: Caller) -> Response:
    """It is mine."""
    return await _act(desk, request, caller, "request.confirm")


async def withdraw(desk: Desk, request: Request, caller: Caller) -> Response:
    """I take it back."""
    return await _act(desk, request, caller, "request.withdraw")


async def lift(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take an objection back."""
    await desk.run("objection.lift", caller, m.ObjectionNamed(objection_id=request.path_params["objection_id"]))
    return RedirectResponse(HERE, 303)


async def state(desk: Desk, request: Request, caller: Caller) -> Response:
    """Say something about data that cannot be changed."""
    form = await form_of(request)
    fields = {"about": text(form, "about"), "text": typed(form, "statement").strip()}
    try:
        said = filled(m.StatementAdd, "Say what it is about, an id or one word, and your statement.", **fields)
        await desk.run("statement.add", caller, said)
    except TrothError as error:
        return await _listing(desk, caller, error)
    return RedirectResponse(HERE, 303)


async def _act(desk: Desk, request: Request, caller: Caller, name: str) -> Response:
    wanted = request.path_params["request_id"]
    try:
        await desk.run(name, caller, m.RequestNamed(request_id=wanted))
    except TrothError as error:
        if error.status == 404:
            raise
        return await _show(desk, caller, wanted, error)
    return RedirectResponse(f"{HERE}/{wanted}", 303)


async def _show(desk: Desk, caller: Caller, wanted: str, error: TrothError | None = None) -> Response:
    opened: m.RequestOpened = await desk.run("request.show", caller, m.RequestNamed(request_id=wanted))
    frame = Page("Request", HERE, caller)
    return page("my_request.html", frame, error.status if error else 200, opened=opened, error=error)


async def _listing(desk: Desk, caller: Caller, error: TrothError | None = None) -> Response:
    found: m.RequestList = await desk.run("request.list", caller, m.Nothing())
    objections: m.ObjectionList = await desk.run("objection.list", caller, m.Nothing())
    statements: m.StatementList = await desk.run("statement.list", caller, m.Nothing())
    standing = [one for one in objections.objections if one.lifted_at is None]
    return page(
        "my_requests.html",
        Page("My requests", HERE, caller),
        error.status if error else 200,
        requests=found.requests,
        objections=standing,
        signalled=any(one.source == "gpc" for one in standing),
        statements=statements.statements,
        error=error,
    )
