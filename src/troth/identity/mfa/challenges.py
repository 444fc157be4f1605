"""Challenges for passkeys and keys of devices: 256 random bits, good once and for five minutes.

Each is for one purpose of one session or attempt.

Only a hash is kept, over all of that together: a challenge of somebody else, or for something else, is not found.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum

from sqlalchemy import delete, insert

from troth.identity.mfa.relying_party import refusal
from troth.identity.store import passkey_challenges
from troth.kernel.clock import Clock, epoch_ms
from troth.storage.database import Database

LIFE_MS = 5 * 60 * 1000


class Purpose(StrEnum):
    """What a challenge is for."""

    REGISTER = "register"
    SIGN_IN = "sign-in"
    STEP_UP = "step-up"
    BIND = "bind"  # of a session to a key of the portal's script
    BIND_NATIVELY = "bind-natively"  # of a session to a key of the browser itself
    CONFIRM = "confirm"  # that the key of a bound session is at hand


class Challenges:
    """All challenges that were not answered yet."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def issue(self, purpose: Purpose, holder: str) -> bytes:
        """A fresh challenge. `holder` is a session's id, or the secret of a stranger's attempt to sign in."""
        challenge, now = secrets.token_bytes(32), epoch_ms(self._clock.now())
        row = {"digest": _digest(purpose, holder, challenge), "expires_at": now + LIFE_MS}
        with self._database.write() as connection:
            connection.execute(delete(passkey_challenges).where(passkey_challenges.c.expires_at <= now))
            connection.execute(insert(passkey_challenges), row)
        return challenge

    def redeem(self, purpose: Purpose, holder: str, challenge: bytes) -> None:
        """Use a challenge up, whatever comes of it. Raises `Unauthenticated` (`passkey-refused`)."""
        mine = passkey_challenges.c.digest == _digest(purpose, holder, challenge)
        young = passkey_challenges.c.expires_at > epoch_ms(self._clock.now())
        with self._database.write() as connection:
            if not connection.execute(delete(passkey_challenges).where(mine, young)).rowcount:
                raise refusal()


def _digest(purpose: Purpose, holder: str, challenge: bytes) -> bytes:
    text = f"troth passkey challenge\0{purpose.value}\0{holder}\0".encode()
    return hashlib.sha256(text + challenge).digest()
