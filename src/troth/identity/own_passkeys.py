"""What people do with their own passkeys: add, name and remove them, and prove a running session by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from troth.identity.mfa.challenges import Purpose
from troth.identity.mfa.passkeys import Owner, PasskeyInfo, Passkeys
from troth.identity.mfa.relying_party import Assertion, Attestation, Person, challenge_in, refusal
from troth.identity.own_account import OwnAccount, person_and_session
from troth.identity.sessions import OpenedSession
from troth.identity.sign_in import WITH_PASSKEY, WITH_RECOVERY
from troth.identity.throttle import session_bucket
from troth.kernel.caller import Caller
from troth.kernel.errors import Denied


@dataclass(frozen=True, slots=True)
class Added:
    """The passkey's id, the session with its new token, and recovery codes when there were none."""

    passkey: str
    session: OpenedSession
    recovery_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPasskeys:
    """Acts on the passkeys of a caller. Raises `Unauthenticated` for a caller that is not a session."""

    own: OwnAccount

    @property
    def _passkeys(self) -> Passkeys:
        return self.own.passkeys

    def offer(self, caller: Caller) -> dict[str, Any]:
        """What to ask a device for. Raises `Denied` as `OwnAccount.require_held`.

        Who has a passkey shows one before there is another, or came by a recovery code: what a false page can take,
        such as a one-time code, must not become what it cannot.
        """
        session, owner = self._who(caller)
        self._require_may_add(caller, owner)
        user = self.own.users.get(owner.user)
        challenge = self._passkeys.challenges.issue(Purpose.REGISTER, session)
        person = Person(self._passkeys.handle(user.id), user.email, user.display_name)
        return self._passkeys.party.creation(challenge, person, self._passkeys.credentials(owner))

    def add(self, caller: Caller, answer: Attestation, name: str) -> Added:
        """Keep the passkey that a device made. The first second factor ends all other sessions.

        The session is no stronger for it, and gets a new token: it was proved by what it was proved by (see `step_up`).

        Raises `Denied` as `offer`, `Unauthenticated` for a challenge that is not this session's, `Invalid`
        (`passkey-refused`), `Conflict`, `TooMany`.
        """
        session, owner = self._who(caller)
        self._require_may_add(caller, owner)
        with self.own.throttle.attempt([session_bucket(session)]):
            challenge = challenge_in(answer.client_data)
            self._passkeys.challenges.redeem(Purpose.REGISTER, session, challenge)
            made = self._passkeys.party.registered(answer, challenge)
        first = not self.own.totp.confirmed(owner.user) and not self._passkeys.count(owner.user)
        passkey = self._passkeys.add(owner, made, name)
        codes = () if self.own.recovery.left(owner.user) else self.own.recovery.renew(owner.user)
        if first:
            self.own.sessions.revoke_others(owner.user, session)
        return Added(passkey, self.own.sessions.rotate(session), codes)

    def list(self, caller: Caller) -> Sequence[PasskeyInfo]:
        """One's own passkeys, oldest first."""
        return self._passkeys.list(self._who(caller)[1])

    def rename(self, caller: Caller, passkey: str, name: str) -> None:
        """Call one otherwise. Raises `NotFound`."""
        self._passkeys.rename(self._who(caller)[1], passkey, name)

    def remove(self, caller: Caller, passkey: str) -> None:
        """Forget one; other sessions end. Raises `Denied` as `offer`, `NotFound`, `Conflict`."""
        session, owner = self._who(caller)
        self.own.require_held(caller)
        self._passkeys.remove(owner, passkey)
        self.own.sessions.revoke_others(owner.user, session)

    def ask(self, caller: Caller) -> dict[str, Any]:
        """What to ask a device for, to prove the running session anew: one of the caller's own passkeys."""
        session, owner = self._who(caller)
        challenge = self._passkeys.challenges.issue(Purpose.STEP_UP, session)
        return self._passkeys.party.request(challenge, self._passkeys.credentials(owner))

    def step_up(self, caller: Caller, answer: Assertion) -> OpenedSession:
        """Prove the running session anew. Raises `Unauthenticated`, `TooMany`."""
        session, owner = self._who(caller)
        found = self._passkeys.find(answer.credential)
        with self.own.throttle.attempt([session_bucket(session)]):
            if found is None or found.owner != owner:
                raise refusal()
            self._passkeys.verify(found, answer, Purpose.STEP_UP, session)
        return self.own.sessions.rotate(session, WITH_PASSKEY)

    def _require_may_add(self, caller: Caller, owner: Owner) -> None:
        self.own.require_held(caller)
        shown = caller.authentication
        lost = shown.method == WITH_RECOVERY.method  # the record of the call tells by what the session was proved
        if not shown.phishing_resistant and not lost and self._passkeys.count(owner.user):
            raise Denied(
                "Show one of your passkeys first, or a recovery code if you lost them.", code="step-up-required"
            )

    def _who(self, caller: Caller) -> tuple[str, Owner]:
        person, session = person_and_session(caller)
        return session, Owner(self.own.users.get(person).tenant, person)
