"""The tamper-evident log: one's own activity, the tenant's log for auditors, and the proof of an entry."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import groupby
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from troth.audit.browse_operations import DetailsRequest, DetailsView, ExportRequest
from troth.audit.operations import AuditListRequest, AuditPage, EntryView, OwnListRequest, ProofView, ProveRequest
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, Unavailable
from troth.kernel.operation import Binary, Stream
from troth.kernel.record import Outcome
from troth.portal import words
from troth.portal.desk import Desk
from troth.portal.downloads import attachment, inside
from troth.portal.forms import filled, form_of, text
from troth.portal.render import Page, moment, page, shortened

_PAGE = 100
_DAY_MS = 24 * 3600 * 1000
_OWN_FILTERS = ("operation", "outcome", "since", "until", "naming")
_FILTERS = (*_OWN_FILTERS, "actor", "subject")
_OWN = frozenset({"audit", "log", "check", "backup", "vendor", "tenant", "operator", "keys", "key-domain", "move"})
_ADVICE = "Choose an operation, an outcome, days and ids as they stand in the log."
_CHECKPOINT_SECONDS = 1.5
_READINGS = frozenset({"list", "show", "open", "content", "prove", "verify"})
_ACTORS = {"key": "an API key", "svc": "the service", "anonymous": "a stranger", "person": "the person"}
_IDENTIFIED = ("usr_", "key_")
_MOMENTS = frozenset({"expires", "since", "until"})
_DIGEST = re.compile(r"[0-9a-f]{40,}\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """Entries in a row that say the same of the same actor."""

    entries: tuple[EntryView, ...]
    who: str

    @property
    def newest(self) -> EntryView:
        """The entry that speaks for all."""
        return self.entries[0]


async def activity(desk: Desk, request: Request, caller: Caller) -> Response:
    """What was done by this person or about them."""
    asked = _asked(request, _OWN_FILTERS)
    wanted = filled(OwnListRequest, _ADVICE, limit=_PAGE, before=_before(request), **_chosen(asked))
    found: AuditPage = await desk.run("activity.list", caller, wanted)
    frame = Page("Activity", "/activity", caller)
    return page(
        "activity.html", frame, rows=_rows(found, caller), before=found.next, asked=asked, choices=_choices(_OWN)
    )


async def log(desk: Desk, request: Request, caller: Caller) -> Response:
    """The whole log of the tenant, or of the service for an operator."""
    asked = _asked(request, _FILTERS)
    wanted = filled(AuditListRequest, _ADVICE, limit=_PAGE, before=_before(request), **_chosen(asked))
    found: AuditPage = await desk.run("audit.list", caller, wanted)
    frame = Page("Log", "/log", caller)
    return page(
        "log.html",
        frame,
        rows=_rows(found, caller),
        before=found.next,
        asked=asked,
        choices=_choices(frozenset()),
        query=urlencode({name: value for name, value in asked.items() if value}),
    )


async def export(desk: Desk, request: Request, caller: Caller) -> Response:
    """What the filters choose, as a file: OCSF events or a table."""
    form = request.query_params.get("format", "")
    wanted = filled(ExportRequest, _ADVICE, format=form, **_chosen(_asked(request, _FILTERS)))
    made: Stream = await desk.run("audit.export", caller, wanted)
    headers = {"cache-control": "no-store", **made.headers}
    return StreamingResponse(made.chunks, media_type=made.media_type, headers=headers)


async def own_proof(desk: Desk, request: Request, caller: Caller) -> Response:
    """The proof of one of one's own entries."""
    proof = await _proven(desk, "activity.prove", caller, request)
    found = await desk.run("activity.details", caller, ProveRequest(index=proof.index)) if _sealed(proof) else None
    return proof_page(proof, Page("Proof of an entry", "/activity", caller), found)


async def proof(desk: Desk, request: Request, caller: Caller) -> Response:
    """The proof of any entry, for auditors."""
    shown = await _proven(desk, "audit.prove", caller, request)
    return proof_page(shown, Page("Proof of an entry", "/log", caller))


async def proof_file(desk: Desk, request: Request, caller: Caller) -> Response:
    """The .tlog-proof of any entry, at once."""
    return _file(await _proven(desk, "audit.prove", caller, request))


async def own_proof_file(desk: Desk, request: Request, caller: Caller) -> Response:
    """The .tlog-proof of one of one's own entries, at once."""
    return _file(await _proven(desk, "activity.prove", caller, request))


def _file(proof: ProofView) -> Response:
    content = Binary(proof.proof.encode(), "application/octet-stream", f"entry-{proof.index}.tlog-proof")
    return attachment(content)


async def details(desk: Desk, request: Request, caller: Caller) -> Response:
    """Open what lies sealed beside an entry, with a reason."""
    reason = text(await form_of(request), "reason")
    advice = "Say in 5 to 500 characters why you open these details."
    wanted = filled(DetailsRequest, advice, index=request.path_params["index"], reason=reason)
    found: DetailsView = await desk.run("audit.details", caller, wanted)
    shown = await _proven(desk, "audit.prove", caller, request)
    return proof_page(shown, Page("Proof of an entry", "/log", caller), found)


def _sealed(proof: ProofView) -> bool:
    """True when something may lie sealed beside the entry, or beside the opening one of its request."""
    members = json.loads(proof.leaf)
    return "pd" in members or str(members.get("actor", "")).startswith(_IDENTIFIED)


def proof_page(proof: ProofView, frame: Page, found: DetailsView | None = None, back: str = "") -> Response:
    """The proof of an entry, with both files to take along; `back` names the page that it was asked on."""
    members = json.loads(proof.leaf)
    readable = json.dumps(members, indent=2, ensure_ascii=False)
    return page(
        "proof.html",
        frame,
        proof=proof,
        back=back or ("Activity" if frame.here == "/activity" else "Log"),
        readable=readable,
        entry=members,
        sealed=_sealed(proof),
        details=found,
        leaf_file=inside(proof.leaf.encode(), "application/octet-stream"),
        proof_file=inside(proof.proof.encode(), "application/octet-stream"),
    )


def facts(entry: EntryView) -> list[tuple[str, str]]:
    """What an entry tells beside what was done, in words."""
    return [(words.plain(name), told(name, value)) for name, value in entry.facts.items()]


def told(name: str, value: object) -> str:
    """One fact for people: times as times, counts by kind in words, digests by their beginning."""
    if isinstance(value, dict):
        return ", ".join(f"{count} {words.plain(one).lower()}" for one, count in value.items())
    if name in _MOMENTS and isinstance(value, int):
        return moment(value)
    return shortened(str(value)) if _DIGEST.match(str(value)) else str(value)


def _rows(found: AuditPage, caller: Caller) -> list[tuple[Row, list[tuple[str, str]]]]:
    """Closed entries and events; the opening ones repeat what their ends say. Equal readings become one row."""
    shown = [entry for entry in found.entries if entry.phase != "opened"]
    grouped = groupby(shown, key=_alike)
    rows = [Row(entries := tuple(group), who(entries[0].actor, caller)) for _, group in grouped]
    return [(row, facts(row.newest) if len(row.entries) == 1 else []) for row in rows]


def _alike(entry: EntryView) -> tuple[object, ...]:
    """What puts neighbours into one row: readings that went alike. What changed something stands alone."""
    reading = entry.operation.rpartition(".")[2] in _READINGS
    return (entry.operation, entry.actor, entry.outcome, entry.code, None if reading else entry.index)


def who(actor: str, caller: Caller) -> str:
    """Who did it, for this reader: an id only where there is no word."""
    if actor == caller.actor:
        return "you"
    return _ACTORS.get(actor.partition("_")[0], actor)


def _asked(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    return {name: request.query_params.get(name, "").strip() for name in names}


def _chosen(asked: dict[str, str]) -> dict[str, object]:
    """The filters as the operation wants them: days in UTC, the last one included."""
    chosen: dict[str, object] = {name: value or None for name, value in asked.items()}
    for name, whole in (("since", 0), ("until", _DAY_MS)):
        if chosen[name] is not None:
            chosen[name] = _midnight(str(chosen[name])) + whole
    return chosen


def _midnight(day: str) -> int:
    try:
        return int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()) * 1000
    except ValueError:
        raise Invalid(_ADVICE) from None


def _choices(left_out: frozenset[str]) -> dict[str, object]:
    """What the filter form offers: operations in the order of their words."""
    offered = {name: told for name, told in words.OPERATIONS.items() if name.partition(".")[0] not in left_out}
    outcomes = [one.value for one in Outcome if one is not Outcome.PENDING]
    return {"operations": dict(sorted(offered.items(), key=lambda one: one[1])), "outcomes": outcomes}


def _before(request: Request) -> int | None:
    before = request.query_params.get("before", "")
    return int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None


async def _proven(desk: Desk, name: str, caller: Caller, request: Request) -> ProofView:
    """The newest entries wait a moment for their checkpoint; wait with them, once."""
    wanted = ProveRequest(index=request.path_params["index"])
    try:
        proof: ProofView = await desk.run(name, caller, wanted)
    except Unavailable:
        await asyncio.sleep(_CHECKPOINT_SECONDS)
        proof = await desk.run(name, caller, wanted)
    return proof
