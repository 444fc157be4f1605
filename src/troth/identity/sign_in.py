"""Becoming somebody: address, password and second factor together, with one answer for everything that is wrong.

A stranger learns neither whether an address has an account nor whether a password was right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection as Sql

from troth.identity.known_devices import KnownDevices, digest
from troth.identity.mfa.passkeys import Passkeys
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Totp
from troth.identity.passwords import Passwords
from troth.identity.sessions import OpenedSession, Proof, Sessions
from troth.identity.store import OPERATORS
from troth.identity.throttle import Bucket, Throttle, device_bucket, network_bucket, strangers_bucket
from troth.identity.users import Account, Users, normalised_email
from troth.kernel.caller import Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.details import DetailSealer
from troth.kernel.errors import TooMany, Unauthenticated
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.scope import as_system

PASSWORD_ONLY = Proof("password", 1)
WITH_CODE = Proof("password+totp", 2)
WITH_RECOVERY = Proof("password+recovery", 2)
WITH_PASSKEY = Proof("passkey", 2)  # the device verified the person: two factors in one (SP 800-63B-4 section 3.1.6)


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
    passkeys: Passkeys
    devices: KnownDevices
    throttle: Throttle
    sessions: Sessions
    recorder: Recorder
    details: DetailSealer
    clock: Clock
    provider_only: Callable[[str, str], bool] = lambda _tenant, _user: False
    """Told tenant and person: True when they sign in through their organisation's identity provider only."""

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
            if known is not None:
                self.refused(known, connection, request, error.code)
            raise
        return self.enter(account, proof, connection, request, credentials.device)

    def enter(
        self, account: Account, proof: Proof, connection: Connection, request: str, device: str | None
    ) -> SignedIn:
        """Open the session of somebody who showed `proof`, with its event in the tenant's log.

        Raises `Unauthenticated` (`sso-required`): only who showed everything learns that.
        """
        if self.provider_only(account.tenant, account.id):
            self.refused(account, connection, request, "sso-required")
            raise Unauthenticated("Sign in through your organisation's identity provider.", code="sso-required")
        event = self._event(account, request, connection)
        session = self.sessions.open(
            account.id, proof, connection.zone, lambda sql, made: self._record(sql, event, made)
        )
        kept = self.devices.remember(account.id, device)
        missing = ("password",) * account.password_issued + ("totp",) * (proof == PASSWORD_ONLY)
        return SignedIn(account.id, account.tenant, session, proof, kept, missing)

    def refused(self, account: Account, connection: Connection, request: str, code: str) -> None:
        """Tell the tenant's log of an attempt that failed.

        Not waited for: how long the answer takes must not tell that the account exists.
        """
        self.recorder.submit(self._event(account, request, connection, code))

    def _record(self, sql: Sql, event: Entry, session: str) -> None:
        self.recorder.record_within(sql, replace(event, facts={**event.facts, "session": session}))

    def _event(self, account: Account, request: str, connection: Connection, refusal: str | None = None) -> Entry:
        """From where it came is sealed for the account's person, also of a refused attempt: it is their alarm."""
        came = {"door": connection.origin.door, "address": connection.origin.address, "agent": connection.origin.agent}
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
            sealed=self.details.seal((account.tenant, account.id), came) if any(came.values()) else None,
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
        # Who has a passkey signs in with it: a password alone must not open what could add an app beside it. Neither
        # for who had one, as before their tenant moved here: their recovery codes came along.
        user = account.id
        if not (self.totp.confirmed(user) or self.passkeys.count(user) or self.recovery.left(user)):
            return PASSWORD_ONLY
        if credentials.recovery_code:
            self.recovery.use(account.id, credentials.recovery_code)
            return WITH_RECOVERY
        self.totp.use(account.tenant, account.id, credentials.code or "")
        return WITH_CODE


def _failed() -> Unauthenticated:
    return Unauthenticated(
        "Check the e-mail address, the password and the newest one-time code; leave the code empty only if you never"
        " set one up. Who has a passkey and no app signs in with the passkey.",
        code="sign-in-failed",
    )
