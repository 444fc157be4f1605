"""What may be said once: the `jti` of a client's assertion (RFC 7523 section 3). Only a hash is kept, until the message
would be too old anyway."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.oauth.store import seen
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import TrothError
from troth.storage.database import Database, is_unique_violation


class Once:
    """Every message that was taken and is not too old yet."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def require_first(self, who: str, jti: str, until: int, refusal: TrothError) -> None:
        """Use a message up. `until` in epoch ms: after it the message is refused for its age. Raises `refusal`."""
        digest = hashlib.sha256("\0".join(("troth oauth", who, jti)).encode()).digest()
        try:
            with self._database.write() as sql:
                sql.execute(insert(seen), {"digest": digest, "expires_at": until})
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise refusal from error

    def sweep(self) -> int:
        """Drop what is too old to be taken; how many there were."""
        with self._database.write() as sql:
            return sql.execute(delete(seen).where(seen.c.expires_at <= epoch_ms(self._clock.now()))).rowcount
