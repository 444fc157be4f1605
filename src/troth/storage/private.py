"""Folders that nobody else on the machine may enter, whatever the shell's umask or an earlier version left."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from troth.kernel.errors import Unavailable

_OTHERS = 0o077


def only_ours() -> None:
    """From now on, what this process creates is for its user alone (umask 077), and it leaves no core file (DEL-08)."""
    os.umask(_OTHERS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def private_folder(folder: Path) -> None:
    """`folder` with mode 0700, made when absent; the files directly in it lose what they grant to others.

    Raises `Unavailable` when it cannot be so.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (folder, *(one for one in folder.iterdir() if one.is_file() and not one.is_symlink())):
            mode = path.stat().st_mode & 0o777
            if mode & _OTHERS:
                path.chmod(mode & ~_OTHERS)
    except OSError as error:
        raise Unavailable(
            "A folder of this installation cannot be made private; it must belong to the user who runs Troth.",
            code="folder-not-private",
        ) from error
