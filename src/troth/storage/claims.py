"""Request ids that clients chose: each counts once (a replayed or repeated request is refused, not run again)."""

from __future__ import annotations

import hashlib

from sqlalchemy import Column, LargeBinary, Table, delete, insert
from sqlalchemy.exc import IntegrityError

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Invalid
from troth.storage.database import Big, Database, metadata

request_claim = Table(
    "request_claim",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("at", Big, nullable=False, index=True),
)

_LONGEST_ID = 255
KEPT_MS = 24 * 3600 * 1000  # a client may reuse an id a day later


class Claims:
    """Remembers a salted digest of each client request id for a day; the id may name a person, so it is not kept."""

    def __init__(self, database: Database, clock: Clock, salt: bytes) -> None:
        self._database = database
        self._clock = clock
        self._salt = salt

    def claim(self, actor: str, identifier: str) -> None:
        """Take the id for this actor. Raises `Conflict` (duplicate-request) or `Invalid` (too long)."""
        if len(identifier) > _LONGEST_ID:
            raise Invalid(f"A request id has at most {_LONGEST_ID} characters.", code="bad-request-id")
        digest = hashlib.blake2b(f"{actor}\0{identifier}".encode(), key=self._salt, digest_size=32).digest()
        now = epoch_ms(self._clock.now())
        try:
            with self._database.write() as connection:
                connection.execute(delete(request_claim).where(request_claim.c.at < now - KEPT_MS))
                connection.execute(insert(request_claim).values(digest=digest, at=now))
        except IntegrityError as error:
            raise Conflict(
                "This request id was used already; the first request counts. Send a new id for a new request.",
                code="duplicate-request",
            ) from error
