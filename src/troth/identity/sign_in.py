"""Becoming somebody: address, password and second factor together, with one answer for everything that is wrong.

A stranger learns neither whether an address has an account nor whether a password was right.
"""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.known_devices import KnownDevices, digest
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Totp
from troth.identity.passwords import Passwords
from troth.identity.sessions import OpenedSession, Proof, Sessions
from troth.identity.throttle import Bucket, Throttle, device_bucket, strangers_bucket, zone_bucket
from troth.identity.users import Account, Users, normalised_email
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Unauthenticated

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
    clock: Clock

    def sign_in(self, credentials: Credentials, zone: str) -> SignedIn:
        """A session for the person. A password alone gives one that may only set up the second factor.

        Raises `TooMany` (`sign-in-throttled`), or `Unauthenticated`: `sign-in-failed`, `totp-replayed`.
        """
        index = self.users.email_index(normalised_email(credentials.email))
        account = self.users.account(index)
        buckets = self._buckets(index, account, credentials.device, zone)
        with self.throttle.attempt(buckets):
            account, proof = self._verify(account, credentials)
        session = self.sessions.open(account.id, proof, zone)
        device = self.devices.remember(account.id, credentials.device)
        missing = ("password",) * account.password_issued + ("totp",) * (proof == PASSWORD_ONLY)
        return SignedIn(account.id, account.tenant, session, proof, device, missing)

    def _buckets(self, index: bytes, account: Account | None, device: str | None, zone: str) -> list[Bucket]:
        if account is not None and device is not None and self.devices.knows(account.id, device):
            return [device_bucket(index, digest(device))]
        return [strangers_bucket(index), zone_bucket(zone)]

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
