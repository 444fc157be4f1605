"""What doors may ask of the log: an auditor's page, a person's own page, and the proof of an entry."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.audit.leaf import read_leaf
from troth.audit.log import Filter, LogEntry, LogPublisher, LogReader, Page, media_type
from troth.audit.origins import Origins
from troth.audit.proofs import Prover
from troth.kernel.errors import NotFound
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.kernel.record import Fact, Outcome

_Token = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/+=-]*$")]
_Moment = Annotated[int, Field(ge=0, lt=1 << 53)]
_Index = Annotated[int, Field(ge=0, lt=1 << 53)]


class OwnListRequest(BaseModel):
    """A page below index `before`, newest first; times are epoch milliseconds, `since` in, `until` out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: _Index | None = None
    limit: int = Field(default=50, ge=1, le=200)
    operation: _Token | None = None
    outcome: Outcome | None = None
    since: _Moment | None = None
    until: _Moment | None = None


class AuditListRequest(OwnListRequest):
    """The same, for any actor of the tenant or only one."""

    actor: _Token | None = None


class ProveRequest(BaseModel):
    """Which entry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: _Index


class FetchRequest(BaseModel):
    """A resource of the log in the C2SP tlog-tiles layout: `checkpoint`, `tile/0/000`, `tile/entries/000.p/12`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[str, Field(max_length=120, pattern=r"^(checkpoint|tile/[a-z0-9./x]+)$")]


class EntryView(BaseModel):
    """One entry as a reader sees it."""

    index: int
    time: int
    operation: str
    phase: str
    outcome: str
    actor: str
    request: str
    code: str | None = None
    facts: dict[str, Fact] = {}


class AuditPage(BaseModel):
    """Entries, newest first. A page may be short or empty and still have a `next`: ask again with `before` = `next`."""

    entries: list[EntryView]
    next: int | None


class ProofView(BaseModel):
    """All that a stranger needs beside the log's key: `leaf` is the entry's text, `proof` a C2SP tlog-proof.

    `key` is the log's verifier key as this server states it; take it from a source of your own when it matters.
    """

    index: int
    leaf: str
    proof: str
    key: str


class AuditOperations:
    """Reads the caller's own log: the tenant's, or the operator log for an operator."""

    def __init__(self, reader: LogReader, prover: Prover, origins: Origins, publisher: LogPublisher) -> None:
        self._reader = reader
        self._prover = prover
        self._origins = origins
        self._publisher = publisher

    @operation(
        "audit.list",
        group=Group.AUDIT,
        request=AuditListRequest,
        route=Route("GET", "/v1/activity", body="none"),
        command=("log", "list"),
    )
    def list(self, call: Call, request: AuditListRequest) -> AuditPage:
        """The log of your tenant, newest first."""
        wanted = replace(_filter(request), actor=request.actor)
        return self._page(call, wanted, request)

    @operation(
        "log.fetch",
        group=Group.AUDIT,
        request=FetchRequest,
        route=Route("GET", "/v1/log/{path:path}", body="none"),
    )
    def fetch(self, call: Call, request: FetchRequest) -> Binary:
        """A checkpoint, tile or entry bundle of the log of your tenant, to mirror and audit it."""
        return Binary(self._publisher.resource(_log(call), request.path), media_type(request.path))

    @operation(
        "activity.list",
        group=Group.OWN_DATA,
        request=OwnListRequest,
        route=Route("GET", "/v1/activity/own", body="none"),
        command=("activity", "list"),
    )
    def own(self, call: Call, request: OwnListRequest) -> AuditPage:
        """What was done by you or about you, newest first."""
        wanted = replace(_filter(request), own=(call.caller.actor, call.caller.subject))
        return self._page(call, wanted, request)

    @operation(
        "audit.prove",
        group=Group.AUDIT,
        request=ProveRequest,
        route=Route("GET", "/v1/activity/{index}/proof", body="none"),
        command=("log", "prove"),
    )
    def prove(self, call: Call, request: ProveRequest) -> ProofView:
        """The proof that an entry stands in the log of your tenant, to be checked offline."""
        log = _log(call)
        return self._proof(log, request.index, self._reader.entry(log, request.index))

    @operation(
        "activity.prove",
        group=Group.OWN_DATA,
        request=ProveRequest,
        route=Route("GET", "/v1/activity/own/{index}/proof", body="none"),
        command=("activity", "prove"),
    )
    def prove_own(self, call: Call, request: ProveRequest) -> ProofView:
        """The proof of one of your own entries, to be checked offline."""
        log = _log(call)
        leaf = self._reader.entry(log, request.index)
        _require_own(call, leaf)
        return self._proof(log, request.index, leaf)

    def _page(self, call: Call, wanted: Filter, request: OwnListRequest) -> AuditPage:
        log = _log(call)
        try:
            page = self._reader.page(log, wanted, before=request.before, limit=request.limit)
        except NotFound:
            page = Page([], None)  # the tenant's first entries are still on their way
        call.note(count=len(page.entries))
        return AuditPage(entries=[_view(entry) for entry in page.entries], next=page.next)

    def _proof(self, log: str, index: int, leaf: bytes) -> ProofView:
        proof = self._prover.proof(log, index)
        return ProofView(index=index, leaf=leaf.decode(), proof=proof, key=str(self._origins.key(log)))


def _log(call: Call) -> str:
    """The log that a caller may read. Raises `NotFound` for one who has neither a tenant nor the service."""
    return "operator" if call.caller.kind == "operator" and call.caller.tenant is None else call.tenant


def _filter(request: OwnListRequest) -> Filter:
    outcome = None if request.outcome is None else request.outcome.value
    return Filter(operation=request.operation, outcome=outcome, since=request.since, until=request.until)


def _require_own(call: Call, leaf: bytes) -> None:
    members = read_leaf(leaf)
    about = members.get("facts", {}).get("subject")
    if members.get("actor") != call.caller.actor and (about is None or about != call.caller.subject):
        raise NotFound("The log has no entry of yours at that index.")


def _view(entry: LogEntry) -> EntryView:
    members = read_leaf(entry.leaf)
    return EntryView(
        index=entry.index,
        time=members.get("time", 0),
        operation=members.get("op", ""),
        phase=members.get("phase", ""),
        outcome=members.get("outcome", ""),
        actor=members.get("actor", ""),
        request=members.get("request", ""),
        code=members.get("code"),
        facts=members.get("facts", {}),
    )
