"""Guessing made slow: attempts are counted before they are judged, in the database, so that neither a restart nor
many requests at once reset the count. SP 800-63B-4 section 3.2.2 asks for at most 100 failures in a row.

Whoever guesses at an address delays it for strangers only; the owner's known devices have counts of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Row, case, delete, insert, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.store import attempts
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import TooMany
from troth.storage.database import Database


@dataclass(frozen=True, slots=True)
class Limit:
    """`free` attempts without delay; then `first_ms`, doubled by each further one up to `cap_ms`; all forgotten
    `window_ms` after the first attempt. `shared`: a success takes back its own attempt, not those of others."""

    free: int
    first_ms: int
    cap_ms: int
    window_ms: int
    shared: bool = False

    def delay(self, failures: int) -> int:
        """Milliseconds until the next attempt after so many failures."""
        beyond = failures - self.free
        return 0 if beyond <= 0 else min(self.cap_ms, self.first_ms << min(beyond - 1, 30))


DAY_MS = 24 * 3600 * 1000
STRANGERS = Limit(free=5, first_ms=1000, cap_ms=20 * 60 * 1000, window_ms=DAY_MS)  # under 100 a day
KNOWN_DEVICE = Limit(free=5, first_ms=1000, cap_ms=20 * 60 * 1000, window_ms=DAY_MS)
# A neighbourhood in the network: slows the trying of one password on many accounts, and the work of hashing; it keeps
# nobody out who asks from elsewhere.
NETWORK = Limit(free=600, first_ms=50, cap_ms=1000, window_ms=10 * 60 * 1000, shared=True)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One thing that is counted."""

    key: bytes
    limit: Limit


def strangers_bucket(email_index: bytes) -> Bucket:
    """Attempts at one address from devices that nobody knows; also for addresses without an account."""
    return Bucket(_key(b"strangers", email_index), STRANGERS)


def device_bucket(email_index: bytes, device: bytes) -> Bucket:
    """Attempts at one address from one known device."""
    return Bucket(_key(b"device", email_index + device), KNOWN_DEVICE)


def network_bucket(network: str) -> Bucket:
    """Attempts by strangers from one neighbourhood; `network` is its opaque name (`kernel.caller.Connection`)."""
    return Bucket(_key(b"network", network.encode()), NETWORK)


def challenge_bucket(network: str) -> Bucket:
    """Challenges that strangers from one neighbourhood asked for and did not answer."""
    return Bucket(_key(b"challenges", network.encode()), NETWORK)


def session_bucket(session: str) -> Bucket:
    """Attempts at a secret from inside one session."""
    return Bucket(_key(b"session", session.encode()), KNOWN_DEVICE)


class Throttle:
    """Counts of attempts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def attempt(self, buckets: Sequence[Bucket]) -> Iterator[None]:
        """Count an attempt, and forgive it when the block ends well. Raises `TooMany`."""
        self.admit(buckets)
        yield
        self.succeeded(buckets)

    def admit(self, buckets: Sequence[Bucket]) -> None:
        """Count one attempt in each bucket. Raises `TooMany`, counting nothing, while one of them must wait."""
        now = epoch_ms(self._clock.now())
        with self._database.write() as connection:
            rows = [_locked(connection, bucket, now) for bucket in sorted(buckets, key=lambda one: one.key)]
            wait = max(row.next_at for row in rows) - now
            if wait > 0:
                raise TooMany(
                    f"Too many attempts; try again in {-(-wait // 1000)} seconds, or on a device you used before.",
                    code="sign-in-throttled",
                )
            for row, bucket in zip(rows, sorted(buckets, key=lambda one: one.key), strict=True):
                failures = row.failures + 1
                this = update(attempts).where(attempts.c.bucket == bucket.key)
                connection.execute(this.values(failures=failures, next_at=now + bucket.limit.delay(failures)))

    def succeeded(self, buckets: Sequence[Bucket]) -> None:
        """The attempt was the owner's: forget the counts, or take back one where the count is shared."""
        with self._database.write() as connection:
            for bucket in sorted(buckets, key=lambda one: one.key):
                this = attempts.c.bucket == bucket.key
                if bucket.limit.shared:
                    lowered = case((attempts.c.failures > 0, attempts.c.failures - 1), else_=0)
                    connection.execute(update(attempts).where(this).values(failures=lowered))
                else:
                    connection.execute(delete(attempts).where(this))

    def sweep(self) -> int:
        """Drop counts whose window has passed; how many there were."""
        past = delete(attempts).where(attempts.c.forget_at <= epoch_ms(self._clock.now()))
        with self._database.write() as connection:
            return connection.execute(past).rowcount


def _locked(connection: Sql, bucket: Bucket, now: int) -> Row[Any, Any]:
    """The row of a bucket, made when absent or past its window, and held until the transaction ends."""
    wanted = select(attempts.c.failures, attempts.c.next_at).where(attempts.c.bucket == bucket.key).with_for_update()
    past = (attempts.c.bucket == bucket.key) & (attempts.c.forget_at <= now)
    connection.execute(delete(attempts).where(past))
    row = connection.execute(wanted).first()
    if row is not None:
        return row
    fresh = {"bucket": bucket.key, "failures": 0, "next_at": 0, "forget_at": now + bucket.limit.window_ms}
    try:
        with connection.begin_nested():
            connection.execute(insert(attempts), fresh)
    except Duplicate:  # another request made it first; wait for that one
        pass
    return connection.execute(wanted).one()


def _key(kind: bytes, value: bytes) -> bytes:
    return hashlib.sha256(b"troth attempts\0" + kind + b"\0" + value).digest()
