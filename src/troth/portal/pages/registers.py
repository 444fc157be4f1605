"""Registers: which there are, what is due, the records of one, and one record with what may be done with it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.gateway.intake.admitted import MAX_BYTES
from troth.governance import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.kernel.operation import Binary
from troth.portal import governance_words
from troth.portal.desk import Desk
from troth.portal.downloads import attachment
from troth.portal.forms import file_and_form, filled, form_of, text
from troth.portal.pages.risk_charts import charts_of
from troth.portal.render import Page, page, shortened

_HERE = "/registers"
_BAD = "Fill in what is asked for, as the hints say."
_SEARCH = "Choose a state of the register, or write what to look for."
_FILE = "Choose one file: text, a table, JSON, a picture, or a plain PDF."
_COLUMNS = 4  # of a record, in a list
_MOST_DUES = 40
_MOST_HERE = 8  # of what is due in one register, above its records
_NEWEST = 200  # records that are named where they are due
_LONG = ("long", "file", "digest")  # kinds of fields that no cell of a list holds


async def show(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Every register that the caller may read, and what is due in them."""
    known: m.RegistersShown = await desk.run("register.forms", caller, m.RegisterForms())
    due: m.DuesShown = await desk.run("register.dues", caller, m.RegisterForms())
    titles = {one.form: one.title for one in known.registers}
    dues, more = due.dues[:_MOST_DUES], due.more or len(due.dues) > _MOST_DUES
    frame = Page("Registers", _HERE, caller)
    unjudged = sorted({*known.unjudged, *due.unjudged})
    shown = {"known": known.registers, "dues": dues, "more": more, "titles": titles, "unjudged": unjudged}
    return page("registers.html", frame, 200, say=governance_words, **shown)


async def records(desk: Desk, request: Request, caller: Caller) -> Response:
    """The records of one register, and the form that opens another."""
    return await _records(desk, request, caller)


async def open_(desk: Desk, request: Request, caller: Caller) -> Response:
    """Open a record."""
    form, name = await form_of(request), request.path_params["form"]
    try:
        wish = filled(m.RecordOpen, _BAD, form=name, values=_values(form))
        made: m.RecordShown = await desk.run("register.open", caller, wish)
    except TrothError as error:
        return await _records(desk, request, caller, error)
    return RedirectResponse(f"{_HERE}/{name}/{made.id}", 303)


async def export(desk: Desk, request: Request, caller: Caller) -> Response:
    """The register as a table."""
    wish = filled(m.RegisterExport, _BAD, form=request.path_params["form"])
    found: Binary = await desk.run("register.export", caller, wish)
    named = {"content-disposition": f'attachment; filename="{found.filename}"'}
    return Response(found.content, media_type="text/csv", headers=named)


async def record(desk: Desk, request: Request, caller: Caller) -> Response:
    """One record: values, moves, what is due, what is not in order, and every entry."""
    return await _record(desk, request, caller)


async def move(desk: Desk, request: Request, caller: Caller) -> Response:
    """Make a move of it."""
    form, path = await form_of(request), request.path_params
    try:
        fields = {"form": path["form"], "record_id": path["record_id"], "move": path["move"]}
        wish = filled(m.RecordMove, _BAD, values=_values(form), seen=text(form, "seen"), **fields)  # always on a page
        await desk.run("register.move", caller, wish)
    except TrothError as error:
        return await _record(desk, request, caller, error)
    return RedirectResponse(f"{_HERE}/{path['form']}/{path['record_id']}", 303)


async def attach(desk: Desk, request: Request, caller: Caller) -> Response:
    """Keep a file with a record."""
    path = request.path_params
    try:
        upload, form = await file_and_form(request, "file", MAX_BYTES)
        about = text(form, "about") or None
        fields = {"form": path["form"], "record_id": path["record_id"], "about": about}
        await desk.run("register.attach", caller, filled(m.RecordAttach, _FILE, file=upload, **fields))
    except TrothError as error:
        return await _record(desk, request, caller, error)
    return RedirectResponse(f"{_HERE}/{path['form']}/{path['record_id']}", 303)


async def file(desk: Desk, request: Request, caller: Caller) -> Response:
    """A file of a record, as a download."""
    opened: Binary = await desk.run("register.file", caller, filled(m.FileNamed, _FILE, **request.path_params))
    return attachment(opened)


async def detach(desk: Desk, request: Request, caller: Caller) -> Response:
    """Erase a file of a record."""
    await form_of(request)
    path = request.path_params
    try:
        await desk.run("register.detach", caller, filled(m.FileNamed, _FILE, **path))
    except TrothError as error:
        return await _record(desk, request, caller, error)
    return RedirectResponse(f"{_HERE}/{path['form']}/{path['record_id']}", 303)


def _values(form: Any) -> dict[str, str]:
    """What was filled in; names of fields stand behind a prefix, so that no field takes the place of another input."""
    given = {name.removeprefix("value-"): text(form, name) for name in form if name.startswith("value-")}
    return {name: one.replace("\r\n", "\n") for name, one in given.items() if one}  # as browsers send lines


async def _records(desk: Desk, request: Request, caller: Caller, error: TrothError | None = None) -> Response:
    name, asked = request.path_params["form"], request.query_params
    form: m.FormShown = await desk.run("register.form", caller, filled(m.RegisterNamed, _BAD, form=name))
    wanted = {one: asked[one] for one in ("state", "text", "after") if asked.get(one)}
    found: m.RecordPage = await desk.run("register.list", caller, filled(m.RegisterList, _SEARCH, form=name, **wanted))
    frame = Page(form.title, _HERE, caller)
    dues = await _dues(desk, caller, name) if form.moves else []
    shown = {
        "form": form,
        "found": found,
        "asked": {"state": "", "text": "", "after": ""} | wanted,
        "columns": _columns(form),
        "dues": dues[:_MOST_HERE],
        "more_dues": len(dues) > _MOST_HERE,
        "due_of": {one.record: one for one in reversed(dues)},
        "titles": await _titles(desk, caller, name, found, dues[:_MOST_HERE]),
        "risks": await charts_of(desk, caller, name),
    }
    return page("register.html", frame, error.status if error else 200, error=error, say=governance_words, **shown)


async def _dues(desk: Desk, caller: Caller, form: str) -> list[m.DueShown]:
    """What is due in one register, overdue first."""
    found: m.DuesShown = await desk.run("register.dues", caller, m.RegisterForms())
    return [one for one in found.dues if one.form == form]


async def _titles(desk: Desk, caller: Caller, form: str, found: m.RecordPage, dues: list[m.DueShown]) -> dict[str, str]:
    """What the records of a page are called, and those that are due among the newest."""
    titles = {one.id: _title(one) for one in found.records}
    if any(one.record not in titles for one in dues):
        newest: m.RecordPage = await desk.run("register.list", caller, m.RegisterList(form=form, limit=_NEWEST))
        titles |= {one.id: _title(one) for one in newest.records}
    return titles


def _columns(form: m.FormShown) -> list[m.FieldShown]:
    """The first fields that people enter and that fit a cell."""
    moves = [*form.moves, *([form.opens] if form.opens else [])]
    entered = {field.name for one in moves for field in one.fields}
    fit = [one for one in form.fields if one.kind not in _LONG and (one.name in entered or form.opens is None)]
    return fit[:_COLUMNS]


def _title(one: m.RecordShown) -> str:
    """What a record is called by people: its name, or the beginning of its id."""
    name = one.values.get("name")
    return name if isinstance(name, str) else shortened(one.id)


async def _record(desk: Desk, request: Request, caller: Caller, error: TrothError | None = None) -> Response:
    name = request.path_params["form"]
    wish = filled(m.RecordNamed, _BAD, form=name, record_id=request.path_params["record_id"])
    form: m.FormShown = await desk.run("register.form", caller, filled(m.RegisterNamed, _BAD, form=name))
    opened: m.RecordOpened = await desk.run("register.show", caller, wish)
    history: m.HistoryShown = await desk.run("register.history", caller, wish)
    files: m.FilesShown = await desk.run("register.files", caller, wish)
    frame = Page(form.title, _HERE, caller)
    moves = [one for one in form.moves if one.name in opened.moves]
    named = [one for one in form.fields if one.kind == "person" and opened.record.values.get(one.name)]
    shown = {"form": form, "opened": opened, "history": history.events, "moves": moves, "files": files.files}
    shown["people"] = [one for one in named if not one.many]
    return page(
        "register_record.html", frame, error.status if error else 200, error=error, say=governance_words, **shown
    )
