"""Small secret files: written once, durable on return, readable by their owner only (0600 in a 0700 folder)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from troth.kernel.errors import IntegrityError, NotFound, Unavailable
from troth.storage.durable import sync_folder

KEY_BYTES = 32
_TEMPORARY = ".new-"


def private_folder(folder: Path) -> Path:
    """`folder`, created 0700 when absent. Raises `Unavailable` when others may enter it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise _unusable() from error
    if mode & 0o077:
        raise Unavailable("The key folder is open to other users; set its mode to 0700.", code="key-folder-open")
    return folder


def create(path: Path, content: bytes) -> bool:
    """Write `content` durably unless the file exists; True when this call made it. Raises `Unavailable`."""
    temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
    with _locked(path.parent):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            raise _unusable() from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    return True


def read(path: Path, size: int = KEY_BYTES) -> bytes:
    """Exactly `size` bytes. Raises `NotFound`, `Unavailable` (unreadable, open to others), `IntegrityError` (size)."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(size + 1)
    except FileNotFoundError as error:
        raise NotFound("There is no key of that name.") from error
    except OSError as error:
        raise _unusable() from error
    if mode & 0o077:
        raise Unavailable("A key file is open to other users; set its mode to 0600.", code="key-file-open")
    if len(content) != size:
        raise IntegrityError("A key file has the wrong size; restore it from its own copy.", code="key-file-size")
    return content


def destroy(path: Path) -> bool:
    """Overwrite, sync, unlink, sync the folder; False when there was no such file. Raises `Unavailable`."""
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(max(KEY_BYTES, path.stat().st_size)))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        found = True
    except FileNotFoundError:
        found = False
    except OSError as error:
        raise Unavailable("A key file could not be destroyed; try again.", code="key-not-destroyed") from error
    sync_folder(path.parent)
    return found


def sweep(folder: Path) -> None:
    """Destroy temporary files that a crash left behind; they may hold a copy of a key."""
    with _locked(folder):
        for stale in folder.glob(f"{_TEMPORARY}*"):
            if stale.stat().st_nlink > 1:  # a second name of a key in use: overwriting it would destroy that key
                stale.unlink()
            else:
                destroy(stale)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # One process at a time creates or sweeps, so that nobody overwrites a file that is about to get its name.
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _unusable() from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unusable() -> Unavailable:
    return Unavailable("The key folder cannot be used; check that it exists and its owner.", code="key-folder")
