"""The public pages about promises: the paper in force beside what is known of it, one promise, and what changed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound, TrothError
from troth.portal import charts
from troth.portal.desk import Desk
from troth.portal.forms import document_of, filled
from troth.portal.render import Page, page, text_of
from troth.promises.own_promises import NAMED_TWICE
from troth.promises.showing import PromiseShown, ShowPromise
from troth.promises.trust import ChangesOfTrust, ShowTrust
from troth.promises.trust_view import PromiseBrief, SentenceShown, TrustShown
from troth.vault.verification import CertificateGiven, CertificateHolds

_FAMILIES = {
    "TRN": "Training",
    "LOC": "Where data lives",
    "CLS": "Classes of data",
    "CRY": "Encryption and keys",
    "ACC": "Access",
    "IDN": "Identity",
    "AUD": "Audit log",
    "MON": "Monitoring",
    "EDG": "Network edge",
    "BCK": "Backups",
    "DEL": "Deletion",
    "RGT": "Rights of people",
    "VEN": "Vendors",
    "INC": "Incidents",
    "GOV": "Governance",
}
_PLACES = {"eu": "the European Union", "us": "the United States", "au": "Australia"}
_MARKS = {
    "kept": "k",
    "kept with exception": "e",
    "not kept": "b",
    "unknown": "u",
    "not configured": "a",
}
_TABLE = "public, max-age=60"  # of what is the same for everybody
_ATOM = "application/atom+xml"
_EMPHASIS = re.compile(r"(?<!\w)[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}(?!\w)")
_STEPS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence or promise of the page."""

    id: str
    text: str
    heading: bool
    state: str | None
    age: str
    carries: tuple[tuple[str, str], ...]  # promise, class of its mark
    months: tuple[str, ...]
    because: str | None


@dataclass
class _Last:
    """The page of strangers as it was made last: a crowd is given the same."""

    view: TrustShown | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


_LAST = _Last()


async def trust(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The paper in force, sentence by sentence; without one, every promise by family."""
    view: TrustShown = await desk.run("trust.show", caller, ShowTrust())
    if caller.anonymous and _LAST.view is view:
        return Response(_LAST.body, headers=_LAST.headers)
    runs = caller.kind == "operator" and caller.authentication.assurance >= 2
    response = page("trust.html", Page("Promises and evidence", "/trust", caller), runs=runs, **shown_of(view))
    if caller.anonymous:
        _LAST.view, _LAST.body, _LAST.headers = view, bytes(response.body), dict(response.headers)
    return response


async def promise(desk: Desk, request: Request, caller: Caller) -> Response:
    """One promise: how it is checked, its exception, its proofs, its year, and where the paper says it."""
    name = request.path_params["promise"]
    view: TrustShown = await desk.run("trust.show", caller, ShowTrust())
    said = [one for one in view.sentences if name in one.carries]
    frame = Page(name, "/trust", caller)
    own = next((one for one in view.promises if one.id == name), None)
    try:
        told: PromiseShown | None = await desk.run("promise.show", caller, ShowPromise(promise=name))
    except NotFound:
        if own is None:
            raise
        told = None
    months: list[Any] = [(one.month, one.state, one.days) for one in told.months] if told else []
    if told is None and own is not None:
        months = list(zip(view.months, own.months, strict=False))
    texts = [_plain(one.text, markdown=view.markdown) for one in said]
    twice = own is not None and own.reason == NAMED_TWICE
    facts: dict[str, Any] = {"told": told, "own": own, "twice": twice, "said": texts, "months": months}
    return page("trust_promise.html", frame, bar=charts.bar, **facts)


async def table(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The same as the page, for programs."""
    view: TrustShown = await desk.run("trust.show", caller, ShowTrust())
    return Response(view.model_dump_json(), media_type="application/json", headers={"cache-control": _TABLE})


async def changes(desk: Desk, _request: Request, caller: Caller) -> Response:
    """What changed, as a feed (RFC 4287)."""
    found: ChangesOfTrust = await desk.run("trust.changes", caller, ShowTrust())
    newest = max((one.at for one in found.changes), default=0)
    place = {"base": found.address, "host": urlsplit(found.address).hostname}  # not what a request says of itself
    content = text_of("trust_changes.xml", changes=found.changes, updated=newest, iso=_iso, **place)
    return Response(content, media_type=_ATOM, headers={"cache-control": _TABLE})


def shown_of(view: TrustShown) -> dict[str, Any]:
    """What the template of the page takes; tests hand in papers that nobody published."""
    marks = {one.id: _MARKS[one.state] for one in view.promises}
    lines = [_sentence(one, marks, view) for one in view.sentences]
    parts = [("", "", lines)] if lines else _families(view)
    carried = sum(1 for one in view.sentences if one.carries)
    where = _PLACES.get(view.jurisdiction, view.jurisdiction.upper())
    return {"view": view, "parts": parts, "carried": carried, "where": where, "bar": charts.bar}


def _families(view: TrustShown) -> list[tuple[str, str, list[Line]]]:
    return [
        (letters, name, [_promise(one, view.at) for one in view.promises if one.id.startswith(letters)])
        for letters, name in _FAMILIES.items()
    ]


def _sentence(one: SentenceShown, marks: dict[str, str], view: TrustShown) -> Line:
    age = _age(one.checked_at, view.at) if one.carries else ""
    if one.lapsed:
        age = "no certificate for this is on record today"
    carries = tuple((promise, marks.get(promise, "u")) for promise in one.carries)
    heading = one.because == "heading" and not one.lapsed
    text = _plain(one.text, markdown=view.markdown)
    return Line(one.at, text, heading, one.state, age, carries, one.months, one.because)


def _promise(one: PromiseBrief, now: int) -> Line:
    return Line(one.id, one.statement, False, one.state, _age(one.checked_at, now), ((one.id, _MARKS[one.state]),),
                one.months, None)  # fmt: skip


def _plain(text: str, *, markdown: bool) -> str:
    """Words without the marks of emphasis of Markdown: the binding has them, readers need not. Inside a word, and in a
    text of another layout, they are part of it. Cells of a table have a dot between them."""
    return _EMPHASIS.sub("", text).replace(" | ", " \u00b7 ") if markdown else text


def _age(at: int | None, now: int) -> str:
    if at is None:
        return "not looked at yet"
    seconds = max(0, now - at) // 1000
    for size, name in _STEPS:
        if seconds >= size:
            count = seconds // size
            return f"checked {count} {name}{'' if count == 1 else 's'} ago"
    return "checked just now"


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def verify(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """The form to check a certificate."""
    return page("verify.html", Page("Verify a certificate", "/verify", caller), result=None, error=None)


async def verify_given(desk: Desk, request: Request, caller: Caller) -> Response:
    """Check a certificate, uploaded or pasted, with this installation's keys."""
    document = await document_of(request, "document")
    frame = Page("Verify a certificate", "/verify", caller)
    try:
        advice = "Give the whole certificate, as a file or pasted; it begins with {."
        wish = filled(CertificateGiven, advice, document=document)
        held: CertificateHolds = await desk.run("certificate.verify", caller, wish)
    except TrothError as error:
        return page("verify.html", frame, error.status, result=None, error=error)
    return page("verify.html", frame, result=held, error=None)
