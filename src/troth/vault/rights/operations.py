"""What people may ask about their own rights: file, see, confirm and withdraw requests; objections; statements."""

from __future__ import annotations

from dataclasses import dataclass

from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation
from troth.vault.rights import messages as m
from troth.vault.rights.clocks import Kind, Law
from troth.vault.rights.register import Asker, Register, Wish
from troth.vault.rights.requests import Level, Request
from troth.vault.rights.statements import Statements


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOperations:
    """One's own requests."""

    register: Register

    @operation(
        "request.file",
        group=Group.OWN_RIGHTS,
        request=m.RequestFile,
        route=Route("POST", "/v1/requests", status=201, max_bytes=1 << 17),
        command=("request", "file"),
        data_class=DataClass.ACCOUNT,
    )
    def file_request(self, call: Call, request: m.RequestFile) -> m.RequestShown:
        """Ask for one of your rights; a clock starts, and an objection or opt-out acts at once."""
        made = self.register.file(asker(call), wish(request))
        call.note(object=made.id, state=made.state.value)
        return self._shown(made)

    @operation(
        "request.list",
        group=Group.OWN_RIGHTS,
        request=m.Nothing,
        route=Route("GET", "/v1/requests", body="none"),
        command=("request", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_requests(self, call: Call, request: m.Nothing) -> m.RequestList:
        """List your requests with their clocks, newest first."""
        del request
        found = self.register.listed(call.tenant, call.subject)
        return m.RequestList(requests=tuple(self._shown(one) for one in found))

    @operation(
        "request.show",
        group=Group.OWN_RIGHTS,
        request=m.RequestNamed,
        route=Route("GET", "/v1/requests/{request_id}", body="none"),
        command=("request", "show"),
        data_class=DataClass.ACCOUNT,
    )
    def show_request(self, call: Call, request: m.RequestNamed) -> m.RequestOpened:
        """Show one of your requests with what was written and answered."""
        opened = self.register.own(call.tenant, call.subject, request.request_id)
        call.note(object=opened.request.id)
        return m.RequestOpened.of(opened, self._shown(opened.request))

    @operation(
        "request.confirm",
        group=Group.OWN_RIGHTS,
        request=m.RequestNamed,
        route=Route("POST", "/v1/requests/{request_id}/confirm", body="none"),
        command=("request", "confirm"),
        data_class=DataClass.ACCOUNT,
    )
    def confirm_request(self, call: Call, request: m.RequestNamed) -> m.RequestShown:
        """Say, signed in with your second factor, that a request from your address is yours."""
        after = self.register.confirm(asker(call), request.request_id)
        call.note(object=after.id, state=after.state.value)
        return self._shown(after)

    @operation(
        "request.withdraw",
        group=Group.OWN_RIGHTS,
        request=m.RequestNamed,
        route=Route("POST", "/v1/requests/{request_id}/withdraw", body="none"),
        command=("request", "withdraw"),
        data_class=DataClass.ACCOUNT,
    )
    def withdraw_request(self, call: Call, request: m.RequestNamed) -> m.RequestShown:
        """Take a request back while it is open."""
        after = self.register.withdraw(asker(call), request.request_id)
        call.note(object=after.id, state=after.state.value)
        return self._shown(after)

    def _shown(self, request: Request) -> m.RequestShown:
        return m.RequestShown.of(request, self.register.calendar, self.register.ground.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOperations:
    """What stands until it is taken back: objections, and statements beside data that cannot be changed."""

    register: Register
    statements: Statements

    @operation(
        "objection.list",
        group=Group.OWN_RIGHTS,
        request=m.Nothing,
        route=Route("GET", "/v1/objections", body="none"),
        command=("objection", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_objections(self, call: Call, request: m.Nothing) -> m.ObjectionList:
        """List the uses you object to, and those you did."""
        del request
        found = self.register.objections.history(call.tenant, call.subject)
        return m.ObjectionList(objections=tuple(m.ObjectionShown.of(one) for one in found))

    @operation(
        "objection.lift",
        group=Group.OWN_DATA,
        request=m.ObjectionNamed,
        route=Route("DELETE", "/v1/objections/{objection_id}", body="none"),
        command=("objection", "lift"),
        data_class=DataClass.ACCOUNT,
    )
    def lift_objection(self, call: Call, request: m.ObjectionNamed) -> m.ObjectionShown:
        """Take an objection back; it gives no consent."""
        lifted = self.register.objections.lift(call.tenant, call.subject, request.objection_id, request=call.request_id)
        call.note(purpose=lifted.purpose)
        return m.ObjectionShown.of(lifted)

    @operation(
        "statement.add",
        group=Group.OWN_RIGHTS,
        request=m.StatementAdd,
        route=Route("POST", "/v1/statements", status=201, max_bytes=1 << 15),
        command=("statement", "add"),
        data_class=DataClass.ACCOUNT,
    )
    def add_statement(self, call: Call, request: m.StatementAdd) -> m.StatementShown:
        """Attach your statement to data that cannot be changed."""
        whose = call.tenant, call.subject
        said = self.statements.add(*whose, request.about, request.text, request=call.request_id)
        call.note(object=said.id)
        return m.StatementShown.of(said)

    @operation(
        "statement.list",
        group=Group.OWN_RIGHTS,
        request=m.Nothing,
        route=Route("GET", "/v1/statements", body="none"),
        command=("statement", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_statements(self, call: Call, request: m.Nothing) -> m.StatementList:
        """List your statements."""
        del request
        found = self.statements.of(call.tenant, call.subject)
        return m.StatementList(statements=tuple(m.StatementShown.of(one) for one in found))


def asker(call: Call) -> Asker:
    """The caller for themselves. A program with a key is not yet the person: it asks at a low level.

    So does a session that no device answers for: it may be a copy, however lately the person proved who they are.
    """
    caller = call.caller
    person = caller.kind == "user" and caller.authentication.assurance >= 2
    shown = person and caller.device.bound is not None
    return Asker(
        tenant=call.tenant,
        subject=call.subject,
        actor=caller.actor,
        call=call.request_id,
        channel="portal" if person else "api",
        level=Level.HIGH if shown else Level.LOW,
    )


def wish(request: m.RequestFile | m.RequestSort) -> Wish:
    """The inner form."""
    text = request.text if isinstance(request, m.RequestFile) else ""
    law = Law(request.law) if request.law else None
    return Wish(kind=Kind(request.kind), text=text, purpose=request.purpose, law=law)
