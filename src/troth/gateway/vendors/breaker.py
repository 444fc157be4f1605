"""How one vendor does: a circuit breaker, and moving figures of errors and answer times by which routing chooses."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable

from troth.kernel.errors import Unavailable

FAILURES = 5  # in a row
WINDOW, FAILED_OF_WINDOW = 20, 10  # or so many of the last calls
REST_SECONDS = 30.0
LONGEST_REST = 600.0
_JITTER = 0.25  # so much longer at most: several instances do not all knock at the same moment
_WEIGHT = 0.2  # of the newest call in the moving figures


class Breaker:
    """Counts failures of one vendor. Changed from one event loop only, so it needs no lock; anybody may read it.

    After a rest one call may try, the others keep waiting until it ends; each failed try doubles the rest.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._rests = 0
        self._until: float | None = None
        self._trial = False
        self._last: deque[bool] = deque(maxlen=WINDOW)
        self.error_rate = 0.0  # moving, from 0 to 1
        self.seconds = 0.0  # moving time to an answer; 0 before the first

    @property
    def resting(self) -> bool:
        """True while it gets no calls. Looking changes nothing."""
        return self._until is not None and self._clock() < self._until

    def check(self) -> None:
        """Raises `Unavailable` while the vendor rests; afterwards one call may try."""
        if self._until is None:
            return
        if self._clock() < self._until:
            raise Unavailable("This vendor failed several times, or asked for a pause, and rests; try again later.",
                              code="vendor-resting")  # fmt: skip
        self._trial, self._until = True, self._clock() + REST_SECONDS  # the others keep waiting until it ends

    def succeeded(self, seconds: float | None = None) -> None:
        """The vendor answered, after so many seconds."""
        if self._trial or not self.resting:  # a call from before the rest does not end it
            self._failures, self._rests, self._until, self._trial = 0, 0, None, False
        self._count(failed=False)
        if seconds is not None:
            self.seconds = seconds if self.seconds == 0.0 else self.seconds + _WEIGHT * (seconds - self.seconds)

    def failed(self) -> None:
        """The vendor did not."""
        self._failures += 1
        self._count(failed=True)
        many = self._failures >= FAILURES or self._last.count(True) >= FAILED_OF_WINDOW
        if self._trial or (many and not self.resting):
            pause = min(REST_SECONDS * 2**self._rests, LONGEST_REST)
            self._rests += 1
            self._last.clear()
            self._trial, self._until = False, self._clock() + pause * (1 + _JITTER * self._chance())

    def asked_for_pause(self, seconds: float) -> None:
        """The vendor said when to come again (Retry-After, RFC 9110 section 10.2.3); ten minutes at most."""
        self._trial, self._until = False, self._clock() + min(max(seconds, 0.0), LONGEST_REST)

    def _count(self, *, failed: bool) -> None:
        self._last.append(failed)
        self.error_rate += _WEIGHT * (float(failed) - self.error_rate)
