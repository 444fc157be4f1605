"""Named secrets of the deployment (blind index key, session pepper), all from one file of the root folder."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.keys import keyfile

_FILE = "deployment.secret"


class Secrets:
    """Derives 32-byte secrets by name: HKDF-SHA256 (RFC 5869) over the deployment's own secret."""

    def __init__(self, master: bytes) -> None:
        self._master = master

    @classmethod
    def open(cls, folder: Path) -> Secrets:
        """The deployment's secrets; made on first use. Raises `Unavailable`, `IntegrityError`."""
        path = keyfile.private_folder(folder) / _FILE
        keyfile.create(path, os.urandom(keyfile.KEY_BYTES))
        return cls(keyfile.read(path))

    def named(self, name: str) -> bytes:
        """32 bytes; the same name always gives the same bytes."""
        info = b"troth deployment secret 1 " + name.encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._master)
