"""What doors may call of take-downs (operators) and of preserved evidence (two people of the tenant)."""

from __future__ import annotations

from troth.gateway.moderation import messages as m
from troth.gateway.moderation.preserved import Preserved
from troth.gateway.moderation.takedowns import Entry, Takedowns, as_csv, of_csv
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation

_SYSTEM = DataClass.SYSTEM


class TakedownOperations:
    """The list of pictures that are taken down."""

    def __init__(self, takedowns: Takedowns) -> None:
        self._takedowns = takedowns

    @operation("takedown.list", group=Group.OPERATE, request=m.TakedownList, command=("takedown", "list"),
               route=Route("GET", "/v1/takedowns", body="none"))  # fmt: skip
    def list(self, call: Call, request: m.TakedownList) -> m.TakedownsShown:
        """List the hashes of pictures that are taken down."""
        del call
        return m.TakedownsShown(entries=tuple(_entry(one) for one in self._takedowns.all(after=request.after)))

    @operation("takedown.export", group=Group.OPERATE, request=m.TakedownList, command=("takedown", "export"),
               route=Route("GET", "/v1/takedowns/csv", body="none"))  # fmt: skip
    def export(self, call: Call, request: m.TakedownList) -> Binary:
        """Give a page of the list as CSV, to hand it on."""
        page = self._takedowns.all(after=request.after)
        call.note(count=len(page))
        return Binary(as_csv(page), "text/csv", "takedowns.csv")

    @operation("takedown.import", group=Group.OPERATE, request=m.TakedownImport, command=("takedown", "import"),
               route=Route("POST", "/v1/takedowns", status=201))  # fmt: skip
    def put(self, call: Call, request: m.TakedownImport) -> m.TakedownsShown:
        """Propose hashes from CSV; each stops pictures once another operator approves it."""
        made = self._takedowns.propose(of_csv(request.entries), call.caller.actor)
        call.note(count=len(made))
        return m.TakedownsShown(entries=tuple(_entry(one) for one in made))

    @operation("takedown.approve", group=Group.OPERATE, request=m.TakedownNamed, command=("takedown", "approve"),
               route=Route("POST", "/v1/takedowns/{entry_id}/approval"))  # fmt: skip
    def approve(self, call: Call, request: m.TakedownNamed) -> m.TakedownShown:
        """Put a hash in force; somebody other than who proposed it must do it."""
        entry = self._takedowns.approve(request.entry_id, call.caller.actor)
        call.note(object=entry.id)
        return _entry(entry)

    @operation("takedown.withdraw", group=Group.OPERATE, request=m.TakedownNamed, command=("takedown", "withdraw"),
               route=Route("DELETE", "/v1/takedowns/{entry_id}", body="none"))  # fmt: skip
    def withdraw(self, call: Call, request: m.TakedownNamed) -> m.TakedownShown:
        """Take a hash off the list."""
        entry = self._takedowns.withdraw(request.entry_id, call.caller.actor)
        call.note(object=entry.id)
        return _entry(entry)


class PreservedOperations:
    """Illegal imagery that is kept for the law."""

    def __init__(self, preserved: Preserved) -> None:
        self._preserved = preserved

    @operation("preserved.list", group=Group.PRIVACY, request=m.Asked, command=("preserved", "list"),
               data_class=_SYSTEM, route=Route("GET", "/v1/preserved", body="none"))  # fmt: skip
    def list(self, call: Call, request: m.Asked) -> m.EvidenceTable:
        """List preserved evidence, without what it shows."""
        del request
        return m.EvidenceTable(evidence=tuple(self._preserved.all(call.tenant)))

    @operation("preserved.report", group=Group.PRIVACY, request=m.EvidenceReport, command=("preserved", "report"),
               data_class=_SYSTEM, route=Route("POST", "/v1/preserved/{evidence_id}/report"))  # fmt: skip
    def report(self, call: Call, request: m.EvidenceReport) -> m.EvidenceShown:
        """Note to whom evidence was reported, and under which number; the time of the law runs from now."""
        told = (request.authority, request.reference)
        piece = self._preserved.report(call.tenant, request.evidence_id, call.caller.actor, told)
        call.note(object=piece.id)
        return piece

    @operation("preserved.ask", group=Group.PRIVACY, request=m.EvidenceAsk, command=("preserved", "ask"),
               data_class=_SYSTEM, route=Route("POST", "/v1/preserved/{evidence_id}/wish"))  # fmt: skip
    def ask(self, call: Call, request: m.EvidenceAsk) -> m.EvidenceShown:
        """Ask to open or release evidence; somebody else does it."""
        piece = self._preserved.ask(call.tenant, request.evidence_id, call.caller.actor, request.wish)
        call.note(object=piece.id)
        return piece

    @operation("preserved.open", group=Group.PRIVACY, request=m.EvidenceNamed, command=("preserved", "open"),
               data_class=DataClass.USER_GENERATED,
               route=Route("POST", "/v1/preserved/{evidence_id}/content"))  # fmt: skip
    def open(self, call: Call, request: m.EvidenceNamed) -> Binary:
        """Take evidence out once, for an authority, after somebody else asked to."""
        content = self._preserved.open(call.tenant, request.evidence_id, call.caller.actor)
        call.note(object=request.evidence_id)
        return content

    @operation("preserved.release", group=Group.PRIVACY, request=m.EvidenceNamed, command=("preserved", "release"),
               data_class=_SYSTEM, route=Route("POST", "/v1/preserved/{evidence_id}/release"))  # fmt: skip
    def release(self, call: Call, request: m.EvidenceNamed) -> m.EvidenceShown:
        """Erase evidence that was kept by mistake or whose time is over, after somebody else asked to."""
        piece = self._preserved.release(call.tenant, request.evidence_id, call.caller.actor)
        call.note(object=piece.id)
        return piece


def _entry(entry: Entry) -> m.TakedownShown:
    return m.TakedownShown(**m.plain(entry, Entry.__slots__))
