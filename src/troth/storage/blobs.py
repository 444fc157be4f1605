"""Objects in folders: durable, atomic, write-once or compare-and-swap. The embedded default of the object store port.

Every write goes to a temporary name, is fsynced, then linked or renamed, then the folder is fsynced; files are 0600.
The contract of `BlobStore` is written down in tests/contracts/test_blobs.py, which runs on every store there is.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from troth.kernel.errors import Conflict, IntegrityError, NotFound, Unavailable
from troth.storage.durable import sync_folder

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\Z")
_LONGEST_NAME = 512
_TEMPORARY = ".new-"
_ABANDONED_SECONDS = 600.0  # a younger temporary file may be another process's write under way
_BATCH = 256  # objects that become durable together


def require_name(name: str) -> None:
    """Raises `IntegrityError` unless a store may have an object of that name."""
    if not _NAME.match(name) or len(name) > _LONGEST_NAME:
        raise IntegrityError("An object name holds letters, digits, dots, dashes and slashes.", code="bad-name")


class BlobStore(Protocol):
    """Immutable or swappable named bytes. Names are opaque: they never carry personal data."""

    def create(self, name: str, content: bytes) -> None:
        """Write once. Raises `Conflict` when the name exists, `Unavailable` when it cannot be made durable."""
        ...

    def swap(self, name: str, content: bytes, expected: str | None) -> None:
        """Replace when the present SHA-256 (hex; None: absent) is `expected`. Raises `Conflict` otherwise."""
        ...

    def get(self, name: str) -> bytes:
        """The bytes. Raises `NotFound`."""
        ...

    def delete(self, name: str) -> bool:
        """Remove; True when it was there. Idempotent."""
        ...

    def names(self, prefix: str = "") -> Iterator[str]:
        """All names that begin with `prefix`, sorted."""
        ...


class BulkStore(BlobStore, Protocol):
    """A store that also takes many objects at once, as a backup has them."""

    def create_all(self, items: Iterable[tuple[str, bytes]]) -> int:
        """Write many once, durable together on return; what exists stays as it is. Returns how many are new.

        Raises `Unavailable` when one cannot be made durable; those before it may stand.
        """
        ...


class LocalBlobs:
    """A folder as an object store."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for stale in root.rglob(f"{_TEMPORARY}*"):
            with contextlib.suppress(FileNotFoundError):  # its writer finished meanwhile
                if time.time() - stale.stat().st_mtime > _ABANDONED_SECONDS:
                    stale.unlink()  # left by a crash; never part of the store

    def create(self, name: str, content: bytes) -> None:
        path = self._path(name)
        temporary = self._write(path, content)
        try:
            os.link(temporary, path)
        except FileExistsError as error:
            raise Conflict("An object of that name exists already.", code="exists") from error
        except OSError as error:
            raise _unwritable() from error
        finally:
            temporary.unlink()
        sync_folder(path.parent)

    def create_all(self, items: Iterable[tuple[str, bytes]]) -> int:
        """As `BulkStore` says: the whole file system is synced twice a batch, not once for each object."""
        waiting, count = iter(items), 0
        try:
            while batch := [(self._path(name), content) for name, content in islice(waiting, _BATCH)]:
                count += self._create_batch(batch)
        except OSError as error:
            raise _unwritable() from error
        return count

    def _create_batch(self, batch: list[tuple[Path, bytes]]) -> int:
        written: list[tuple[Path, Path]] = []
        count = 0
        try:
            for path, content in batch:
                written.append((self._temporary(path), path))
                with os.fdopen(_fresh(written[-1][0], synced=False), "wb") as file:
                    file.write(content)
            _sync_all(self._root)  # no name may lead to bytes that a power cut could take
            for temporary, path in written:
                with contextlib.suppress(FileExistsError):
                    os.link(temporary, path)
                    count += 1
        finally:
            for temporary, _ in written:
                temporary.unlink(missing_ok=True)
        _sync_all(self._root)
        return count

    def swap(self, name: str, content: bytes, expected: str | None) -> None:
        path = self._path(name)
        with (self._root / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if digest_of(path) != expected:
                raise Conflict("The object changed meanwhile; read it again.", code="changed")
            self._write(path, content).replace(path)
            sync_folder(path.parent)

    def get(self, name: str) -> bytes:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("There is no object of that name.") from error

    def delete(self, name: str) -> bool:
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unwritable() from error
        sync_folder(path.parent)
        return True

    def names(self, prefix: str = "") -> Iterator[str]:
        start = self._root / prefix.rpartition("/")[0]  # nothing outside this folder has the prefix
        found = (path for path in start.rglob("*") if path.is_file() and not path.name.startswith("."))
        yield from sorted(
            name for path in found if (name := path.relative_to(self._root).as_posix()).startswith(prefix)
        )

    def _path(self, name: str) -> Path:
        require_name(name)
        return self._root / name

    def _write(self, path: Path, content: bytes) -> Path:
        temporary = self._temporary(path)
        try:
            with os.fdopen(_fresh(temporary), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise _unwritable() from error
        return temporary

    def _temporary(self, path: Path) -> Path:
        return path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"


def _unwritable() -> Unavailable:
    return Unavailable("The object store cannot be written; nothing was kept.")


def _sync_all(folder: Path) -> None:
    """Everything that was written to the file system of `folder` (Linux: syncfs(2), elsewhere sync(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if libc.syncfs(descriptor):
            raise OSError(ctypes.get_errno(), "syncfs")
    finally:
        os.close(descriptor)


def _fresh(path: Path, *, synced: bool = True) -> int:
    """A descriptor of a new file; its folder is made when it is the first there, durably unless the caller syncs."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        if synced:
            _make_folder(path.parent)
        else:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(path, flags, 0o600)


def _make_folder(folder: Path) -> None:
    if not folder.parent.is_dir():
        _make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    sync_folder(folder.parent)


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file in hex, or None when it does not exist."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
