"""kill -9 at a chosen durable step: before it took effect, or after."""

from __future__ import annotations

import os
import signal


class Killer:
    """Counts calls of durable things and dies at one of them, before or after it took effect."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._left = at
        self._after = after

    def around(self, owner: object, *names: str) -> None:
        for name in names:
            setattr(owner, name, self._watched(getattr(owner, name)))

    def _watched(self, work):  # type: ignore[no-untyped-def]
        def watched(*args, **kwargs):  # type: ignore[no-untyped-def]
            self._left -= 1
            mine = self._left == 0
            if mine and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = work(*args, **kwargs)
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return watched
