"""Objects in folders: durable, atomic, write-once or compare-and-swap. The embedded default of the object store port.

Every write goes to a temporary name or to none, is fsynced, then linked or renamed, then the folder is fsynced; files
are 0600.
The contract of `BlobStore` is written down in tests/contracts/test_blobs.py, which runs on every store there is.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

from troth.kernel.errors import Conflict, IntegrityError, NotFound, Unavailable
from troth.storage.durable import sync_folder

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\Z")
_LONGEST_NAME = 512
_TEMPORARY = ".new-"
_ABANDONED_SECONDS = 600.0  # a younger temporary file may be another process's write under way
_BATCH = 2048  # objects that become durable together
_FEW = 4  # objects that are cheaper to sync one by one than with all that others wrote
_MANY_FOLDERS = 64  # of which each would be synced
_NO_NAMELESS = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)  # what systems without nameless files say
_NO_LINK = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP)  # without /proc, or a sandbox
_AT_ONCE = 8  # folders that are emptied side by side: the disk is waited for, not the processor


def require_name(name: str) -> None:
    """Raises `IntegrityError` unless a store may have an object of that name."""
    if not _NAME.match(name) or len(name) > _LONGEST_NAME:
        raise IntegrityError("An object name holds letters, digits, dots, dashes and slashes.", code="bad-name")


def too_large() -> IntegrityError:
    """What a store holds under a name is larger than anything that belongs there."""
    return IntegrityError(
        "A stored object is larger than what belongs under its name; it was not read.", code="too-large"
    )


class BlobStore(Protocol):
    """Immutable or swappable named bytes. Names are opaque: they never carry personal data."""

    def create(self, name: str, content: bytes) -> None:
        """Write once. Raises `Conflict` when the name exists, `Unavailable` when it cannot be made durable."""
        ...

    def swap(self, name: str, content: bytes, expected: str | None) -> None:
        """Replace when the present SHA-256 (hex; None: absent) is `expected`. Raises `Conflict` otherwise."""
        ...

    def get(self, name: str, most: int | None = None) -> bytes:
        """The bytes. Raises `NotFound`; `IntegrityError` (too-large) for more than `most` bytes, unread."""
        ...

    def part(self, name: str, start: int, length: int) -> bytes:
        """At most `length` bytes (1 or more) from `start` on, and no other is read; fewer at the end, none behind it.

        Raises `NotFound`.
        """
        ...

    def delete(self, name: str) -> bool:
        """Remove; True when it was there. Idempotent."""
        ...

    def delete_all(self, names: Iterable[str]) -> int:
        """Remove many, durable together on return; how many were there. Idempotent.

        Raises as `delete`; those before the one that refuses may be gone.
        """
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

    def swap_all(self, items: Sequence[tuple[str, bytes, str | None]]) -> None:
        """`swap` for many (name, content, expected), durable together on return.

        Raises `Conflict` when one of them is not what is expected; others may have been replaced.
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
        try:
            if not _named_when_whole(path, content):
                temporary = self._write(path, content)
                try:
                    os.link(temporary, path)
                finally:
                    temporary.unlink()
        except FileExistsError as error:
            raise Conflict("An object of that name exists already.", code="exists") from error
        except OSError as error:
            raise _unwritable() from error
        sync_folder(path.parent)

    def create_all(self, items: Iterable[tuple[str, bytes]]) -> int:
        """As `BulkStore` says: the whole file system is synced twice a batch, not once for each object."""
        waiting, count = iter(items), 0
        try:
            for first in waiting:
                batch = chain([first], islice(waiting, _BATCH - 1))  # one at a time in memory
                count += self._batch(((self._path(name), content) for name, content in batch), _linked)
        except OSError as error:
            raise _unwritable() from error
        return count

    def _batch(self, batch: Iterable[tuple[Path, bytes]], settle: Callable[[Path, Path], bool]) -> int:
        written: list[tuple[Path, Path]] = []
        try:
            for path, content in batch:
                written.append((self._temporary(path), path))
                with os.fdopen(_fresh(written[-1][0], synced=False), "wb") as file:
                    file.write(content)
            _sync_all(self._root)  # no name may lead to bytes that a power cut could take
            with ThreadPoolExecutor(_AT_ONCE) as pool:  # a rename over a file waits for the disk
                count = sum(pool.map(settle, *zip(*written, strict=True))) if written else 0
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

    def swap_all(self, items: Sequence[tuple[str, bytes, str | None]]) -> None:
        """As `BulkStore` says: the whole file system is synced twice, not twice for each object."""
        if len(items) <= _FEW:
            for item in items:
                self.swap(*item)
            return
        with (self._root / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if any(digest_of(self._path(name)) != expected for name, _, expected in items):
                raise Conflict("An object changed meanwhile; read it again.", code="changed")
            try:
                self._batch(((self._path(name), content) for name, content, _ in items), _replaced)
            except OSError as error:
                raise _unwritable() from error

    def get(self, name: str, most: int | None = None) -> bytes:
        try:
            if most is None:
                return self._path(name).read_bytes()
            with self._path(name).open("rb") as file:
                if os.fstat(file.fileno()).st_size > most:
                    raise too_large()
                return file.read(most)  # a file that grows meanwhile is cut, and then not what was signed
        except FileNotFoundError as error:
            raise NotFound("There is no object of that name.") from error

    def part(self, name: str, start: int, length: int) -> bytes:
        try:
            with self._path(name).open("rb", buffering=0) as file:
                file.seek(start)
                return file.read(length)
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

    def delete_all(self, names: Iterable[str]) -> int:
        """As `BlobStore` says: each folder is synced once, several side by side; for many, the whole file system is."""
        folders: dict[Path, list[Path]] = defaultdict(list)
        for path in map(self._path, names):
            folders[path.parent].append(path)
        if len(folders) <= 1:
            return sum(map(_unlinked, folders.values()))
        many = len(folders) > _MANY_FOLDERS
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            count = sum(pool.map(partial(_unlinked, synced=not many), folders.values()))
        try:
            if many:
                _sync_all(self._root)
        except OSError as error:
            raise _unwritable() from error
        return count

    def names(self, prefix: str = "") -> Iterator[str]:
        start = self._root / prefix.rpartition("/")[0]  # nothing outside this folder has the prefix
        cut = len(os.fspath(self._root)) + 1
        found: list[str] = []
        for folder, _, files in os.walk(start):  # a path object for each file costs five times as much
            found += [f"{folder}/{file}"[cut:] for file in files if not file.startswith(".")]
        yield from sorted(name for name in found if name.startswith(prefix))

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


def _named_when_whole(path: Path, content: bytes) -> bool:
    """Write a file that gets its first name when all of it is on the disk (Linux: O_TMPFILE in open(2)): a third less
    work than a temporary name, and a crash leaves none. False where the system has no such files; nothing was written.
    """
    try:
        descriptor = _nameless(path.parent)
    except OSError as error:
        if error.errno in _NO_NAMELESS:
            return False
        raise
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
        try:  # a folder's descriptor, which an absolute source does not need, makes Python ask for linkat(2)
            os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
        except OSError as error:
            if error.errno in _NO_LINK:
                return False
            raise
    return True


def _nameless(folder: Path) -> int:
    if not hasattr(os, "O_TMPFILE"):
        raise OSError(errno.EOPNOTSUPP, "O_TMPFILE")
    flags = os.O_WRONLY | os.O_TMPFILE
    try:
        return os.open(folder, flags, 0o600)
    except FileNotFoundError:
        _make_folder(folder)
        return os.open(folder, flags, 0o600)


def _linked(temporary: Path, path: Path) -> bool:
    """True when nothing stood there."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    return True


def _replaced(temporary: Path, path: Path) -> bool:
    temporary.replace(path)
    return True


def _unlinked(paths: list[Path], *, synced: bool = True) -> int:
    """How many files of one folder were there; they are gone for good, unless the caller syncs."""
    count = 0
    for path in paths:
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _unwritable() from error
        count += 1
    if count and synced:
        sync_folder(paths[0].parent)
    return count


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
