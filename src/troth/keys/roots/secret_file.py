"""A credential in a file (a token's PIN, a service's access token): never in the environment, never in a repr."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from troth.kernel.errors import Unavailable

_MOST = 4096  # bytes


def read_secret(path: Path) -> str:
    """The first line. Read at each use, so that a renewed credential counts at once.

    Raises `Unavailable` when the file is missing, empty, too long, or open to anyone but its owner.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_MOST + 1)
        secret = content.decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(
            "The file with the credential of a key domain cannot be read; check its setting and its owner.",
            code="root-credential",
        ) from error
    if mode & 0o077:
        raise Unavailable(
            "The file with the credential of a key domain is open to other users; set its mode to 0600.",
            code="root-credential-open",
        )
    if not secret or len(content) > _MOST or "\n" in secret:
        raise Unavailable(
            "The file with the credential of a key domain must hold the credential alone, on one line.",
            code="root-credential",
        )
    return secret
