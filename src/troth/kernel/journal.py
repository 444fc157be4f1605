"""Operational log by allow-list: typed fields in JSON lines, never messages, values or content (promise CLS-09)."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import IO, Any

_FIELDS = frozenset({"operation", "request", "error", "at", "logger", "level", "port", "count", "state", "log", "code"})


class Journal:
    """Writes one JSON object a line. A field that is not on the list is a programming mistake and raises ValueError."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stderr

    def event(self, name: str, **fields: str | int | bool) -> None:
        """Write an event. Text values are ids, codes and code locations; nothing a stranger wrote."""
        unknown = set(fields) - _FIELDS
        if unknown:
            raise ValueError(f"fields not on the journal's allow-list: {sorted(unknown)}")
        self._stream.write(json.dumps({"event": name, **fields}) + "\n")
        self._stream.flush()

    def fault(self, error: BaseException, operation: str, request: str) -> None:
        """Type and code location of an unexpected exception; its text may hold content and is dropped."""
        self.event("fault", operation=operation, request=request, error=type(error).__name__, at=_location(error))


class JournalHandler(logging.Handler):
    """Sends what libraries log through the journal: logger, level and place; the message is dropped."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name, "level": record.levelname}
        if record.exc_info and record.exc_info[1]:
            fields |= {"error": type(record.exc_info[1]).__name__, "at": _location(record.exc_info[1])}
        self._journal.event("library", **fields)


def route_libraries(journal: Journal) -> None:
    """Make the journal the only handler of the root logger."""
    root = logging.getLogger()
    root.handlers[:] = [JournalHandler(journal)]
    root.setLevel(logging.WARNING)


def _location(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    return f"{frames[-1].filename.rpartition('/troth/')[2]}:{frames[-1].lineno}"
