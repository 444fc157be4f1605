"""What makes a name on the disk outlive a power cut: creating, renaming and deleting change a folder, not the file."""

from __future__ import annotations

import os
from pathlib import Path

from troth.kernel.errors import Unavailable


def write_file(path: Path, content: bytes) -> None:
    """Put `content` (mode 0600) under a name in one step: whoever reads it after a power cut finds all of it or what
    was there before. Raises `Unavailable` (file-not-written, folder-not-synced)."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise Unavailable(
            "A file cannot be written to the disk; check the disk, its space and the folder's owner.",
            code="file-not-written",
        ) from error
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable. Raises `Unavailable`: a disk that does not sync has promised nothing."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(
            "A folder cannot be written to the disk; check the disk, its space and the folder's owner.",
            code="folder-not-synced",
        ) from error
