"""Standard error and output as the operating system knows them: what libraries write there is counted and dropped.

The descriptor becomes a pipe whose reader counts; the journal writes to a copy of what standard error was before.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from troth.kernel.journal import Journal

OUTPUT, ERROR = 1, 2
_EVENTS = {OUTPUT: "standard-output", ERROR: "standard-error"}
_PIECE = 1 << 16


@contextmanager
def captured(journal: Journal, descriptor: int = ERROR) -> Iterator[TextIO]:
    """A stream to where the descriptor led; everything else that is written there meanwhile only counts."""
    _flush()
    real, (reading, writing) = os.dup(descriptor), os.pipe()
    os.dup2(writing, descriptor)
    os.close(writing)
    name = _EVENTS[descriptor]
    counting = threading.Thread(target=_count, args=(reading, journal, name), name=name, daemon=True)
    counting.start()
    with os.fdopen(real, "w", encoding="utf-8", errors="replace") as stream:
        try:
            yield stream
        finally:
            _flush()
            os.dup2(real, descriptor)  # the last writing end of the pipe is gone with it, so the reader ends
            counting.join(5)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _count(reading: int, journal: Journal, name: str) -> None:
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while piece := pipe.read(_PIECE):
            journal.event(name, bytes=len(piece), lines=piece.count(b"\n"))
