"""For calls of a library that another server can hold up for ever, since the library sets no limit of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from types import TracebackType


class Patience:
    """Runs each call in a thread of its own and waits `seconds` for it.

    Nothing can end such a call: who waited goes on without it, and at most `at_once` of them are under way.
    """

    def __init__(self, seconds: float, at_once: int) -> None:
        self._seconds = seconds
        self._room = BoundedSemaphore(at_once)

    def run(self, work: Callable[[], bytes]) -> bytes:
        """What `work` returns. Raises what it raises, at once, and `TimeoutError` for no answer, no room or no thread
        in `seconds` altogether."""
        end = time.monotonic() + self._seconds
        if not self._room.acquire(timeout=self._seconds):
            raise TimeoutError
        answer: Future[bytes] = Future()
        # Of the daemon kind: the process can end while such a call hangs.
        thread = Thread(target=self._answer, args=(work, answer), name="patience", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more threads
            self._room.release()
            raise TimeoutError from error
        return answer.result(max(0.0, end - time.monotonic()))

    def _answer(self, work: Callable[[], bytes], answer: Future[bytes]) -> None:
        try:
            with _HandedOver(answer):
                answer.set_result(work())
        finally:
            self._room.release()


class _HandedOver:
    """Whatever a block raises is for who waits for the answer, whom it would else leave waiting: it ends no thread."""

    def __init__(self, answer: Future[bytes]) -> None:
        self._answer = answer

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if fault is not None:
            self._answer.set_exception(fault)
        return fault is not None
