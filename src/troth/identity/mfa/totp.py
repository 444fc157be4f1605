"""Time-based one-time codes, RFC 6238: SHA-1, 6 digits, 30 seconds, as every authenticator app knows them."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import insert, select, update

from troth.identity.store import totp
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Unauthenticated
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database

PERIOD = 30  # seconds, RFC 6238 section 5.2
DRIFT = 1  # steps of clock difference accepted to either side, RFC 6238 section 6
OFFER_MS = 15 * 60 * 1000  # how long an offered secret waits for its first code
SECRET, OFFERED = "totp-secret", "totp-offer"  # labels of the sealed fields
_CODE = re.compile(r"[0-9]{6}\Z")


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret to put into an authenticator app: base32 text, and the same as `otpauth:` URI (for a QR code)."""

    secret: str
    uri: str


class Totp:
    """One secret per person, sealed under that person's key; each code works once."""

    def __init__(self, database: Database, fields: PersonalFields, clock: Clock) -> None:
        self._database = database
        self._fields = fields
        self._clock = clock

    def offer(self, tenant: str, user: str, account: str) -> Offer:
        """A fresh secret that waits 15 minutes for `confirm`; a confirmed one stays in force until then.

        `account` is what the app shows beside "Troth". It is not kept.
        """
        offer, until = _fresh(account), epoch_ms(self._clock.now()) + OFFER_MS
        sealed = self._fields.seal(tenant, user, OFFERED, f"{until} {offer.secret}".encode())
        self._put(user, pending=sealed)
        return offer

    def install(self, tenant: str, user: str, account: str) -> Offer:
        """A fresh secret that is in force at once: for the first operator, who reads it on the machine itself."""
        offer = _fresh(account)
        self._put(user, secret=self._fields.seal(tenant, user, SECRET, offer.secret.encode()), pending=None)
        return offer

    def confirm(self, tenant: str, user: str, code: str) -> None:
        """Put the offered secret in force by a code from it.

        Raises `Unauthenticated`; `Conflict` (`totp-not-offered`) without an offer, or when it waited too long.
        """
        with self._database.read() as connection:
            offered = connection.execute(select(totp.c.pending).where(totp.c.user == user)).scalar()
        if offered is None:
            raise _not_offered()
        until, _, secret = self._fields.open(tenant, user, OFFERED, offered).decode().partition(" ")
        if epoch_ms(self._clock.now()) >= int(until):
            raise _not_offered()
        step = self._matching_step(pyotp.TOTP(secret), code)
        sealed = self._fields.seal(tenant, user, SECRET, secret.encode())
        fresh = update(totp).where(totp.c.user == user, totp.c.pending == offered)
        with self._database.write() as connection:
            if not connection.execute(fresh.values(secret=sealed, pending=None, last_step=step)).rowcount:
                raise Conflict("The authenticator secret was offered anew; use the newest.", code="totp-not-offered")

    def confirmed(self, user: str) -> bool:
        """True when the person must show a code to sign in."""
        with self._database.read() as connection:
            return connection.execute(select(totp.c.secret).where(totp.c.user == user)).scalar() is not None

    def use(self, tenant: str, user: str, code: str) -> None:
        """Use up one code. Raises `Unauthenticated`: `totp-wrong`, or `totp-replayed` for one that was used before."""
        with self._database.read() as connection:
            sealed = connection.execute(select(totp.c.secret).where(totp.c.user == user)).scalar()
        if sealed is None:
            raise _wrong()
        step = self._matching_step(self._open(tenant, user, sealed), code)
        # One statement decides, so that two requests with the same code cannot both pass.
        later = update(totp).where(totp.c.user == user, totp.c.last_step < step).values(last_step=step)
        with self._database.write() as connection:
            if not connection.execute(later).rowcount:
                raise Unauthenticated(
                    "This one-time code was used already; wait for the next one.", code="totp-replayed"
                )

    def _put(self, user: str, **values: bytes | None) -> None:
        with self._database.write() as connection:
            if not connection.execute(update(totp).where(totp.c.user == user).values(**values)).rowcount:
                connection.execute(insert(totp).values(user=user, last_step=0, **values))

    def _open(self, tenant: str, user: str, sealed: bytes) -> pyotp.TOTP:
        return pyotp.TOTP(self._fields.open(tenant, user, SECRET, sealed).decode())

    def _matching_step(self, codes: pyotp.TOTP, code: str) -> int:
        return matching_step(codes, code, self._clock.now())


def matching_step(codes: pyotp.TOTP, code: str, now: datetime) -> int:
    """The time step that a code belongs to, within the drift. Raises `Unauthenticated` with code `totp-wrong`."""
    digits = code.replace(" ", "")
    step = int(now.timestamp()) // PERIOD
    found = None
    for candidate in range(step - DRIFT, step + DRIFT + 1):
        if hmac.compare_digest(codes.generate_otp(candidate).encode(), digits.encode()):
            found = candidate
    if found is None or not _CODE.match(digits):
        raise _wrong()
    return found


def _fresh(account: str) -> Offer:
    secret = pyotp.random_base32(32)  # 160 bits, RFC 4226 section 4 R6
    return Offer(secret, pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name="Troth"))


def _not_offered() -> Conflict:
    return Conflict("Ask for a new authenticator secret first; an offer lasts 15 minutes.", code="totp-not-offered")


def _wrong() -> Unauthenticated:
    return Unauthenticated("The one-time code is not right; use the newest one your app shows.", code="totp-wrong")
