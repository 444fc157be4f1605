"""How often one credential or one address may ask: a count for each minute, in memory.

The `limits` package was measured here and left out: its memory store starts a timer thread for every request.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.requests import HTTPConnection

from troth.http.network import line
from troth.kernel.caller import Caller
from troth.kernel.errors import TooMany

_MOST_NAMES = 100_000  # a flood from many addresses must not fill the memory


class RateLimit:
    """Counts per minute; a restart forgets them, which harms nobody. Only ever used on the event loop's thread."""

    def __init__(self, per_credential: int, per_address: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._credentials = _Counts(per_credential, clock)
        self._addresses = _Counts(per_address, clock)

    def check(self, request: HTTPConnection, caller: Caller) -> None:
        """Count one request of a caller whose credential holds; a stranger counts by address. Raises `TooMany`."""
        if caller.anonymous:
            self.check_stranger(request)
        else:
            self._credentials.add(caller.actor)

    def check_stranger(self, request: HTTPConnection) -> None:
        """Count one request of an address: made-up credentials buy no allowance of their own. Raises `TooMany`."""
        self._addresses.add(line(request.client.host if request.client else ""))


class _Counts:
    """How often each name asked in this minute."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}

    def add(self, name: str) -> None:
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        count = self._counts.pop(name, 0) + 1
        if len(self._counts) >= _MOST_NAMES:  # whoever was silent longest goes; the others stay counted
            del self._counts[next(iter(self._counts))]
        self._counts[name] = count
        if count > self._limit:
            raise TooMany("Wait a minute and send fewer requests.")
