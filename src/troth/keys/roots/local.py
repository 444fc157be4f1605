"""A key domain in a folder: one file of 32 random bytes per root. Assurance A0.

A0 says what it is: destroying overwrites and unlinks the file, which is no sanitisation claim on solid-state disks,
copy-on-write file systems or snapshots of the machine (NIST SP 800-88). Keep the folder out of every backup.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.errors import Conflict, Gone, IntegrityError, Invalid, NotFound, Unavailable
from troth.keys import keyfile

ROOT_NAME = re.compile(r"[a-z]+-[0-9]{8}-[0-9a-f]{16}\Z")
_SUFFIX = ".root"
_NONCE = 12  # bytes; random: a root seals a handful of values, far below the 2^32 of SP 800-38D
_EVIDENCE = "overwritten,unlinked,folder-synced"


class LocalRoot:
    """Implements `Root` on a folder of mode 0700."""

    def __init__(self, folder: Path, domain: str = "local") -> None:
        self._folder = keyfile.private_folder(folder)
        self._domain = domain
        keyfile.sweep(self._folder)

    @property
    def domain(self) -> str:
        return self._domain

    @property
    def assurance(self) -> str:
        return "A0"

    def create(self, root: str) -> None:
        if not keyfile.create(self._path(root), os.urandom(keyfile.KEY_BYTES)):
            raise Conflict("A root of that name exists already.", code="root-exists")

    def seal(self, root: str, plaintext: bytes, aad: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher(root).encrypt(nonce, plaintext, aad)

    def open(self, root: str, sealed: bytes, aad: bytes) -> bytes:
        cipher = self._cipher(root)
        try:
            return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], aad)
        except (InvalidTag, ValueError) as error:
            raise IntegrityError("A value sealed under a root does not open.", code="root-seal") from error

    def destroy(self, root: str) -> str:
        keyfile.destroy(self._path(root))
        return _EVIDENCE

    def present(self) -> list[str]:
        try:
            return sorted(path.stem for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        except OSError as error:
            raise Unavailable("The key folder cannot be listed.", code="key-folder") from error

    def _cipher(self, root: str) -> AESGCM:
        try:
            return AESGCM(keyfile.read(self._path(root)))
        except NotFound as error:
            raise Gone("That root was destroyed or never existed.", code="root-gone") from error

    def _path(self, root: str) -> Path:
        if not ROOT_NAME.match(root):
            raise Invalid("A root's name is jurisdiction-epoch-token.", code="root-name")
        return self._folder / f"{root}{_SUFFIX}"
