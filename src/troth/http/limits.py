"""How often one credential or one address may ask."""

from __future__ import annotations

import hashlib

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import HTTPConnection

from troth.kernel.errors import TooMany


class RateLimit:
    """Counts per minute in memory; a restart forgets the counts, which harms nobody."""

    def __init__(self, per_credential: int, per_address: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._credential = RateLimitItemPerMinute(per_credential)
        self._address = RateLimitItemPerMinute(per_address)

    def check(self, request: HTTPConnection) -> None:
        """Count one request. Raises `TooMany`."""
        credential = request.headers.get("authorization") or request.headers.get("cookie")
        if credential:
            item, who = self._credential, hashlib.blake2b(credential.encode(), digest_size=16).hexdigest()
        else:
            item, who = self._address, request.client.host if request.client else "unknown"
        if not self._limiter.hit(item, who):
            raise TooMany("Wait a minute and send fewer requests.")
