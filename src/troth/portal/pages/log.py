"""The tamper-evident log: one's own activity, the tenant's log for auditors, and the proof of an entry."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response

from troth.audit.operations import AuditListRequest, AuditPage, EntryView, OwnListRequest, ProofView, ProveRequest
from troth.kernel.caller import Caller
from troth.kernel.errors import Unavailable
from troth.kernel.record import Outcome
from troth.portal import words
from troth.portal.desk import Desk
from troth.portal.downloads import inside
from troth.portal.forms import filled
from troth.portal.render import Page, moment, page

_PAGE = 100
_CHECKPOINT_SECONDS = 1.5
_READINGS = frozenset({"list", "show", "open", "content", "prove", "verify"})
_MOMENTS = frozenset({"expires"})


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
    wanted = OwnListRequest(limit=_PAGE, before=_before(request))
    found: AuditPage = await desk.run("activity.list", caller, wanted)
    return page("activity.html", Page("Activity", "/activity", caller), rows=_rows(found, caller), before=found.next)


async def log(desk: Desk, request: Request, caller: Caller) -> Response:
    """The whole log of the tenant, or of the service for an operator."""
    asked = {name: request.query_params.get(name, "") for name in ("operation", "actor", "outcome")}
    advice = "Choose an operation, an outcome or an actor's id from the log."
    chosen = {name: value or None for name, value in asked.items()}
    wanted = filled(AuditListRequest, advice, limit=_PAGE, before=_before(request), **chosen)
    found: AuditPage = await desk.run("audit.list", caller, wanted)
    frame = Page("Log", "/log", caller)
    return page(
        "log.html",
        frame,
        rows=_rows(found, caller),
        before=found.next,
        asked=asked,
        outcomes=[one.value for one in Outcome if one is not Outcome.PENDING],
        operations=words.OPERATIONS,
    )


async def own_proof(desk: Desk, request: Request, caller: Caller) -> Response:
    """The proof of one of one's own entries."""
    proof = await _proven(desk, "activity.prove", caller, request)
    return _proof(proof, Page("Proof of an entry", "/activity", caller))


async def proof(desk: Desk, request: Request, caller: Caller) -> Response:
    """The proof of any entry, for auditors."""
    shown = await _proven(desk, "audit.prove", caller, request)
    return _proof(shown, Page("Proof of an entry", "/log", caller))


def _proof(proof: ProofView, frame: Page) -> Response:
    readable = json.dumps(json.loads(proof.leaf), indent=2, ensure_ascii=False)
    return page(
        "proof.html",
        frame,
        proof=proof,
        readable=readable,
        leaf_file=inside(proof.leaf.encode(), "application/octet-stream"),
        proof_file=inside(proof.proof.encode(), "application/octet-stream"),
    )


def facts(entry: EntryView) -> list[tuple[str, str]]:
    """What an entry tells beside what was done, in words."""
    return [(words.plain(name), _fact(name, value)) for name, value in entry.facts.items()]


def _fact(name: str, value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {words.plain(one).lower()}" for one, count in value.items())
    return moment(value) if name in _MOMENTS and isinstance(value, int) else str(value)


def _rows(found: AuditPage, caller: Caller) -> list[tuple[Row, list[tuple[str, str]]]]:
    """Closed entries and events; the opening ones repeat what their ends say. Equal readings become one row."""
    shown = [entry for entry in found.entries if entry.phase != "opened"]
    grouped = groupby(shown, key=_alike)
    rows = [Row(entries := tuple(group), _who(entries[0], caller)) for _, group in grouped]
    return [(row, facts(row.newest) if len(row.entries) == 1 else []) for row in rows]


def _alike(entry: EntryView) -> tuple[object, ...]:
    """What puts neighbours into one row: readings that went alike. What changed something stands alone."""
    reading = entry.operation.rpartition(".")[2] in _READINGS
    return (entry.operation, entry.actor, entry.outcome, entry.code, None if reading else entry.index)


def _who(entry: EntryView, caller: Caller) -> str:
    if entry.actor == caller.actor:
        return "you"
    prefix = entry.actor.partition("_")[0]
    return {"key": "an API key", "svc": "the service", "anonymous": "a stranger", "person": "the person"}.get(
        prefix, entry.actor
    )


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
