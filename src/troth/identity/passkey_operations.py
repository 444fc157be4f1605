"""What people may ask about passkeys: signing in with one, and keeping one's own."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity import messages as m
from troth.identity import passkey_messages as p
from troth.identity.own_passkeys import OwnPasskeys
from troth.identity.passkey_sign_in import Answer, PasskeySignIn
from troth.identity.sign_in import WITH_RECOVERY
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyOperations:
    """Passkeys. A program without a device that keeps them signs in with password and code."""

    sign_in: PasskeySignIn
    own: OwnPasskeys

    @operation(
        "session.challenge",
        group=Group.SIGN_IN,
        request=m.Nothing,
        route=Route("POST", "/v1/sessions/passkey/options", body="none"),
        command=("session", "challenge"),
        data_class=DataClass.ACCOUNT,
    )
    def challenge(self, call: Call, request: m.Nothing) -> p.SignInOffered:
        """Get what a device needs to sign you in with a passkey; it tells nothing about anybody."""
        del request
        return p.SignInOffered.model_validate(self.sign_in.begin(call.caller.connection))

    @operation(
        "session.passkey",
        group=Group.SIGN_IN,
        request=p.PasskeySignInAnswer,
        route=Route("POST", "/v1/sessions/passkey", status=201, max_bytes=1 << 15),
        command=("session", "passkey"),
        data_class=DataClass.ACCOUNT,
    )
    def create_session(self, call: Call, request: p.PasskeySignInAnswer) -> m.SessionCreated:
        """Sign in with a passkey, without password and code."""
        answer = Answer(request.attempt, request.answer(), request.device)
        done = self.sign_in.finish(answer, call.caller.connection, call.request_id)
        self.sign_in.sign_in.sessions.bind_to(done.session.id, call.caller.device)
        opened, level = done.session, done.proof.assurance
        return m.SessionCreated(
            id=opened.id,
            token=opened.token,
            expires_at=opened.expires_at,
            assurance=level,
            missing=done.missing,
            device=done.device,
        )

    @operation(
        "session.step-up-challenge",
        group=Group.OWN_ACCOUNT,
        request=m.Nothing,
        route=Route("POST", "/v1/sessions/current/step-up/passkey/options", body="none"),
        command=("session", "step-up-challenge"),
        data_class=DataClass.ACCOUNT,
    )
    def step_up_challenge(self, call: Call, request: m.Nothing) -> p.PasskeyOffered:
        """Get what a device needs to prove your running session by one of your passkeys."""
        del request
        return p.PasskeyOffered(options=self.own.ask(call.caller))

    @operation(
        "session.step-up-passkey",
        group=Group.OWN_ACCOUNT,
        request=p.PasskeyAnswer,
        route=Route("POST", "/v1/sessions/current/step-up/passkey", max_bytes=1 << 15),
        command=("session", "step-up-passkey"),
        data_class=DataClass.ACCOUNT,
    )
    def step_up(self, call: Call, request: p.PasskeyAnswer) -> m.SessionToken:
        """Prove your running session anew by a passkey; it gets a new token."""
        return m.SessionToken.model_validate(self.own.step_up(call.caller, request.answer()))

    @operation(
        "passkey.enrol",
        group=Group.OWN_ACCOUNT,
        request=m.Nothing,
        route=Route("POST", "/v1/passkeys/options", body="none"),
        command=("passkey", "enrol"),
        data_class=DataClass.ACCOUNT,
    )
    def enrol(self, call: Call, request: m.Nothing) -> p.PasskeyOffered:
        """Get what a device needs to make a passkey for you; prove your session anew first when it is not fresh."""
        del request
        return p.PasskeyOffered(options=self.own.offer(call.caller))

    @operation(
        "passkey.add",
        group=Group.OWN_ACCOUNT,
        request=p.PasskeyAdd,
        route=Route("POST", "/v1/passkeys", status=201, max_bytes=1 << 15),
        command=("passkey", "add"),
        data_class=DataClass.ACCOUNT,
    )
    def add(self, call: Call, request: p.PasskeyAdd) -> p.PasskeyAdded:
        """Put the passkey in force that your device made; the first brings recovery codes and ends other sessions."""
        done = self.own.add(call.caller, request.answer(), request.name)
        call.note(key=done.passkey)
        if call.caller.authentication.method == WITH_RECOVERY.method:  # not by a passkey of before: this is looked at
            call.note(reason="recovery-code")
        opened, codes = done.session, done.recovery_codes
        return p.PasskeyAdded(
            id=opened.id, token=opened.token, expires_at=opened.expires_at, passkey=done.passkey, recovery_codes=codes
        )

    @operation(
        "passkey.list",
        group=Group.OWN_ACCOUNT,
        request=m.Nothing,
        route=Route("GET", "/v1/passkeys", body="none"),
        command=("passkey", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list(self, call: Call, request: m.Nothing) -> p.PasskeyList:
        """List your passkeys."""
        del request
        return p.PasskeyList(passkeys=tuple(p.PasskeyShown.model_validate(one) for one in self.own.list(call.caller)))

    @operation(
        "passkey.rename",
        group=Group.OWN_ACCOUNT,
        request=p.PasskeyRename,
        route=Route("PUT", "/v1/passkeys/{passkey_id}/name", max_bytes=1 << 12),
        command=("passkey", "rename"),
        data_class=DataClass.ACCOUNT,
    )
    def rename(self, call: Call, request: p.PasskeyRename) -> m.Done:
        """Call a passkey otherwise."""
        self.own.rename(call.caller, request.passkey_id, request.name)
        call.note(key=request.passkey_id)
        return m.Done()

    @operation(
        "passkey.remove",
        group=Group.OWN_ACCOUNT,
        request=p.PasskeyRemove,
        route=Route("DELETE", "/v1/passkeys/{passkey_id}", body="none"),
        command=("passkey", "remove"),
        data_class=DataClass.ACCOUNT,
    )
    def remove(self, call: Call, request: p.PasskeyRemove) -> m.Done:
        """Forget a passkey, never your last second factor; ends your other sessions."""
        self.own.remove(call.caller, request.passkey_id)
        call.note(key=request.passkey_id)
        return m.Done()
