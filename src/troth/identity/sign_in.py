"""Becoming somebody: address, password and second factor together, with one answer for everything that is wrong.

A stranger learns neither whether an address has an account nor whether a password was right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection as Sql

from troth.identity.known_devices import KnownDevices, digest
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Totp
from troth.identity.passwords import Passwords
from troth.identity.sessions import OpenedSession, Proof, Sessions
from troth.identity.store import OPERATORS
from troth.identity.throttle import Bucket, Throttle, device_bucket, network_bucket, strangers_bucket
from troth.identity.users import Account, Users, normalised_email
from troth.kernel.caller import Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import TooMany, Unauthenticated
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.scope import as_system

PASSWORD_ONLY = Proof("password", 1)
WITH_CODE = Proof("password+totp", 2)
WITH_RECOVERY = Proof("password+recovery", 2)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person typed, and what their device kept from an earlier sign-in."""

    email: str
    password: str
    code: str | None = None
    recovery_code: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `device` is to be kept on the device; `missing` is what must be done before data is reached."""

    user: str
    tenant: str
    session: OpenedSession
    proof: Proof
    device: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The parts that a sign-in asks."""

    users: Users
    passwords: Passwords
    totp: Totp
    recovery: RecoveryCodes
    devices: KnownDevices
    throttle: Throttle
    sessions: Sessions
    recorder: Recorder
    clock: Clock

    @as_system  # nobody is known yet
    def sign_in(self, credentials: Credentials, connection: Connection, request: str) -> SignedIn:
        """A session for the person. A password alone gives one that may only set up the second factor.

        The tenant's own log gets the event: `session.opened` with the session, or `session.refused` for an account
        that exists. Raises `TooMany` (`sign-in-throttled`), or `Unauthenticated`: `sign-in-failed`, `totp-replayed`.
        """
        index = self.users.email_index(normalised_email(credentials.email))
        known = self.users.account(index)
        buckets = self._buckets(index, known, credentials.device, connection.network)
        try:
            with self.throttle.attempt(buckets):
                account, proof = self._verify(known, credentials)
        except (TooMany, Unauthenticated) as error:
            if known is not None:  # not waited for: how long the answer takes must not tell that the account exists
                self.recorder.submit(self._event(known, request, error.code))
            raise
        event = self._event(account, request)
        session = self.sessions.open(
            account.id, proof, connection.zone, lambda sql, made: self._record(sql, event, made)
        )
        device = self.devices.remember(account.id, credentials.device)
        missing = ("password",) * account.password_issued + ("totp",) * (proof == PASSWORD_ONLY)
        return SignedIn(account.id, account.tenant, session, proof, device, missing)

    def _record(self, sql: Sql, event: Entry, session: str) -> None:
        self.recorder.record_within(sql, replace(event, facts={**event.facts, "session": session}))

    def _event(self, account: Account, request: str, refusal: str | None = None) -> Entry:
        return Entry(
            log=account.tenant,
            operation="session.refused" if refusal else "session.opened",
            phase="event",
            outcome=Outcome.REFUSED if refusal else Outcome.DONE,
            request=request,
            actor="anonymous" if refusal else account.id,
            tenant=None if account.tenant == OPERATORS else account.tenant,
            time=epoch_ms(self.clock.now()),
            code=refusal,
            facts={"user": account.id},
        )

    def _buckets(self, index: bytes, account: Account | None, device: str | None, network: str) -> list[Bucket]:
        if account is not None and device is not None and self.devices.knows(account.id, device):
            return [device_bucket(index, digest(device))]
        return [strangers_bucket(index), network_bucket(network)]

    def _verify(self, account: Account | None, credentials: Credentials) -> tuple[Account, Proof]:
        try:
            renewed = self.passwords.verify(self.users.password(account), credentials.password)
            if account is None or not account.usable(epoch_ms(self.clock.now())):
                raise _failed()
            proof = self._second_factor(account, credentials)
        except Unauthenticated as error:
            if error.code == "totp-replayed":  # only who holds a real code and the password gets this far
                raise
            raise _failed() from error
        if renewed is not None:
            self.users.rehashed(account, renewed)
        return account, proof

    def _second_factor(self, account: Account, credentials: Credentials) -> Proof:
        if not self.totp.confirmed(account.id):
            return PASSWORD_ONLY
        if credentials.recovery_code:
            self.recovery.use(account.id, credentials.recovery_code)
            return WITH_RECOVERY
        self.totp.use(account.tenant, account.id, credentials.code or "")
        return WITH_CODE


def _failed() -> Unauthenticated:
    return Unauthenticated(
        "Check the e-mail address, the password and the newest one-time code; leave the code empty only if you never"
        " set one up.",
        code="sign-in-failed",
    )
