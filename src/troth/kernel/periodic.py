"""Work that repeats in the background. A round that fails is noted and the next one comes all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable

from troth.kernel.dispatch import FaultLog


class Periodic:
    """Runs `work` after `delay` seconds and then every `seconds`, on a thread of its own."""

    def __init__(
        self, name: str, work: Callable[[], object], *, seconds: float, delay: float = 0.0, faults: FaultLog
    ) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._delay = delay
        self._faults = faults
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the present round and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wait = self._delay
        while not self._stopping.wait(wait):
            try:
                self._work()
            except Exception as error:
                self._faults.fault(error, self._name, "none")
            wait = self._seconds
