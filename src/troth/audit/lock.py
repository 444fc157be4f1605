"""One sequencer at a time: an advisory lock on PostgreSQL, a locked file beside the database on SQLite."""

from __future__ import annotations

import fcntl
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from troth.kernel.errors import Conflict
from troth.storage.database import Database

_ADVISORY = 0x74726F7468617564  # "trothaud"


class SequencerLock:
    """Held from `acquire` to `release`; the operating system or the server drops it when the process dies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: ExitStack | None = None
        self._session: Connection | None = None  # to which PostgreSQL's lock belongs
        self._turn = threading.RLock()

    @property
    def held(self) -> bool:
        """True between `acquire` and `release`, and while the server that gave it still knows our session."""
        with self._turn:
            if self._session is not None and not _answers(self._session):
                self._session.invalidate()
                with suppress(SQLAlchemyError):
                    self.release()
            return self._held is not None

    def acquire(self) -> None:
        """Take the lock. Raises `Conflict` when another sequencer holds it; idempotent."""
        with self._turn:
            self._acquire()

    def _acquire(self) -> None:
        if self._held is not None:
            return
        with ExitStack() as stack:
            if self._database.dialect == "postgresql":
                self._advisory(stack)
            elif (path := self._database.engine.url.database) not in (None, "", ":memory:"):
                _lock_file(stack.enter_context(Path(f"{path}-sequencer").open("a")))
            self._held = stack.pop_all()

    def release(self) -> None:
        """Give the lock back; idempotent."""
        with self._turn:
            held, self._held, self._session = self._held, None, None
            if held is not None:
                held.close()

    def _advisory(self, stack: ExitStack) -> None:
        connection = stack.enter_context(self._database.read())
        taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY})
        connection.rollback()  # the lock belongs to the session; no transaction stays open behind it
        if not taken:
            raise _taken()
        unlock = text("SELECT pg_advisory_unlock(:key)")
        stack.callback(lambda: connection.execute(unlock, {"key": _ADVISORY}))
        self._session = connection


def _answers(session: Connection) -> bool:
    """The server was not restarted meanwhile, or the lock went with the session."""
    try:
        session.connection.dbapi_connection.execute("SELECT 1")  # type: ignore[union-attr]
    except (SQLAlchemyError, session.dialect.loaded_dbapi.Error):
        return False
    return True


def _lock_file(file: IO[str]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise _taken() from error


def _taken() -> Conflict:
    return Conflict("Another Troth process uses this data folder; stop it first.", code="second-sequencer")
