"""Files of a data set: written aside, forced to disk, then renamed, so that a name always means a whole file."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

TEMPORARY = ".tmp-"  # beginning of every name that is not finished
_CHUNK = 1 << 20


def sha256_file(path: Path) -> str:
    """SHA-256 (hex) of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A stream that becomes `path` when the block ends well: fsync of the file, rename, fsync of the directory."""
    temporary = path.with_name(f"{TEMPORARY}{path.name}-{os.getpid()}")
    try:
        with temporary.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)  # after the rename there is nothing of that name
    sync_directory(path.parent)


def write_atomically(path: Path, content: bytes) -> None:
    """`content` as `path`, whole or not at all."""
    with atomic_file(path) as stream:
        stream.write(content)


def sync_directory(path: Path) -> None:
    """Force the names in a directory to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(directory: Path) -> int:
    """Remove what unfinished writers left behind; how many files that were."""
    stale = [path for path in directory.iterdir() if path.name.startswith(TEMPORARY)]
    for path in stale:
        path.unlink()
    return len(stale)
