"""One backup at a time: two would be harmless to each other, but one could prune what the other counts on."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import text

from troth.kernel.errors import Conflict
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database

BACKUP, TAIL = 0x74726F74686261, 0x74726F74687461  # "trothba" and "trothta", as numbers of advisory locks
_FILES = {BACKUP: "backup", TAIL: "tail"}


@contextmanager
def only_one(database: Database, what: int = BACKUP) -> Iterator[None]:
    """Held for the block, over all processes of the installation: one makes backups, one sends tails or prunes.

    Raises `Conflict` (second-backup).
    """
    with ExitStack() as stack:
        if database.dialect == "postgresql":
            connection = stack.enter_context(database.read(SYSTEM))
            taken = connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": what})
            if not taken:
                raise _taken()
        else:
            file = stack.enter_context(Path(f"{database.engine.url.database}-{_FILES[what]}").open("a"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise _taken() from error
        yield


def _taken() -> Conflict:
    return Conflict("Another backup is running; wait for its end.", code="second-backup")
