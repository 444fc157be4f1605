"""What doors may ask of the log: an auditor's page, a person's own page, and the proof of an entry."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.audit.leaf import read_leaf
from troth.audit.log import Filter, LogEntry, LogPublisher, LogReader, Page, media_type
from troth.audit.origins import Origins
from troth.audit.proofs import Prover
from troth.audit.tiles import Tile
from troth.kernel.errors import NotFound
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.kernel.record import Fact, Outcome

_Token = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/+=-]*$")]
_Moment = Annotated[int, Field(ge=0, lt=1 << 53)]
Index = Annotated[int, Field(ge=0, lt=1 << 53)]


class OwnFilter(BaseModel):
    """Which entries: times are epoch milliseconds, `since` in, `until` out; `naming` is an id that they name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: _Token | None = None
    outcome: Outcome | None = None
    since: _Moment | None = None
    until: _Moment | None = None
    naming: _Token | None = None

    def wanted(self) -> Filter:
        """What the log looks for."""
        return Filter(
            operation=self.operation,
            outcome=None if self.outcome is None else self.outcome.value,
            since=self.since,
            until=self.until,
            naming=self.naming,
        )


class AuditFilter(OwnFilter):
    """The same, for any actor of the tenant or only one, about anybody or only one person."""

    actor: _Token | None = None
    subject: _Token | None = None

    def wanted(self) -> Filter:
        """What the log looks for."""
        return replace(super().wanted(), actor=self.actor, subject=self.subject)


class OwnListRequest(OwnFilter):
    """A page below index `before`, newest first, and not older than what stands behind `after`."""

    before: Index | None = None
    after: Index | None = None
    limit: int = Field(default=50, ge=1, le=200)


class AuditListRequest(AuditFilter, OwnListRequest):
    """The same, for the whole log of the tenant."""


class ProveRequest(BaseModel):
    """Which entry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: Index


class FetchRequest(BaseModel):
    """A resource of the log in the C2SP tlog-tiles layout: `checkpoint`, `tile/0/000`, `tile/entries/000.p/12`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Annotated[str, Field(max_length=120, pattern=r"^(checkpoint|minimum|tile/[a-z0-9./x]+)$")]


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
    pd: str | None = None
    """The commitment to personal details that lie sealed beside the log; "unavailable" when keys were away."""


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
        return self._page(call, request.wanted(), request)

    @operation(
        "log.fetch",
        group=Group.AUDIT,
        request=FetchRequest,
        route=Route("GET", "/v1/log/{path:path}", body="none"),
    )
    def fetch(self, call: Call, request: FetchRequest) -> Binary:
        """A checkpoint, tile or entry bundle of the log of your tenant, to mirror and audit it."""
        if (bundled := _bundled(request.path)) is not None:
            call.note(first=bundled[0], last=bundled[1] - 1, count=bundled[1] - bundled[0])
        return Binary(self._publisher.resource(log_of(call), request.path), media_type(request.path))

    @operation(
        "activity.list",
        group=Group.OWN_DATA,
        request=OwnListRequest,
        route=Route("GET", "/v1/activity/own", body="none"),
        command=("activity", "list"),
    )
    def own(self, call: Call, request: OwnListRequest) -> AuditPage:
        """What was done by you or about you, newest first."""
        wanted = replace(request.wanted(), own=(call.caller.actor, call.caller.subject))
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
        log = log_of(call)
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
        log = log_of(call)
        leaf = self._reader.entry(log, request.index)
        require_own(call, leaf)
        return self._proof(log, request.index, leaf)

    def _page(self, call: Call, wanted: Filter, request: OwnListRequest) -> AuditPage:
        log = log_of(call)
        try:
            ahead = replace(wanted, after=request.after)
            page = self._reader.page(log, ahead, before=request.before, limit=request.limit)
        except NotFound:
            page = Page([], None)  # the tenant's first entries are still on their way
        call.note(count=len(page.entries))
        if page.entries:
            call.note(first=page.entries[-1].index, last=page.entries[0].index)
        return AuditPage(entries=[_view(entry) for entry in page.entries], next=page.next)

    def _proof(self, log: str, index: int, leaf: bytes) -> ProofView:
        proof = self._prover.proof(log, index)
        return ProofView(index=index, leaf=leaf.decode(), proof=proof, key=str(self._origins.key(log)))


def log_of(call: Call) -> str:
    """The log that a caller may read. Raises `NotFound` for one who has neither a tenant nor the service."""
    return "operator" if call.caller.kind == "operator" and call.caller.tenant is None else call.tenant


def _bundled(path: str) -> tuple[int, int] | None:
    """The entries, from and up to, that a resource shows in clear."""
    if not path.startswith("tile/entries/"):
        return None
    tile = Tile.parse(path)
    return tile.start, tile.start + tile.width


def require_own(call: Call, leaf: bytes) -> None:
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
        pd=members.get("pd"),
    )
