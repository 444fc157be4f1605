"""Devices that somebody signed in from before: strangers' failed attempts do not slow these down.

This is OWASP's "device cookie": it proves no identity, it only keeps the throttle from locking the owner out.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, insert, select

from troth.identity.store import known_devices
from troth.kernel.clock import Clock, epoch_ms
from troth.storage.database import Database

LIFE_MS = 90 * 24 * 3600 * 1000


class KnownDevices:
    """The devices of all people, as hashes of what their sign-ins left with them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def remember(self, user: str, token: str | None) -> str:
        """The token to keep on the device: the one it has when that is known for this person, else a fresh one."""
        if token is not None and self.knows(user, token):
            return token
        now, fresh = epoch_ms(self._clock.now()), secrets.token_urlsafe(32)
        with self._database.write() as connection:
            connection.execute(delete(known_devices).where(known_devices.c.expires_at <= now))
            connection.execute(
                insert(known_devices), {"digest": digest(fresh), "user": user, "expires_at": now + LIFE_MS}
            )
        return fresh

    def knows(self, user: str, token: str) -> bool:
        """True when this person signed in with this device in the last 90 days."""
        mine = select(known_devices.c.user).where(
            known_devices.c.digest == digest(token),
            known_devices.c.user == user,
            known_devices.c.expires_at > epoch_ms(self._clock.now()),
        )
        with self._database.read() as connection:
            return connection.execute(mine).first() is not None


def digest(token: str) -> bytes:
    """What is kept of a device's token."""
    return hashlib.sha256(b"troth known device\0" + token.encode()).digest()
