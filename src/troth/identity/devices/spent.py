"""Proofs count once: what was shown is remembered until its time alone would refuse it.

A request that only reads is remembered by the instance that served it: whoever could read a proof inside TLS, and reach
another instance within a minute, gets the same answer again. A request that changes something is remembered in the
database, for all instances. What was signed before an instance began is refused by it.
"""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from threading import Lock

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.devices.proof import WINDOW_MS, Proof, refusal
from troth.identity.store import spent_proofs
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import TooMany
from troth.storage.database import Database, is_unique_violation

READING = frozenset({"GET", "HEAD"})
MOST = 100_000  # proofs remembered here, about 15 MB; beyond it bound requests wait, and none is forgotten early
MOST_OF_KEY = 10_000  # of one key: one session does not use up what all share
_SECOND = 1000


class SpentProofs:
    """What was shown in the last two minutes."""

    def __init__(self, database: Database, clock: Clock, most: int = MOST, most_of_key: int = MOST_OF_KEY) -> None:
        self._database = database
        self._clock = clock
        self._most, self._most_of_key = most, most_of_key
        self._began = epoch_ms(clock.now()) // _SECOND * _SECOND  # proofs tell whole seconds
        self._here: OrderedDict[bytes, tuple[int, str]] = OrderedDict()
        self._of_key: Counter[str] = Counter()
        self._lock = Lock()

    def spend(self, proof: Proof, method: str) -> None:
        """Use a proof up. Raises `Unauthenticated` (`proof-invalid`) for one that was used; `TooMany`."""
        if proof.issued_at is None or proof.issued_at < self._began:
            raise refusal()
        digest, now = _digest(proof), epoch_ms(self._clock.now())
        self._spend_here(digest, (proof.issued_at + WINDOW_MS, proof.thumbprint), now)
        if method not in READING:
            self._spend_everywhere(digest, proof.issued_at + WINDOW_MS, now)

    def _spend_here(self, digest: bytes, kept: tuple[int, str], now: int) -> None:
        with self._lock:
            while self._here and next(iter(self._here.values()))[0] < now:  # nearly in order of time
                self._forget(self._here.popitem(last=False)[1][1])
            if digest in self._here:
                raise refusal()
            if len(self._here) >= self._most or self._of_key[kept[1]] >= self._most_of_key:
                raise TooMany("Too many requests with proofs in the last minutes; wait a minute.")
            self._here[digest] = kept
            self._of_key[kept[1]] += 1

    def _forget(self, thumbprint: str) -> None:
        self._of_key[thumbprint] -= 1
        if not self._of_key[thumbprint]:
            del self._of_key[thumbprint]

    def _spend_everywhere(self, digest: bytes, until: int, now: int) -> None:
        try:
            with self._database.write() as connection:
                connection.execute(delete(spent_proofs).where(spent_proofs.c.expires_at < now))
                connection.execute(insert(spent_proofs).values(digest=digest, expires_at=until))
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise refusal() from error


def _digest(proof: Proof) -> bytes:
    return hashlib.sha256(f"{proof.thumbprint}\0{proof.jti}".encode()).digest()
