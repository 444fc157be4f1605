"""A turn for whom strangers make work: one at a time, and nobody waits long, or a crowd would hold every thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from troth.kernel.errors import Unavailable

PATIENCE = 5.0  # seconds


@contextmanager
def taken(lock: threading.Lock, seconds: float | None = None) -> Iterator[None]:
    """The lock, for the block. Raises `Unavailable` (history-busy) when it is not free in that time."""
    if not lock.acquire(timeout=PATIENCE if seconds is None else seconds):
        raise Unavailable("The runs of the last months are being read; ask again in some seconds.",
                          code="history-busy")  # fmt: skip
    try:
        yield
    finally:
        lock.release()
