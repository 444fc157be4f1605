"""What people do to their own account: set up the second factor, prove a session anew, change the password.

Each change of strength gives the session a new token; each change of a secret ends all other sessions.
"""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.mfa.passkeys import Passkeys
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Offer, Totp
from troth.identity.sessions import OpenedSession, Sessions
from troth.identity.sign_in import WITH_CODE, WITH_RECOVERY
from troth.identity.throttle import Throttle, session_bucket
from troth.identity.users import Users
from troth.kernel.caller import Caller
from troth.kernel.dispatch import unbound
from troth.kernel.errors import Denied, Unauthenticated

FRESH_SECONDS = 15 * 60  # as long as a proof of identity stands for what changes how one signs in


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The session with its new token, and the recovery codes, shown this once."""

    session: OpenedSession
    recovery_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAccount:
    """Acts on the person and the session of a caller. Raises `Unauthenticated` for a caller that is not a session."""

    users: Users
    totp: Totp
    recovery: RecoveryCodes
    passkeys: Passkeys
    sessions: Sessions
    throttle: Throttle

    def enrol(self, caller: Caller, code: str | None) -> Offer:
        """Offer a secret. Replacing one needs a code from it, or a session that a recovery code opened.

        Raises `Unauthenticated` for a wrong code, `Denied` when a session that is weak or old would add or replace one.
        """
        person, session = person_and_session(caller)
        user = self.users.get(person)
        replacing = self.totp.confirmed(person) and caller.authentication.method != WITH_RECOVERY.method
        if replacing and caller.authentication.assurance < WITH_CODE.assurance:
            raise Denied("Sign in with your present one-time code before you replace it.", code="totp-required")
        self._require_fresh_of_known(caller, person)
        if replacing:
            with self.throttle.attempt([session_bucket(session)]):
                self.totp.use(user.tenant, person, code or "")
        return self.totp.offer(user.tenant, person, user.email)

    def confirm(self, caller: Caller, code: str) -> Confirmed:
        """Put the offered secret in force.

        Raises `Denied` (`step-up-required`) as `enrol`, `Unauthenticated` for a wrong code, `Conflict` without a fresh
        offer, `TooMany`.
        """
        person, session = person_and_session(caller)
        self._require_fresh_of_known(caller, person)
        with self.throttle.attempt([session_bucket(session)]):
            self.totp.confirm(self.users.get(person).tenant, person, code)
        codes = self.recovery.renew(person)
        self.sessions.revoke_others(person, session)
        return Confirmed(self.sessions.rotate(session, WITH_CODE), codes)

    def step_up(self, caller: Caller, code: str) -> OpenedSession:
        """Prove the running session anew. Raises `Unauthenticated`, `TooMany`."""
        self.prove(caller, code)
        return self.sessions.rotate(person_and_session(caller)[1], WITH_CODE)

    def step_up_by_recovery(self, caller: Caller, code: str) -> OpenedSession:
        """The same by a recovery code, which is used up. Raises `Unauthenticated`, `TooMany`."""
        person, session = person_and_session(caller)
        with self.throttle.attempt([session_bucket(session)]):
            self.recovery.use(person, code)
        return self.sessions.rotate(session, WITH_RECOVERY)

    def prove(self, caller: Caller, code: str) -> None:
        """Use up a one-time code of the person who calls. Raises `Unauthenticated`, `TooMany`.

        Without one, a passkey that was shown in the last minutes is proof enough, and a better one, for a session that
        a device answers for; else `Denied` (`step-up-required`, `device-unbound`).
        """
        person, session = person_and_session(caller)
        if not code and caller.authentication.phishing_resistant:
            self.require_fresh(caller)
            require_bound(caller)
            return
        with self.throttle.attempt([session_bucket(session)]):
            self.totp.use(self.users.get(person).tenant, person, code)

    def require_fresh(self, caller: Caller) -> None:
        """A second factor was set up: then it must have been shown, and lately. Raises `Denied` (step-up-required)."""
        person, _ = person_and_session(caller)
        weak = caller.authentication.assurance < WITH_CODE.assurance
        if caller.authentication.age_seconds > FRESH_SECONDS or (weak and self._has_factor(person)):
            raise Denied(
                "Prove that it is you first, with a one-time code or a passkey, or else a recovery code, or sign in"
                " again.",
                code="step-up-required",
            )

    def require_held(self, caller: Caller) -> None:
        """As `require_fresh`, and a device answers for the session of a person who has a second factor: what was
        proved a moment ago stands for its copy too. Raises `Denied` (`step-up-required`, `device-unbound`)."""
        self.require_fresh(caller)
        if self._has_factor(person_and_session(caller)[0]):
            require_bound(caller)

    def _require_fresh_of_known(self, caller: Caller, person: str) -> None:
        if self._has_factor(person):
            self.require_fresh(caller)

    def _has_factor(self, person: str) -> bool:
        # Recovery codes alone stand for an app or passkey of before, as at sign-in (`SignIn`).
        return self.totp.confirmed(person) or self.passkeys.count(person) > 0 or self.recovery.left(person) > 0

    def change_password(self, caller: Caller, current: str, new: str) -> OpenedSession:
        """Change the password. Raises as `Users.change_password`, and `TooMany`."""
        person, session = person_and_session(caller)
        with self.throttle.attempt([session_bucket(session)]):
            self.users.change_password(person, current, new, alone=not self._has_factor(person))
        self.sessions.revoke_others(person, session)
        return self.sessions.rotate(session)


def require_bound(caller: Caller) -> None:
    """A copied session must not make itself a credential that lasts. Raises `Denied` (`device-unbound`)."""
    if caller.device.bound is None:
        raise unbound("changes nothing that lasts")


def person_and_session(caller: Caller) -> tuple[str, str]:
    """Ids of both. Raises `Unauthenticated` for a caller that is not a session."""
    signed_in = caller.kind in ("user", "operator")  # an API key acts for a person and is none
    if not signed_in or caller.subject is None or caller.authentication.credential is None:
        raise Unauthenticated("Sign in with your password to do this.")
    return caller.subject, caller.authentication.credential
