"""Registers, as doors may ask for them: one set of operations for every form."""

from __future__ import annotations

from dataclasses import dataclass

from troth.governance import messages as m
from troth.governance import shown
from troth.governance.attachments import Attachments
from troth.governance.carrying import give_out, take_in
from troth.governance.cells import typed
from troth.governance.moves import By, governing
from troth.governance.registers import Registers
from troth.governance.store import Search
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation

_MOST_DUES = 500
_IMPORT_BYTES = 8 << 20


def who(call: Call) -> By:
    """The caller, as registers know people."""
    caller = call.caller
    return By(call.tenant, caller.actor, caller.subject, governing(caller.roles), call.request_id)


@dataclass(frozen=True, slots=True)
class RegisterOperations:
    """The registers of the caller's tenant."""

    registers: Registers
    attachments: Attachments

    @operation("register.forms", group=Group.GOVERN, request=m.RegisterForms, command=("register", "all"),
               route=Route("GET", "/v1/registers", body="none"))  # fmt: skip
    def forms(self, call: Call, request: m.RegisterForms) -> m.RegistersShown:  # noqa: ARG002
        """List the registers that you may read, with how many records each has."""
        by, counts = who(call), self.registers.counts(call.tenant)
        shipped, unjudged = self.registers.forms.sound()
        sound = sorted((*shipped, *self.registers.own.all(call.tenant).values()), key=lambda one: one.name)
        readable = {one.name: one.source is None or self.registers.rooms.shows(one, call.tenant) for one in sound}
        mine = [one for one in sound if by.roles & set(one.read)]
        known = tuple(shown.register(one, counts.get(one.name, 0), readable=readable[one.name]) for one in mine)
        return m.RegistersShown(registers=known, unjudged=unjudged)

    @operation("register.form", group=Group.GOVERN, request=m.RegisterNamed, command=("register", "form"),
               route=Route("GET", "/v1/register-forms/{form}", body="none"))  # fmt: skip
    def form(self, call: Call, request: m.RegisterNamed) -> m.FormShown:
        """Show the form of a register: its fields, states and moves, and what each move takes."""
        form = self.registers.form(call.tenant, request.form)
        self.registers.may_read(who(call), form)
        call.note(register=form.name, version=form.version)
        return shown.form(form)

    @operation("register.list", group=Group.GOVERN, request=m.RegisterList, command=("register", "ls"),
               route=Route("GET", "/v1/registers/{form}", body="none"), data_class=DataClass.ACCOUNT)  # fmt: skip
    def list(self, call: Call, request: m.RegisterList) -> m.RecordPage:
        """List the records of a register, newest first."""
        wanted = Search(request.state, request.text, request.after, request.limit)
        page = self.registers.find(who(call), request.form, wanted)
        call.note(register=request.form, count=len(page.records))
        return m.RecordPage(records=tuple(shown.record(one) for one in page.records), next=page.next)

    @operation("register.show", group=Group.GOVERN, request=m.RecordNamed, command=("register", "show"),
               route=Route("GET", "/v1/registers/{form}/{record_id}", body="none"),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def show(self, call: Call, request: m.RecordNamed) -> m.RecordOpened:
        """Show a record, the moves that you may make, what falls due, and why it is not in order."""
        found = self.registers.show(who(call), request.form, request.record_id)
        call.note(register=request.form, object=found.record.id)
        reasons = tuple(m.ReasonShown(what=one.what, number=one.number) for one in found.reasons)
        dues = tuple(shown.due(one) for one in found.dues)
        return m.RecordOpened(record=shown.record(found.record), moves=found.moves, dues=dues, reasons=reasons)

    @operation("register.history", group=Group.GOVERN, request=m.RecordNamed, command=("register", "history"),
               route=Route("GET", "/v1/registers/{form}/{record_id}/history", body="none"),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def history(self, call: Call, request: m.RecordNamed) -> m.HistoryShown:
        """Show every entry of a record, with the digests that the log has of them."""
        events = self.registers.history(who(call), request.form, request.record_id)
        call.note(register=request.form, object=request.record_id, count=len(events))
        return m.HistoryShown(events=tuple(shown.event(one) for one in events))

    @operation("register.open", group=Group.GOVERN, request=m.RecordOpen, command=("register", "open"),
               route=Route("POST", "/v1/registers/{form}", status=201), data_class=DataClass.ACCOUNT)  # fmt: skip
    def open(self, call: Call, request: m.RecordOpen) -> m.RecordShown:
        """Open a record of a register."""
        values = typed(self.registers.form(call.tenant, request.form).fields, request.values)
        record = self.registers.open(who(call), request.form, values)
        call.note(register=request.form, object=record.id, state=record.state)
        return shown.record(record)

    @operation("register.move", group=Group.GOVERN, request=m.RecordMove, command=("register", "move"),
               route=Route("POST", "/v1/registers/{form}/{record_id}/moves/{move}"),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def move(self, call: Call, request: m.RecordMove) -> m.RecordShown:
        """Make a move of a record: approve, review, close, whatever its form knows."""
        form = self.registers.form(call.tenant, request.form)
        rule = form.moves.get(request.move)
        values = typed({**form.fields, **(rule.asks if rule else {})}, request.values)
        record = self.registers.move(who(call), form.name, request.record_id, request.move,
                                     values=values, seen=request.seen)  # fmt: skip
        call.note(register=form.name, object=record.id, move=request.move, state=record.state)
        return shown.record(record)

    @operation("register.export", group=Group.GOVERN, request=m.RegisterExport, command=("register", "export"),
               route=Route("GET", "/v1/register-exports/{form}", body="none"),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def export(self, call: Call, request: m.RegisterExport) -> Binary:
        """Give a whole register out: as CSV, as JSON with its history, or as a zip of that and its files."""
        content = give_out(self.registers, who(call), request.form, request.format)
        if request.format == "zip":
            content = self.attachments.bundle(who(call), request.form, content)
        call.note(register=request.form, format=request.format, bytes=len(content.content))
        return content

    @operation("register.import", group=Group.GOVERN, request=m.RegisterImport, command=("register", "import"),
               route=Route("POST", "/v1/register-imports/{form}", max_bytes=_IMPORT_BYTES),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def take_in(self, call: Call, request: m.RegisterImport) -> m.Imported:
        """Try, or with `apply` enter, at most 5,000 new records: all of them or none."""
        done = take_in(self.registers, who(call), request.form, request.rows, apply=request.apply)
        call.note(register=request.form, count=done.rows, withheld=len(done.problems), change=done.applied)
        return done

    @operation("register.dues", group=Group.GOVERN, request=m.RegisterForms, command=("register", "dues"),
               route=Route("GET", "/v1/register-dues", body="none"))  # fmt: skip
    def dues(self, call: Call, request: m.RegisterForms) -> m.DuesShown:  # noqa: ARG002
        """List what is due in the registers that you may read, overdue first."""
        found = self.registers.all_dues(who(call))
        call.note(count=len(found.dues), withheld=len(found.unjudged))
        dues = tuple(shown.due(one) for one in found.dues[:_MOST_DUES])
        return m.DuesShown(dues=dues, more=len(found.dues) > _MOST_DUES, unjudged=found.unjudged)

    @operation("register.act", group=Group.OWN_DATA, request=m.RecordAct, command=("register", "act"),
               route=Route("POST", "/v1/registers/{form}/{record_id}/acts/{population}"))  # fmt: skip
    def act(self, call: Call, request: m.RecordAct) -> m.Acted:
        """Do your own part of a record, such as to attest that you read a policy."""
        at = self.registers.act(who(call), request.form, request.record_id, request.population)
        call.note(register=request.form, object=request.record_id, population=request.population)
        return m.Acted(at=at)
