"""Whether requests can be taken: every part is asked, none is waited for longer than two seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait

from sqlalchemy.exc import SQLAlchemyError

from troth.kernel.errors import TrothError
from troth.kernel.scope import as_system

WAIT_SECONDS = 1.8  # for all parts together; the rest of two seconds is for the answer
_FRESH_SECONDS = 1.0  # a crowd that asks is given the same answer


class Readiness:
    """Asks each part on a thread of its own. A part that still hangs from the last time is not asked again."""

    def __init__(self, parts: Mapping[str, Callable[[], bool]], *, fresh: float = _FRESH_SECONDS) -> None:
        self._parts = {name: as_system(part) for name, part in parts.items()}
        self._fresh = fresh
        self._pool: ThreadPoolExecutor | None = None
        self._asked: dict[str, Future[bool]] = {}
        self._lock = threading.Lock()
        self._last: tuple[float, dict[str, bool]] | None = None

    def __call__(self) -> dict[str, bool]:
        """Each part by name: True when it works; False too when it did not answer in time."""
        with self._lock:
            if self._last and time.monotonic() - self._last[0] < self._fresh:
                return self._last[1]
            pool = self._pool = self._pool or ThreadPoolExecutor(len(self._parts), "readiness")
            for name, part in self._parts.items():
                if name not in self._asked:
                    self._asked[name] = pool.submit(_works, part)
            done, _ = wait(self._asked.values(), WAIT_SECONDS)
            answers = {name: future in done and _said(future) for name, future in self._asked.items()}
            self._asked = {name: future for name, future in self._asked.items() if future not in done}
            self._last = (time.monotonic(), answers)
            return answers

    def close(self) -> None:
        """Let the threads go; one that hangs is left behind."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool, self._asked = None, {}


def _said(future: Future[bool]) -> bool:
    """What a part answered; one that broke in a way that nobody foresaw does not work."""
    return future.exception() is None and future.result()


def _works(part: Callable[[], bool]) -> bool:
    try:
        return bool(part())
    except (TrothError, OSError, SQLAlchemyError):
        return False
