"""Where the local studio changes pictures: two at once, for each takes a core for seconds and up to 330 MB."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import Final, TypeVar

from troth.kernel.errors import TooMany

AT_ONCE: Final = 2
MOST: Final = 16  # that wait or are made: of some seconds each, so that nobody waits for minutes
SHARE: Final = MOST // 4  # of one tenant, so that no one of them fills it
Result = TypeVar("Result")


class EditRoom:
    """Safe to share between event loops. Who waits holds no thread of other operations."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "edits")
        self._lock, self._taken = Lock(), Counter[str]()

    async def run(self, work: Callable[[], Result], tenant: str) -> Result:
        """What `work` returns; not begun any more once the caller has left.

        Raises what it raises, and `TooMany` (vendor-busy) when too many wait, of all or of `tenant`.
        """
        with self._lock:
            if self._taken.total() >= MOST or self._taken[tenant] >= SHARE:
                raise TooMany("Too many pictures are being changed here; try again in a minute.", code="vendor-busy")
            self._taken[tenant] += 1
        begun = self._threads.submit(copy_context().run, work)
        begun.add_done_callback(partial(self._left, tenant))  # done, failed or cancelled before it began
        return await asyncio.wrap_future(begun)

    def _left(self, tenant: str, _: Future[Result]) -> None:
        with self._lock:
            self._taken[tenant] -= 1
            if not self._taken[tenant]:
                del self._taken[tenant]
