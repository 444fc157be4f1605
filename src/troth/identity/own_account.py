"""What people do to their own account: set up the second factor, prove a session anew, change the password.

Each change of strength gives the session a new token; each change of a secret ends all other sessions.
"""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Offer, Totp
from troth.identity.sessions import OpenedSession, Sessions
from troth.identity.sign_in import WITH_CODE, WITH_RECOVERY
from troth.identity.throttle import Throttle, session_bucket
from troth.identity.users import Users
from troth.kernel.caller import Caller
from troth.kernel.errors import Denied, Unauthenticated


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
    sessions: Sessions
    throttle: Throttle

    def enrol(self, caller: Caller, code: str | None) -> Offer:
        """Offer a secret. Replacing one needs a code from it, or a session that a recovery code opened.

        Raises `Unauthenticated` for a wrong code, `Denied` when a password-only session would replace a factor.
        """
        person, session = person_and_session(caller)
        user = self.users.get(person)
        if self.totp.confirmed(person) and caller.authentication.method != WITH_RECOVERY.method:
            if caller.authentication.assurance < WITH_CODE.assurance:
                raise Denied("Sign in with your present one-time code before you replace it.", code="totp-required")
            with self.throttle.attempt([session_bucket(session)]):
                self.totp.use(user.tenant, person, code or "")
        return self.totp.offer(user.tenant, person, user.email)

    def confirm(self, caller: Caller, code: str) -> Confirmed:
        """Put the offered secret in force.

        Raises `Unauthenticated` for a wrong code, `Conflict` without a fresh offer, `TooMany`.
        """
        person, session = person_and_session(caller)
        with self.throttle.attempt([session_bucket(session)]):
            self.totp.confirm(self.users.get(person).tenant, person, code)
        codes = self.recovery.renew(person)
        self.sessions.revoke_others(person, session)
        return Confirmed(self.sessions.rotate(session, WITH_CODE), codes)

    def step_up(self, caller: Caller, code: str) -> OpenedSession:
        """Prove the running session anew. Raises `Unauthenticated`, `TooMany`."""
        self.prove(caller, code)
        return self.sessions.rotate(person_and_session(caller)[1], WITH_CODE)

    def prove(self, caller: Caller, code: str) -> None:
        """Use up a one-time code of the person who calls. Raises `Unauthenticated`, `TooMany`."""
        person, session = person_and_session(caller)
        with self.throttle.attempt([session_bucket(session)]):
            self.totp.use(self.users.get(person).tenant, person, code)

    def change_password(self, caller: Caller, current: str, new: str) -> OpenedSession:
        """Change the password. Raises as `Users.change_password`, and `TooMany`."""
        person, session = person_and_session(caller)
        with self.throttle.attempt([session_bucket(session)]):
            self.users.change_password(person, current, new)
        self.sessions.revoke_others(person, session)
        return self.sessions.rotate(session)


def person_and_session(caller: Caller) -> tuple[str, str]:
    """Ids of both. Raises `Unauthenticated` for a caller that is not a session."""
    signed_in = caller.kind in ("user", "operator")  # an API key acts for a person and is none
    if not signed_in or caller.subject is None or caller.authentication.credential is None:
        raise Unauthenticated("Sign in with your password to do this.")
    return caller.subject, caller.authentication.credential
