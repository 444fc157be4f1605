"""Putting a restored folder in the place of the living one, in one step of the file system."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from troth.audit.lock import SequencerLock
from troth.kernel.errors import Conflict, Unavailable
from troth.storage.database import Database
from troth.storage.durable import sync_folder

_AT_CWD, _EXCHANGE = -100, 2  # renameat2(2), Linux 3.15


@contextmanager
def stopped(live: Database | None) -> Iterator[None]:
    """No process serves the living database during the block. Raises `Conflict` (still-running) when one does."""
    if live is None:
        yield
        return
    lock = SequencerLock(live)
    try:
        lock.acquire()
    except Conflict as error:
        raise Conflict("A Troth process serves this data; stop it, then go live.", code="still-running") from error
    try:
        yield
    finally:
        lock.release()


def switch(restored: Path, live: Path, aside: Path) -> Path | None:
    """`restored` becomes `live`; what `live` was is then `aside` (None when there was nothing).

    One rename swaps the two, so there is never a moment without a whole folder. Raises `Unavailable` when the two lie
    on different file systems, or when the system cannot swap.
    """
    try:
        if not live.exists():
            restored.rename(live)
            sync_folder(live.parent)
            return None
        _exchange(restored, live)
        restored.rename(aside)
        sync_folder(live.parent)
    except OSError as error:
        raise Unavailable(
            "The restored folder cannot take the place of the living one; restore into a folder beside it.",
            code="not-switched",
        ) from error
    return aside


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2") and not libc.renameat2(_AT_CWD, names[0], _AT_CWD, names[1], _EXCHANGE):
        return
    code = ctypes.get_errno() if hasattr(libc, "renameat2") else errno.ENOSYS
    raise OSError(code, os.strerror(code))
