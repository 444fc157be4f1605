"""An Ed25519 signing key (RFC 8032) in a file of the root folder."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.kernel.errors import Invalid
from troth.keys import keyfile

_NAME = re.compile(r"[!-*,-~]{1,256}\Z")  # C2SP signed-note: printable ASCII, no spaces, no plus


class LocalSigner:
    """Implements `kernel.signer.Signer`."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not _NAME.match(name):
            raise Invalid("A signer's name is printable ASCII without spaces and plus signs.", code="signer-name")
        self._name = name
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def open(cls, folder: Path, name: str) -> LocalSigner:
        """The signer of that name; its key is made on first use. Raises `Unavailable`, `IntegrityError`."""
        path = keyfile.private_folder(folder) / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.signer"
        signer = cls(name, os.urandom(keyfile.KEY_BYTES))
        if keyfile.create(path, signer._key.private_bytes_raw()):
            return signer
        return cls(name, keyfile.read(path))

    @property
    def name(self) -> str:
        return self._name

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """A 64-byte signature."""
        return self._key.sign(message)
