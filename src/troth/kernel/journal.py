"""Operational log by allow-list: typed fields in JSON lines, never messages, values or content (promise CLS-09).

A field is written when its name is listed and its value has the form that the list gives it: ids, enums, numbers, code
locations. What does not fit is left out and counted in `dropped`. A mistake in a call therefore neither leaks nor ends
a request; tests build journals that refuse (`strict`), and tests/architecture reads every call in the source.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import IO

Value = str | int | bool
_EVENT = re.compile(r"[a-z]+(-[a-z]+){0,4}\Z")
_SLUG = r"[a-z][a-z0-9]*([.-][a-z0-9]+){0,5}"
_PLACE = r"([a-z_][a-z0-9_]{0,40}/){0,5}[A-Za-z_][A-Za-z0-9_]{0,60}(\.py)?:[0-9]{1,6}|unknown"
_LEVELS = "DEBUG|INFO|WARNING|ERROR|CRITICAL|OTHER"
_METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|OTHER"
# What a text field may look like. A number or truth value is admitted for the names in `_NUMBERS` only.
_TEXTS = {
    name: re.compile(rf"(?:{form})\Z")
    for name, form in {
        "operation": _SLUG,
        "request": r"[a-z]{2,8}_[A-Za-z0-9]{1,40}|none",
        "trace": r"[0-9a-f]{32}",
        "log": r"operator|[a-z]{2,8}_[A-Za-z0-9]{1,40}",
        "error": r"[A-Za-z_][A-Za-z0-9_]{0,60}",
        "cause": r"[A-Za-z_][A-Za-z0-9_]{0,60}",
        "at": _PLACE,
        "by": r"[A-Za-z_][A-Za-z0-9_]{0,40}",
        "logger": r"[A-Za-z_][A-Za-z0-9_]{0,40}(\.[A-Za-z_][A-Za-z0-9_]{0,40}){0,6}",
        "level": _LEVELS,
        "method": _METHODS,
        "state": _SLUG,
        "code": _SLUG,
    }.items()
}
_NUMBERS = frozenset({"port", "count", "status", "ms", "bytes", "lines"})
FIELDS = frozenset(_TEXTS) | _NUMBERS | {"route"}
_MOST = 1 << 62


class Journal:
    """Writes one JSON object a line. `strict`: what does not belong raises ValueError instead of being left out."""

    def __init__(self, stream: IO[str] | None = None, *, strict: bool = False) -> None:
        self._stream = stream
        self._strict = strict
        self._lock = threading.Lock()
        self._routes: frozenset[str] = frozenset()
        self.lines = 0
        """Lines written since the start."""
        self.dropped = 0
        """Fields left out since the start: each is a mistake in the program."""
        self.lost = 0
        """Lines that could not be written."""
        self.trace: Callable[[], str | None] = lambda: None
        """The trace that the present work belongs to."""

    def redirect(self, stream: IO[str] | None) -> None:
        """Write there from now on; None is standard error."""
        self._stream = stream

    def know_routes(self, templates: Iterable[str]) -> None:
        """The route templates there are: any other value of `route` is written as "other"."""
        self._routes = frozenset(templates)

    def event(self, name: str, **fields: Value) -> None:
        """Write an event. Text values are ids, codes and code locations; nothing a stranger wrote."""
        kept: dict[str, Value] = {key: value for key, value in fields.items() if self._fits(key, value)}
        if "route" in fields:
            kept["route"] = fields["route"] if fields["route"] in self._routes else "other"
        missing = len(fields) - len(kept)
        if missing and self._strict:
            raise ValueError(f"fields not on the journal's allow-list, or not of its form: {set(fields) - set(kept)}")
        trace = self.trace()
        if trace and _TEXTS["trace"].match(trace):
            kept["trace"] = trace
        if missing:
            self.dropped += missing
            kept["dropped"] = missing
        self._write({"time": _now(), "event": name if _EVENT.match(name) else "other", **kept})

    def fault(self, error: BaseException, operation: str, request: str) -> None:
        """Type and code location of an unexpected exception; its text may hold content and is dropped."""
        self.event("fault", operation=operation, request=request, **described(error))

    def _fits(self, name: str, value: object) -> bool:
        if name in _NUMBERS:
            return isinstance(value, int) and -_MOST < value < _MOST
        form = _TEXTS.get(name)
        return form is not None and isinstance(value, str) and form.match(value) is not None

    def _write(self, line: dict[str, Value]) -> None:
        text = json.dumps(line) + "\n"
        stream = self._stream or sys.stderr
        with self._lock:
            try:
                stream.write(text)
                stream.flush()
                self.lines += 1
            except (OSError, ValueError):  # the disk is full, or the reader went away: no reason to stop serving
                self.lost += 1


def described(error: BaseException) -> dict[str, Value]:
    """Fields that tell where an exception came from: its type and cause, our line, and the library it was raised in."""
    told: dict[str, Value] = {"error": _name(error), "at": location(error.__traceback__)}
    if error.__cause__ is not None:
        told["cause"] = _name(error.__cause__)
    library = _library(error.__traceback__)
    return told | ({"by": library} if library and library != "troth" else {})


def location(trace: TracebackType | None) -> str:
    """The innermost line of ours, `room/module.py:17`; without one, the module and line where it was raised."""
    frames = traceback.extract_tb(trace)
    for frame in reversed(frames):
        _, mark, place = frame.filename.rpartition("/troth/")
        if mark:
            return f"{place}:{frame.lineno}"
    return f"{code_name(frames[-1].filename)}:{frames[-1].lineno}" if frames else "unknown"


def code_name(path: str) -> str:
    """The name of a module without the folders it lies in, which may be named after somebody."""
    stem = path.rpartition("/")[2].removesuffix(".py")
    return stem if stem.isidentifier() and stem.isascii() and len(stem) <= 60 else "unknown"


def _library(trace: TracebackType | None) -> str | None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return str(name).partition(".")[0] or None


def _name(error: BaseException) -> str:
    name = type(error).__name__
    return name if _TEXTS["error"].match(name) else "Exception"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
