"""For calls of a library that another server can hold up for ever, since the library sets no limit of time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread


class Patience:
    """Runs each call in a thread of its own and waits `seconds` for it.

    Nothing can end such a call: who waited goes on without it, and at most `at_once` of them are under way.
    """

    def __init__(self, seconds: float, at_once: int) -> None:
        self._seconds = seconds
        self._room = BoundedSemaphore(at_once)

    def run(self, work: Callable[[], bytes], faults: type[Exception]) -> bytes:
        """What `work` returns. Raises its `faults`, and `TimeoutError` for no answer or no room in `seconds`."""
        if not self._room.acquire(timeout=self._seconds):
            raise TimeoutError
        answer: Future[bytes] = Future()
        # Of the daemon kind: the process can end while such a call hangs.
        Thread(target=self._answer, args=(work, faults, answer), name="patience", daemon=True).start()
        return answer.result(self._seconds)

    def _answer(self, work: Callable[[], bytes], faults: type[Exception], answer: Future[bytes]) -> None:
        try:
            answer.set_result(work())
        except faults as fault:
            answer.set_exception(fault)
        finally:
            self._room.release()
