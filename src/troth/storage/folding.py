"""Folds SQLite's write-ahead log into its file beside the writer, who would otherwise do it inside a commit.

Most pages are copied while writers go on (a PASSIVE checkpoint waits for nobody and nobody for it). What they added
meanwhile is copied with the writer's lock held: then the log is wholly in the file, and the next commit begins it anew.
When this does not come round, because readers never end or the disk is too slow, SQLite folds by itself in a commit
once the log has `MOST_PAGES`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress

from troth.storage.group_commit import Writer

MOST_PAGES = 16_000  # of 4 KiB in the write-ahead log
_DUE_ROWS = 16_000  # changed rows after which it is folded; each makes up to one page new, most share theirs
_COMMIT_ROWS = 4  # what a commit counts for besides


class Folding:
    """Counts what one writer commits, and folds now and then, each time in a thread that ends with it."""

    def __init__(self, writer: Writer, connect: Callable[[], sqlite3.Connection]) -> None:
        self._writer = writer
        self._connect = connect
        self._rows = 0
        self._thread: threading.Thread | None = None

    def wrote(self, rows: int) -> None:
        """A commit changed so many rows; the caller has the writer's lock."""
        self._rows += rows + _COMMIT_ROWS
        if self._rows < _DUE_ROWS or (self._thread is not None and self._thread.is_alive()):
            return
        self._rows = 0
        with suppress(RuntimeError, MemoryError):  # no thread to be had: the commit stands all the same
            thread = threading.Thread(target=self._fold, name="fold", daemon=True)
            thread.start()
            self._thread = thread

    def wait(self) -> None:
        """Until nothing is being folded; for those who close the database."""
        if (thread := self._thread) is not None:
            thread.join()

    def _fold(self) -> None:
        with suppress(sqlite3.Error), closing(self._connect()) as connection:  # else SQLite's own bound holds
            for turn in (nullcontext(), self._writer):
                with turn:
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").close()
