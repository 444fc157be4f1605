"""Closed sets for labels: a value is known from the beginning, or one of the first few of its form, or "other"."""

from __future__ import annotations

import re
import threading

OTHER = "other"
MOST = 100  # values of one label that were not known from the beginning
_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/{}-]{0,63}\Z")


class Labels:
    """The values of one label. Safe for threads."""

    def __init__(self, known: frozenset[str] = frozenset(), *, more: int = 0) -> None:
        """`more`: how many further values may join, at most `MOST`; for names that operators give."""
        self._known = set(known) | {OTHER}
        self._room = min(more, MOST)
        self._lock = threading.Lock()

    def of(self, value: str) -> str:
        """The value, when it belongs to the set or may join it; else "other"."""
        if value in self._known:
            return value
        if not _FORM.match(value):
            return OTHER
        with self._lock:
            if self._room <= 0:
                return OTHER
            self._room -= 1
            self._known.add(value)
        return value
