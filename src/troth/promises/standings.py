"""The promise table for a crowd: asked for as often as anybody likes, made once in some seconds."""

from __future__ import annotations

import threading
import time

from troth.promises.catalogue import Promise
from troth.promises.runner import Runner
from troth.promises.status import Standing


class Standings:
    """What `Runner.table()` says, at most `fresh` seconds old."""

    def __init__(self, runner: Runner, *, fresh: float = 0.0) -> None:
        self._runner = runner
        self._fresh = fresh
        self._lock = threading.Lock()
        self._last: tuple[float, list[tuple[Promise, Standing]]] | None = None

    def now(self) -> list[tuple[Promise, Standing]]:
        """Every promise with its standing."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] >= self._fresh:
                self._last = (time.monotonic(), self._runner.table())
            return self._last[1]

    def forget(self) -> None:
        """Make it anew for whoever asks next."""
        with self._lock:
            self._last = None
