"""A circuit breaker per vendor: after some failures in a row it gets no calls for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from troth.kernel.errors import Unavailable

FAILURES = 5  # in a row
REST_SECONDS = 30.0


class Breaker:
    """Counts failures of one vendor. Used from one event loop, so it needs no lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._opened: float | None = None

    def check(self) -> None:
        """Raises `Unavailable` while the vendor rests; afterwards one call may try."""
        if self._opened is None:
            return
        if self._clock() - self._opened < REST_SECONDS:
            raise Unavailable("This vendor failed several times and rests for half a minute; try again later.",
                              code="vendor-resting")  # fmt: skip
        self._opened = self._clock()  # one trial; the others keep waiting until it ends

    def succeeded(self) -> None:
        """The vendor answered."""
        self._failures, self._opened = 0, None

    def failed(self) -> None:
        """The vendor did not."""
        self._failures += 1
        if self._failures >= FAILURES:
            self._opened = self._clock()
