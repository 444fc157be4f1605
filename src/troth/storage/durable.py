"""What makes a name on the disk outlive a power cut: creating, renaming and deleting change a folder, not the file."""

from __future__ import annotations

import os
from pathlib import Path

from troth.kernel.errors import Unavailable


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
