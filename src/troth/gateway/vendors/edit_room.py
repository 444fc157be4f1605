"""Where the local studio changes pictures: two at once, for each takes a core for seconds and up to 330 MB."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import Final, TypeVar

from troth.kernel.errors import TooMany

AT_ONCE: Final = 2
MOST: Final = 16  # that wait or are made: of some seconds each, so that nobody waits for minutes
Result = TypeVar("Result")


class EditRoom:
    """Safe to share between event loops. Who waits holds no thread of other operations."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "edits")
        self._lock, self._taken = Lock(), 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns; not begun any more once the caller has left.

        Raises what it raises, and `TooMany` (vendor-busy) when too many wait.
        """
        with self._lock:
            if self._taken >= MOST:
                raise TooMany("Too many pictures are being changed here; try again in a minute.", code="vendor-busy")
            self._taken += 1
        begun = self._threads.submit(copy_context().run, work)
        begun.add_done_callback(self._left)  # done, failed or cancelled before it began
        return await asyncio.wrap_future(begun)

    def _left(self, _: Future[Result]) -> None:
        with self._lock:
            self._taken -= 1
