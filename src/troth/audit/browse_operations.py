"""Taking the log away, and opening what lies sealed beside it. Both are entries in the log themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.audit.details import Details
from troth.audit.exporting import CSV, MEDIA_TYPES, MOST, Stretch, lines
from troth.audit.leaf import read_leaf
from troth.audit.log import LogReader
from troth.audit.operations import AuditFilter, Index, ProveRequest, log_of, require_own
from troth.audit.origins import Origins
from troth.audit.proofs import Prover
from troth.kernel.data_class import DataClass
from troth.kernel.details import MAX_REASON
from troth.kernel.errors import Invalid, NotFound
from troth.kernel.operation import Call, Group, Route, Stream, operation

_MOST_OF_REQUEST = 64  # entries of one request that are looked at for details


class DetailsRequest(BaseModel):
    """Which entry, and why: the reason is sealed beside the entry of this reading, for the person it is about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: Index
    reason: Annotated[str, Field(min_length=5, max_length=MAX_REASON)]


class ExportRequest(AuditFilter):
    """A stretch of the log by index (`first` in, `last` in), as OCSF 1.8.0 JSON lines or CSV, oldest first."""

    format: Literal["ocsf", "csv"] = "ocsf"
    first: Index = 0
    last: Index | None = None


class DetailsView(BaseModel):
    """What lies sealed beside an entry or its request: `state` is open, none, erased, unavailable or not-yours."""

    index: int
    state: str
    details: Mapping[str, str] = {}


class BrowseOperations:
    """Reads beyond the entries themselves, of the caller's own log."""

    def __init__(self, reader: LogReader, prover: Prover, origins: Origins, details: Details) -> None:
        self._reader = reader
        self._prover = prover
        self._origins = origins
        self._details = details

    @operation(
        "audit.details",
        group=Group.AUDIT,
        request=DetailsRequest,
        route=Route("POST", "/v1/activity/{index}/details", max_bytes=1 << 12),
        command=("log", "details"),
        data_class=DataClass.ACCOUNT,
    )
    def details(self, call: Call, request: DetailsRequest) -> DetailsView:
        """Open the personal details of an entry of your tenant, with a reason; the person can see that you did."""
        log = log_of(call)
        found = self._details.of(self._bearing(log, self._reader.entry(log, request.index)))
        call.explain(request.reason, found.about)
        call.note(index=request.index, state=found.state.value, **({"subject": found.about} if found.about else {}))
        return DetailsView(index=request.index, state=found.state.value, details=found.members)

    @operation(
        "activity.details",
        group=Group.OWN_DATA,
        request=ProveRequest,
        route=Route("GET", "/v1/activity/own/{index}/details", body="none"),
        command=("activity", "details"),
        data_class=DataClass.ACCOUNT,
    )
    def own_details(self, call: Call, request: ProveRequest) -> DetailsView:
        """From where one of your own entries came, as it lies sealed for you."""
        log = log_of(call)
        leaf = self._reader.entry(log, request.index)
        require_own(call, leaf)
        found = self._details.of(self._bearing(log, leaf), only=call.subject)
        call.note(index=request.index, state=found.state.value)
        return DetailsView(index=request.index, state=found.state.value, details=found.members)

    @operation(
        "audit.export",
        group=Group.AUDIT,
        request=ExportRequest,
        route=Route("GET", "/v1/activity/export", body="none"),
    )
    def export(self, call: Call, request: ExportRequest) -> Stream:
        """The log of your tenant, or what matches, as OCSF events or CSV; headers say how many lines will come."""
        log = log_of(call)
        stretch = self._stretch(log, request)
        count = self._reader.count(log, stretch.wanted, stretch.start, stretch.end)
        call.note(count=count, first=stretch.start, last=stretch.end - 1, format=request.format)
        said = {"x-troth-entries": count, "x-troth-first": stretch.start, "x-troth-end": stretch.end}
        headers = {name: str(value) for name, value in said.items()}
        headers["content-disposition"] = f'attachment; filename="log.{"csv" if request.format == CSV else "jsonl"}"'
        made = lines(self._reader, stretch, self._origins.origin(log), request.format)
        return Stream(made, MEDIA_TYPES[request.format], headers)

    def _bearing(self, log: str, leaf: bytes) -> bytes:
        """The entry itself, or the first of its request that has details: the opened one says from where."""
        members = read_leaf(leaf)
        request = members.get("request")
        if "pd" in members or not isinstance(request, str):
            return leaf
        places = self._prover.locate(log, request)[:_MOST_OF_REQUEST]
        others = (self._reader.entry(log, index) for index in places)
        return next((one for one in others if "pd" in read_leaf(one)), leaf)

    def _stretch(self, log: str, request: ExportRequest) -> Stretch:
        size = self._reader.size(log)
        end = size if request.last is None else min(size, request.last + 1)
        if request.first >= end:
            raise NotFound("The log has no entries in that range.")
        if end - request.first > MOST:
            raise Invalid(
                f"One export holds at most {MOST} entries; ask by ranges with first and last.", code="too-many"
            )
        return Stretch(log, request.wanted(), request.first, end)
