"""The device authorization grant (RFC 8628): a command asks, a person who is signed in decides in their browser.

Who sends a victim a code of their own gets the victim's session (RFC 8628 section 5.4). Hence no link carries the
code, the page says from where and when it was asked for, a fresh proof of identity is needed, and the code is bound to
the key of the device that began: it is redeemed by that key or by nobody.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, delete, func, insert, select, update

from troth.identity.oauth.refusals import GrantRefused, bad_grant
from troth.identity.oauth.service_tokens import digest
from troth.identity.oauth.store import device_codes
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound, TooMany
from troth.kernel.ids import new_id
from troth.kernel.scope import as_system
from troth.storage.database import Database

LIFE_MS = 10 * 60 * 1000
SECONDS = 5  # between two questions of a device; each one that comes too soon adds as many (RFC 8628 section 3.5)
MOST_WAITING = 10_000
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, so no words; nothing that looks like a digit
LETTERS = 8  # 34.6 bits: with 10,000 waiting, one of 2.5 million guesses would hit
_PREFIX = "troth_dc_"
_PENDING, _APPROVED, _BY_PASSKEY, _DENIED = "pending", "approved", "by-passkey", "denied"


@dataclass(frozen=True, slots=True)
class Begun:
    """What a device shows and keeps. `seconds`: between its questions; `life`: of the codes, in seconds."""

    device_code: str
    user_code: str
    seconds: int
    life: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a person sees before they decide. Times in epoch milliseconds; `key` is the beginning of the thumbprint."""

    id: str
    zone: str
    key: str
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Decider:
    """Who decides, in which session, when they last proved who they are (epoch ms), and whether by a passkey."""

    user: str
    session: str
    assurance: int
    verified_at: int
    passkey: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """What a person gave to a device."""

    id: str
    user: str
    session: str
    assurance: int
    verified_at: int
    passkey: bool


class DeviceCodes:
    """All codes that wait or were just decided."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @as_system  # nobody is known yet
    def begin(self, thumbprint: str, zone: str) -> Begun:
        """A fresh pair of codes for the holder of a key. Raises `TooMany` while 10,000 wait."""
        now = self._now()
        code = _PREFIX + base64.b32encode(secrets.token_bytes(32)).decode().rstrip("=").lower()
        shown = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
        row = {
            "id": new_id("dev"),
            "digest": digest(code),
            "user_code": _shown_digest(shown),
            "thumbprint": thumbprint,
            "zone": zone,
            "state": _PENDING,
            "seconds": SECONDS,
            "asked_at": now,
            "created_at": now,
            "expires_at": now + LIFE_MS,
        }
        with self._database.write() as sql:
            sql.execute(delete(device_codes).where(device_codes.c.expires_at <= now))
            if sql.execute(select(func.count()).select_from(device_codes)).scalar_one() >= MOST_WAITING:
                raise TooMany("Too many devices wait to be signed in; try again in ten minutes.", code="slow-down")
            sql.execute(insert(device_codes), row)
        return Begun(code, f"{shown[:4]}-{shown[4:]}", SECONDS, LIFE_MS // 1000)

    @as_system  # a code is nobody's before somebody decides
    def look(self, user_code: str) -> Waiting:
        """What waits under a code, however it was typed. Raises `NotFound`, also once somebody decided."""
        with self._database.read() as sql:
            row = sql.execute(self._waiting(user_code)).first()
        if row is None:
            raise _no_code()
        return Waiting(row.id, row.zone, row.thumbprint[:12], row.created_at, row.expires_at)

    @as_system
    def decide(self, user_code: str, by: Decider, *, approve: bool) -> Waiting:
        """Approve or deny, once: the code is used up. Raises `NotFound`."""
        found = self.look(user_code)
        decided = {
            "state": (_BY_PASSKEY if by.passkey else _APPROVED) if approve else _DENIED,
            "user_code": None,
            "user": by.user,
            "session": by.session,
            "assurance": by.assurance,
            "verified_at": by.verified_at,
        }
        still = (device_codes.c.id == found.id) & (device_codes.c.state == _PENDING)
        with self._database.write() as sql:
            if not sql.execute(update(device_codes).where(still).values(**decided)).rowcount:
                raise _no_code()
        return found

    @as_system
    def redeem(self, device_code: str, thumbprint: str) -> Granted:
        """What was given to the holder of the key that began; the code is used up with an answer, whatever it is.

        Raises `GrantRefused`: `authorization-pending`, `slow-down`, `access-denied`, `expired-token`, `invalid-grant`.
        """
        now, wanted = self._now(), device_codes.c.digest == digest(device_code)
        with self._database.write() as sql:
            row = sql.execute(select(device_codes).where(wanted).with_for_update()).first()
            if row is None or not secrets.compare_digest(row.thumbprint, thumbprint):
                raise bad_grant()
            refusal = self._not_yet(sql, row, now)
        if refusal is not None:  # raised outside: what was counted must stay
            raise refusal
        return Granted(row.id, row.user, row.session, row.assurance, row.verified_at, row.state == _BY_PASSKEY)

    def sweep(self) -> int:
        """Drop codes that are over; how many there were."""
        with self._database.write() as sql:
            return sql.execute(delete(device_codes).where(device_codes.c.expires_at <= self._now())).rowcount

    def _not_yet(self, sql: Sql, row: Row[Any], now: int) -> GrantRefused | None:
        this = device_codes.c.id == row.id
        if row.state == _PENDING and now < row.expires_at:
            early = now < row.asked_at + row.seconds * 1000
            seconds = row.seconds + SECONDS * early
            sql.execute(update(device_codes).where(this).values(asked_at=now, seconds=seconds))
            return _slower(seconds) if early else _pending()
        sql.execute(delete(device_codes).where(this))
        if now >= row.expires_at:
            return GrantRefused("The code is over; begin again.", code="expired-token")
        if row.state not in (_APPROVED, _BY_PASSKEY):
            return GrantRefused("The person said no.", code="access-denied")
        return None

    def _waiting(self, user_code: str) -> Any:
        young = device_codes.c.expires_at > self._now()
        pending = device_codes.c.state == _PENDING
        return select(device_codes).where(device_codes.c.user_code == _shown_digest(user_code), young, pending)

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def _shown_digest(code: str) -> bytes:
    """Dashes, spaces and case are as people type them."""
    return digest("user code " + "".join(one for one in code.upper() if one.isalnum()))


def _pending() -> GrantRefused:
    return GrantRefused("Nobody decided yet; ask again.", code="authorization-pending")


def _slower(seconds: int) -> GrantRefused:
    return GrantRefused(f"Ask every {seconds} seconds, not more often.", code="slow-down")


def _no_code() -> NotFound:
    return NotFound("No device waits under this code; it may be over, or used. Look at it again.", code="no-such-code")
