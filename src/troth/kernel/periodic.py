"""Work that repeats in the background. A round that fails is noted and the next one comes all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from troth.kernel.dispatch import FaultLog
from troth.kernel.scope import SYSTEM, within

_LATE, _LATEST_SECONDS = 2.0, 60.0  # intervals and seconds after which a round that did not end is late


class Periodic:
    """Runs `work` after `delay` seconds and then every `seconds`, on a thread of its own."""

    def __init__(
        self, name: str, work: Callable[[], object], *, seconds: float, delay: float = 0.0, faults: FaultLog
    ) -> None:
        self.work = work
        self.name = name
        self.rounds = 0
        """How many rounds ended well since the start."""
        self.failures = 0
        """How many failed."""
        self.last_success: float | None = None
        """When the last good one ended, in seconds since the epoch."""
        self._seconds = seconds
        self._delay = delay
        self._faults = faults
        self._due = float("-inf")  # by the monotonic clock; what never began is late
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._due = time.monotonic() + self._delay + _LATE * self._seconds + _LATEST_SECONDS
        self._thread.start()

    def late(self) -> bool:
        """True when no round ended well for far too long: it never began, stopped, hangs, or fails each time."""
        return time.monotonic() > self._due

    def stop(self) -> None:
        """Finish the present round and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wait = self._delay
        while not self._stopping.wait(wait):
            try:
                with within(SYSTEM):  # no round belongs to one tenant
                    self.work()
                self._due = time.monotonic() + _LATE * self._seconds + _LATEST_SECONDS
                self.rounds, self.last_success = self.rounds + 1, time.time()
            except Exception as error:
                self.failures += 1
                self._faults.fault(error, self.name, "none")
            wait = self._seconds
