"""Everything a process says beside its answers goes through the journal: libraries, warnings, hooks, standard error.

Messages are dropped: they hold whatever a stranger sent. What stays is who spoke, how loudly, and from which line.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import warnings
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

from troth.kernel.journal import Journal, Value, code_name, described
from troth.telemetry.standard_streams import captured

_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})


class JournalHandler(logging.Handler):
    """Sends what libraries log through the journal: logger, level and place; the message is never even formatted."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        self._journal.event("library", **_spoken(record.name, record.levelname), **_from(record))


def _from(record: logging.LogRecord) -> dict[str, Value]:
    if record.exc_info and record.exc_info[1]:
        return described(record.exc_info[1])
    return {"at": f"{code_name(record.pathname)}:{record.lineno}"}


def _spoken(logger: str, level: str) -> dict[str, Value]:
    return {"logger": _module(logger), "level": level if level in _LEVELS else "OTHER"}


def _module(name: str) -> str:
    """A logger's name when it is a module's, else the package it begins with: anything else may be made of data."""
    if name in sys.modules:
        return name
    package = name.partition(".")[0]
    return package if package in sys.modules else "other"


@contextmanager
def routed(journal: Journal) -> Iterator[None]:
    """While the block runs, nothing of this process reaches standard error but the journal's lines."""
    with captured(journal) as stream:
        before = _hooks()
        journal.redirect(stream)
        try:
            _loggers(journal)
            _structlog(journal)
            _faults(journal, stream)
            yield
        finally:
            _restore(before)
            journal.redirect(None)


def _loggers(journal: Journal) -> None:
    """One handler for all. What logging prints when it fails itself would hold the arguments: it stays silent."""
    handler = JournalHandler(journal)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for logger in logging.Logger.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.handlers[:] = []
            logger.propagate = True
    logging.lastResort = handler
    logging.raiseExceptions = False


def _structlog(journal: Journal) -> None:
    """What speaks through structlog ends in the journal as well: its last processor writes there and nothing else.

    Loading it costs 80 ms and 4 MB, so only what some library loaded already is set up. One that loads it later prints,
    and what is printed is counted and dropped.
    """
    structlog = sys.modules.get("structlog")
    if structlog is None:
        return

    def into_journal(_logger: Any, level: str, said: MutableMapping[str, Any]) -> str:
        error = said.get("exc_info")
        place = described(error) if isinstance(error, BaseException) else {}
        journal.event("library", **_spoken("structlog", level.upper()), **place)
        raise structlog.DropEvent

    structlog.configure(processors=[into_journal], cache_logger_on_first_use=False)


def uncaught_into(journal: Journal) -> None:
    """From now on what nobody caught, in whatever thread, is one line of the journal: its type and place."""

    def uncaught(_kind: Any, error: BaseException, _trace: Any) -> None:
        journal.event("uncaught", **described(error))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            journal.event("uncaught", **described(args.exc_value))

    def unraisable(args: Any) -> None:
        if args.exc_value is not None:
            journal.event("unraisable", **described(args.exc_value))

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable


def _faults(journal: Journal, stream: TextIO) -> None:
    """Exceptions that nobody caught, warnings, and the stack of a crash in C code (functions and lines, no values)."""

    def warned(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:  # noqa: ARG001
        journal.event("warning", error=category.__name__, at=f"{code_name(filename)}:{lineno}")

    uncaught_into(journal)
    warnings.showwarning = warned  # type: ignore[assignment]  # the file and line arguments are not needed
    faulthandler.enable(stream)


def _hooks() -> dict[str, Any]:
    root = logging.getLogger()
    return {
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning),
        "logging": (list(root.handlers), root.level, logging.lastResort, logging.raiseExceptions),
        "faults": faulthandler.is_enabled(),
    }


def _restore(before: dict[str, Any]) -> None:
    faulthandler.disable()
    if before["faults"]:
        faulthandler.enable()
    sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = before["hooks"]
    root = logging.getLogger()
    root.handlers[:], level, logging.lastResort, logging.raiseExceptions = before["logging"]
    root.setLevel(level)
    if structlog := sys.modules.get("structlog"):
        structlog.reset_defaults()
