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
from troth.storage.durable import sync_folder, write_file

_MARK = ".restored"
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


def mark(restored: Path) -> None:
    """Write into a restored folder that it is the one, so that its content is known under any name."""
    write_file(restored / _MARK, restored.name.encode())


def switch(restored: Path, live: Path, aside: Path) -> None:
    """A marked `restored` becomes `live`; what `live` was is then `aside`. Interrupted anywhere, a call with the same
    names goes on from there; done, it does nothing.

    One rename swaps the two, so there is never a moment without a whole folder. Raises `Unavailable`: `not-switched`
    when the two lie on different file systems or the system cannot swap, `not-marked` when neither is the restored one.
    """
    try:
        if restored.exists():
            _switch(restored, live, aside)
        sync_folder(live.parent)
        (live / _MARK).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            "The restored folder cannot take the place of the living one; restore into a folder beside it.",
            code="not-switched",
        ) from error


def _switch(restored: Path, live: Path, aside: Path) -> None:
    """Two exchanges would bring the old folder back: the mark says which content stands where."""
    if _marked(restored, restored.name):
        if not live.exists():
            restored.rename(live)
            return
        _exchange(restored, live)
    elif not _marked(live, restored.name):
        raise Unavailable(
            "Neither the data folder nor the one beside it says that it is the restored one, so nothing was moved. Put "
            "the restored folder in its place by hand, then delete the file that ends in '.going-live' beside it.",
            code="not-marked",
        )
    restored.rename(aside)


def _marked(folder: Path, name: str) -> bool:
    """True for the mark of this restore; an earlier one may have left its own."""
    try:
        return (folder / _MARK).read_bytes() == name.encode()
    except (FileNotFoundError, NotADirectoryError):
        return False


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2") and not libc.renameat2(_AT_CWD, names[0], _AT_CWD, names[1], _EXCHANGE):
        return
    code = ctypes.get_errno() if hasattr(libc, "renameat2") else errno.ENOSYS
    raise OSError(code, os.strerror(code))
