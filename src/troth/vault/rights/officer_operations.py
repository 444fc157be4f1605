"""What privacy officers may ask: the requests of their tenant with their clocks, and every move with them."""

from __future__ import annotations

from dataclasses import dataclass

from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation
from troth.vault.rights import messages as m
from troth.vault.rights.handling import Handling
from troth.vault.rights.notices import Notice
from troth.vault.rights.operations import wish
from troth.vault.rights.outgoing import Outgoing
from troth.vault.rights.register import By, Register
from troth.vault.rights.requests import Request

_PLACE = "/v1/desk/requests/{request_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerOperations:
    """The privacy desk of a tenant."""

    register: Register
    handling: Handling
    outgoing: Outgoing
    relayed: bool
    """Whether a relay sends notices."""

    @operation(
        "request.queue",
        group=Group.PRIVACY,
        request=m.Nothing,
        route=Route("GET", "/v1/desk/requests", body="none"),
        command=("request", "queue"),
        data_class=DataClass.ACCOUNT,
    )
    def queue(self, call: Call, request: m.Nothing) -> m.RequestQueue:
        """List the requests of your tenant, the most urgent first, and the notices to be sent."""
        del request
        found = self.handling.queue(call.tenant)
        letters = tuple(m.LetterShown.of(one, relayed=self.relayed) for one in self.outgoing.waiting(call.tenant))
        call.note(count=len(found))
        return m.RequestQueue(requests=tuple(self._shown(call, one) for one in found), letters=letters)

    @operation(
        "request.open",
        group=Group.PRIVACY,
        request=m.RequestNamed,
        route=Route("GET", _PLACE, body="none"),
        command=("request", "open"),
        data_class=DataClass.ACCOUNT,
    )
    def open_request(self, call: Call, request: m.RequestNamed) -> m.RequestOpened:
        """Open a request of your tenant with what was written."""
        opened = self.handling.opened(call.tenant, request.request_id)
        call.note(object=opened.request.id)
        return m.RequestOpened.of(opened, self._shown(call, opened.request))

    @operation(
        "request.take",
        group=Group.PRIVACY,
        request=m.RequestNamed,
        route=Route("POST", f"{_PLACE}/take", body="none"),
        command=("request", "take"),
        data_class=DataClass.ACCOUNT,
    )
    def take_request(self, call: Call, request: m.RequestNamed) -> m.RequestShown:
        """Begin with a request: you answer for it from now on."""
        return self._done(call, self.handling.take(_officer(call), request.request_id))

    @operation(
        "request.sort",
        group=Group.PRIVACY,
        request=m.RequestSort,
        route=Route("POST", f"{_PLACE}/sort", max_bytes=1 << 12),
        command=("request", "sort"),
        data_class=DataClass.ACCOUNT,
    )
    def sort_request(self, call: Call, request: m.RequestSort) -> m.RequestShown:
        """Say which right a message is about; its clock still runs from receipt."""
        return self._done(call, self.handling.sort(_officer(call), request.request_id, wish(request)))

    @operation(
        "request.verify",
        group=Group.PRIVACY,
        request=m.RequestVerify,
        route=Route("POST", f"{_PLACE}/verify", max_bytes=1 << 12),
        command=("request", "verify"),
        data_class=DataClass.ACCOUNT,
    )
    def verify_request(self, call: Call, request: m.RequestVerify) -> m.RequestShown:
        """Say how you saw who asks, and which account is theirs."""
        who = request.request_id, request.means, request.subject
        return self._done(call, self.handling.verify(_officer(call), *who))

    @operation(
        "request.notify",
        group=Group.PRIVACY,
        request=m.RequestNotice,
        route=Route("POST", f"{_PLACE}/notices", max_bytes=1 << 12),
        command=("request", "notify"),
        data_class=DataClass.ACCOUNT,
    )
    def notify_request(self, call: Call, request: m.RequestNotice) -> m.RequestShown:
        """Say that you sent a notice by hand."""
        sent = self.handling.acknowledge(_officer(call), request.request_id, Notice(request.notice))
        return self._done(call, sent)

    @operation(
        "request.extend",
        group=Group.PRIVACY,
        request=m.RequestExtend,
        route=Route("POST", f"{_PLACE}/extend", max_bytes=1 << 12),
        command=("request", "extend"),
        data_class=DataClass.ACCOUNT,
    )
    def extend_request(self, call: Call, request: m.RequestExtend) -> m.RequestShown:
        """Take the longer term, once, and tell the person why."""
        return self._done(call, self.handling.extend(_officer(call), request.request_id, request.reason))

    @operation(
        "request.answer",
        group=Group.PRIVACY,
        request=m.RequestAnswer,
        route=Route("POST", f"{_PLACE}/answer", max_bytes=1 << 17),
        command=("request", "answer"),
        data_class=DataClass.ACCOUNT,
    )
    def answer_request(self, call: Call, request: m.RequestAnswer) -> m.RequestShown:
        """Answer a request of somebody whose identity was shown."""
        return self._done(call, self.handling.answer(_officer(call), request.request_id, request.text))

    @operation(
        "request.refuse",
        group=Group.PRIVACY,
        request=m.RequestRefuse,
        route=Route("POST", f"{_PLACE}/refuse", max_bytes=1 << 17),
        command=("request", "refuse"),
        data_class=DataClass.ACCOUNT,
    )
    def refuse_request(self, call: Call, request: m.RequestRefuse) -> m.RequestShown:
        """Refuse a request with a reason."""
        why = request.reason, request.text
        return self._done(call, self.handling.refuse(_officer(call), request.request_id, *why))

    def _done(self, call: Call, after: Request) -> m.RequestShown:
        call.note(object=after.id, state=after.state.value)
        return self._shown(call, after)

    def _shown(self, call: Call, request: Request) -> m.RequestShown:
        clock, calendar = self.register.ground.clock, self.register.calendar
        return m.RequestShown.of(request, calendar, clock, call.caller.actor)


def _officer(call: Call) -> By:
    return By(tenant=call.tenant, actor=call.caller.actor, call=call.request_id)
