"""One look, for a limited time: a check that hangs is an error, and the others go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

from troth.kernel.errors import Unavailable

Seen = TypeVar("Seen")
LONGEST_SECONDS = 300.0


class Looks:
    """Runs looks on threads of their own. One that does not end is left behind and not begun again while it lasts."""

    def __init__(self, seconds: float = LONGEST_SECONDS) -> None:
        self._seconds = seconds
        self._left: dict[str, threading.Thread] = {}

    def look(self, name: str, work: Callable[[], Seen]) -> Seen:
        """What `work` gives. Raises `Unavailable` (check-hangs) when it takes too long, still does, or gave nothing."""
        earlier = self._left.get(name)
        if earlier is not None and earlier.is_alive():
            raise _hangs()
        seen: list[Seen] = []
        context = copy_context()
        thread = threading.Thread(target=lambda: seen.append(context.run(work)), name=f"look-{name}", daemon=True)
        thread.start()
        thread.join(self._seconds)
        if not seen:
            self._left[name] = thread
            raise _hangs()
        return seen[0]


def _hangs() -> Unavailable:
    return Unavailable("The check takes too long; look at what it waits for.", code="check-hangs")
