"""The auditor's room: what it covers and until when, every look of its period, samples, papers, questions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.audit.operations import ProofView
from troth.governance.room import messages as m
from troth.kernel.caller import Caller
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import TrothError
from troth.kernel.operation import Binary
from troth.portal.desk import Desk
from troth.portal.downloads import attachment
from troth.portal.forms import filled, form_of, text
from troth.portal.pages.log import proof_page
from troth.portal.render import Page, page

_HERE = "/room"
_DAYS = "Choose days that lie in the period of the room."
_SAMPLE = "A nonce has 8 to 128 letters, digits, dots, hyphens or underscores; draw 1 to 200 looks."
_QUESTION = "Write what you ask or found, in at most 4,000 characters."
_DAY_MS = 86_400_000


async def mine(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The rooms that are open for the caller; who has one enters it."""
    found: m.RoomsShown = await desk.run("room.list", caller, m.RoomList())
    if len(found.rooms) == 1:
        return RedirectResponse(f"{_HERE}/{found.rooms[0].id}", 303)
    return page("rooms.html", Page("Rooms", _HERE, caller), rooms=found.rooms, days=_days)


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """One room."""
    return await _room(desk, request, caller)


async def ask(desk: Desk, request: Request, caller: Caller) -> Response:
    """Ask something, or state a finding."""
    form, room = await form_of(request), request.path_params["room_id"]
    try:
        fields = {
            "kind": text(form, "kind"),
            "promise": text(form, "promise") or None,
            "question": text(form, "question"),
        }
        await desk.run("room.ask", caller, filled(m.RoomQuestion, _QUESTION, room_id=room, **fields))
    except TrothError as error:
        return await _room(desk, request, caller, error)
    return RedirectResponse(f"{_HERE}/{room}#questions", 303)


async def report(desk: Desk, request: Request, caller: Caller) -> Response:
    """What was found in the period, as a file."""
    try:
        made: Binary = await desk.run("room.report", caller, m.RoomPaper(**request.path_params))
    except TrothError as error:
        return await _room(desk, request, caller, error)
    return attachment(made)


async def records(desk: Desk, request: Request, caller: Caller) -> Response:
    """The records of a register as they stood at the end of the period."""
    wish = m.RoomRecords(**request.path_params, after=request.query_params.get("after") or None)
    found: m.RecordsInRoom = await desk.run("room.records", caller, wish)
    opened: m.RoomOpened = await desk.run("room.show", caller, m.RoomNamed(room_id=wish.room_id))
    frame = Page(found.title, _HERE, caller)
    return page("room_records.html", frame, room=opened.room, found=found, days=_days)


async def runs(desk: Desk, request: Request, caller: Caller) -> Response:
    """Every look of a check in the period, page by page."""
    return await _runs(desk, request, caller)


async def sample(desk: Desk, request: Request, caller: Caller) -> Response:
    """Looks that neither side chose."""
    form, path = await form_of(request), request.path_params
    given = {"nonce": text(form, "nonce"), "size": text(form, "size")}
    try:
        drawn: m.SampleInRoom = await desk.run("room.sample", caller, filled(m.RoomSample, _SAMPLE, **path, **given))
    except TrothError as error:
        return await _runs(desk, request, caller, error=error, given=given)
    return await _runs(desk, request, caller, drawn=drawn, given=given)


async def proof(desk: Desk, request: Request, caller: Caller) -> Response:
    """The proof that a look stands in the log as it is shown."""
    path = request.path_params
    proven: m.RunProven = await desk.run("room.proof", caller, m.RoomRun(**path))
    frame = Page("Proof of a look", f"{_HERE}/{path['room_id']}/checks/{path['check']}", caller)
    return proof_page(ProofView(**proven.model_dump()), frame, back=f"Looks of {path['check']}")


async def _room(desk: Desk, request: Request, caller: Caller, error: TrothError | None = None) -> Response:
    opened: m.RoomOpened = await desk.run("room.show", caller, m.RoomNamed(room_id=request.path_params["room_id"]))
    now = epoch_ms(datetime.now(UTC))
    shown: dict[str, Any] = {
        "opened": opened,
        "room": opened.room,
        "left": (opened.room.until - now) // _DAY_MS,
        "over": opened.room.end <= now,
        "days": _days,
        "error": error,
    }
    return page("room.html", Page(opened.room.name, _HERE, caller), error.status if error else 200, **shown)


async def _runs(
    desk: Desk,
    request: Request,
    caller: Caller,
    *,
    drawn: m.SampleInRoom | None = None,
    error: TrothError | None = None,
    given: dict[str, str] | None = None,
) -> Response:
    path = request.path_params
    asked = {one: request.query_params.get(one, "") for one in ("from", "to", "after")}
    wanted = {name: one for name, one in asked.items() if one}
    opened: m.RoomOpened = await desk.run("room.show", caller, m.RoomNamed(room_id=path["room_id"]))
    found: m.RunsInRoom | None = None
    try:
        found = await desk.run("room.runs", caller, filled(m.RoomRuns, _DAYS, **path, **wanted))
    except TrothError as refused:
        if not wanted:
            raise
        error = refused
    shown: dict[str, Any] = {"room": opened.room, "check": path["check"], "found": found, "asked": asked}
    shown |= {"drawn": drawn, "error": error, "given": given or {"nonce": "", "size": "25"}, "days": _days}
    shown["promises"] = [one for one in opened.promises if path["check"] in one.checks]
    status = error.status if error else 200
    return page("room_runs.html", Page(f"Looks of {path['check']}", _HERE, caller), status, **shown)


def _days(room: m.RoomShown) -> tuple[int, int, int]:
    """First and last day of the period, and the last day of access, as times in them."""
    return room.start, room.end - 1, room.until - 1
