"""How far the machine's clock strayed from an even pace, and from the database server's clock."""

from __future__ import annotations

import time
from collections.abc import Callable

MOST_SECONDS = 60.0  # beyond it times in records are not to be believed
_FORGOTTEN_SECONDS = 600.0  # a step that set the clock right is no reason to stay away for ever


class Drift:
    """Compares the clock with a counter that nobody sets (CLOCK_BOOTTIME, which runs on while a machine sleeps)."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()
        self._since = steady()

    def seconds(self) -> float:
        """How far the clock was set forward (or back: less than 0) within the last ten minutes."""
        strayed = self._wall() - self._steady() - self._offset
        if self._steady() - self._since > _FORGOTTEN_SECONDS:
            self._offset, self._since = self._offset + strayed, self._steady()
        return strayed

    def bearable(self) -> bool:
        """False while the clock jumped by more than a minute a short while ago."""
        return abs(self.seconds()) <= MOST_SECONDS
