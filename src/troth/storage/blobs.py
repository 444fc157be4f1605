"""Objects in folders: durable, atomic, write-once or compare-and-swap. The embedded default of the object store port.

Every write goes to a temporary name, is fsynced, then linked or renamed, then the folder is fsynced; files are 0600.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from troth.kernel.errors import Conflict, IntegrityError, NotFound, Unavailable

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\Z")
_TEMPORARY = ".new-"


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


class LocalBlobs:
    """A folder as an object store."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for stale in root.rglob(f"{_TEMPORARY}*"):
            stale.unlink(missing_ok=True)  # left by a crash; never part of the store

    def create(self, name: str, content: bytes) -> None:
        path = self._path(name)
        temporary = self._write(path, content)
        try:
            os.link(temporary, path)
        except FileExistsError as error:
            raise Conflict("An object of that name exists already.", code="exists") from error
        finally:
            temporary.unlink()
        _sync_folder(path.parent)

    def swap(self, name: str, content: bytes, expected: str | None) -> None:
        path = self._path(name)
        with (self._root / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if digest_of(path) != expected:
                raise Conflict("The object changed meanwhile; read it again.", code="changed")
            self._write(path, content).replace(path)
            _sync_folder(path.parent)

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
        _sync_folder(path.parent)
        return True

    def names(self, prefix: str = "") -> Iterator[str]:
        found = (path for path in self._root.rglob("*") if path.is_file() and not path.name.startswith("."))
        yield from sorted(
            name for path in found if (name := path.relative_to(self._root).as_posix()).startswith(prefix)
        )

    def _path(self, name: str) -> Path:
        if not _NAME.match(name) or len(name) > 512:
            raise IntegrityError("An object name holds letters, digits, dots, dashes and slashes.", code="bad-name")
        return self._root / name

    def _write(self, path: Path, content: bytes) -> Path:
        temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        try:
            with os.fdopen(_fresh(temporary), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise Unavailable("The object store cannot be written; nothing was kept.") from error
        return temporary


def _fresh(path: Path) -> int:
    """A descriptor of a new file; its folder is made, durably, when it is the first there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        _make_folder(path.parent)
        return os.open(path, flags, 0o600)


def _make_folder(folder: Path) -> None:
    if not folder.parent.is_dir():
        _make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    _sync_folder(folder.parent)


def digest_of(path: Path) -> str | None:
    """SHA-256 of a file in hex, or None when it does not exist."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
