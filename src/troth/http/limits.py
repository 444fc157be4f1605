"""How often one credential or one address may ask: a count for each minute, in memory.

The `limits` package was measured here and left out: its memory store starts a timer thread for every request.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.requests import HTTPConnection

from troth.kernel.caller import Caller
from troth.kernel.errors import TooMany

_MOST_NAMES = 100_000  # a flood from many addresses must not fill the memory


class RateLimit:
    """Counts per minute; a restart forgets them, which harms nobody. Only ever used on the event loop's thread."""

    def __init__(self, per_credential: int, per_address: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_credential = per_credential
        self._per_address = per_address
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}

    def check(self, request: HTTPConnection, caller: Caller) -> None:
        """Count one request of a caller whose credential holds; a stranger counts by address. Raises `TooMany`."""
        if caller.anonymous:
            self.check_stranger(request)
        else:
            self._count(caller.actor, self._per_credential)

    def check_stranger(self, request: HTTPConnection) -> None:
        """Count one request of an address: made-up credentials buy no allowance of their own. Raises `TooMany`."""
        self._count(request.client.host if request.client else "unknown", self._per_address)

    def _count(self, name: str, limit: int) -> None:
        minute = int(self._clock() // 60)
        if minute != self._minute or len(self._counts) >= _MOST_NAMES:
            self._minute, self._counts = minute, {}
        count = self._counts[name] = self._counts.get(name, 0) + 1
        if count > limit:
            raise TooMany("Wait a minute and send fewer requests.")
