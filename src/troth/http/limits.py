"""How often one credential or one address may ask."""

from __future__ import annotations

import hashlib

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.requests import HTTPConnection

from troth.kernel.caller import Caller
from troth.kernel.errors import TooMany


class RateLimit:
    """Counts per minute in memory; a restart forgets the counts, which harms nobody."""

    def __init__(self, per_credential: int, per_address: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._credential = RateLimitItemPerMinute(per_credential)
        self._address = RateLimitItemPerMinute(per_address)

    def check(self, request: HTTPConnection) -> None:
        """Count one request by the credential that it shows, unchecked. Raises `TooMany`."""
        credential = request.headers.get("authorization") or request.headers.get("cookie")
        if credential:
            self._hit(self._credential, hashlib.blake2b(credential.encode(), digest_size=16).hexdigest())
        else:
            self.check_stranger(request)

    def check_caller(self, request: HTTPConnection, caller: Caller) -> None:
        """Count one request of a caller whose credential holds; a stranger counts by address. Raises `TooMany`."""
        if caller.anonymous:
            self.check_stranger(request)
        else:
            self._hit(self._credential, caller.actor)

    def check_stranger(self, request: HTTPConnection) -> None:
        """Count one request of an address: made-up credentials buy no allowance of their own. Raises `TooMany`."""
        self._hit(self._address, request.client.host if request.client else "unknown")

    def _hit(self, item: RateLimitItemPerMinute, who: str) -> None:
        if not self._limiter.hit(item, who):
            raise TooMany("Wait a minute and send fewer requests.")
