"""What people may ask about the device that answers for their session."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.devices import messages as d
from troth.identity.devices.bindings import Bindings
from troth.identity.devices.shown import WEBCRYPTO
from troth.identity.messages import Nothing
from troth.identity.own_account import person_and_session
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOperations:
    """Binding the session that asks. Programs bind theirs by opening it with a proof, and need none of this."""

    bindings: Bindings

    @operation(
        "session.bind-challenge",
        group=Group.OWN_ACCOUNT,
        request=Nothing,
        route=Route("POST", "/v1/sessions/current/binding/challenge", body="none"),
        command=("session", "bind-challenge"),
        data_class=DataClass.ACCOUNT,
    )
    def challenge(self, call: Call, request: Nothing) -> d.BindingOffered:
        """Get what a browser signs to bind your fresh session to its key."""
        del request
        _, session = person_and_session(call.caller)
        return d.BindingOffered(challenge=self.bindings.offer(session, WEBCRYPTO))

    @operation(
        "session.bind",
        group=Group.OWN_ACCOUNT,
        request=d.SessionBind,
        route=Route("POST", "/v1/sessions/current/binding", max_bytes=1 << 14),
        command=("session", "bind"),
        data_class=DataClass.ACCOUNT,
    )
    def bind(self, call: Call, request: d.SessionBind) -> d.SessionBound:
        """Bind your session to the key of this browser within five minutes of signing in, once and for good."""
        _, session = person_and_session(call.caller)
        done = self.bindings.bind(session, request.bound, request.proof)
        call.note(session=session)
        return d.SessionBound.model_validate(done)
