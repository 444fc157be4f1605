"""A key domain in a folder: one file of 32 random bytes per root. Assurance A0.

A0 says what it is: destroying overwrites and unlinks the file, which is no sanitisation claim on solid-state disks,
copy-on-write file systems or snapshots of the machine (NIST SP 800-88). Keep the folder out of every backup.

A mark lies in the folder, and the domain is bound to it: a disk that is away leaves an empty folder behind, or none, in
which nothing is absent that was destroyed (`key-folder-away`); a folder with roots and without that mark is another one
(`root-provider-changed`). A folder that was never bound is made, and bound at its first use.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.errors import Conflict, NotFound, Unavailable
from troth.keys import keyfile
from troth.keys.roots.binding import Binding, exchanged
from troth.keys.roots.port import FILES, broken_seal, gone, require_name

_SUFFIX = ".root"
_NONCE = 12  # bytes; random: a root seals a handful of values, far below the 2^32 of SP 800-38D
MARK = "mark"  # 32 random bytes, no key
_EVIDENCE = "overwritten,unlinked,folder-synced"
_ABSENT = "absent-already,folder-marked"


class LocalRoot:
    """Implements `Root` on a folder of mode 0700. Without a `binding` it lies beside the folder."""

    kind = "local"

    def __init__(self, folder: Path, domain: str = "local", binding: Binding | None = None) -> None:
        self._folder = folder
        self._domain = domain
        self._binding = binding or Binding(folder.with_name(f"{folder.name}.mark"))
        self._mark = b""  # what this process saw
        self._swept = False
        if not self._binding.made:  # one that was used before is never made again: its disk may only be away
            keyfile.private_folder(folder)

    @property
    def domain(self) -> str:
        return self._domain

    @property
    def assurance(self) -> str:
        return FILES

    def create(self, root: str) -> None:
        path = self._path(root)
        self._require_mark()
        if not keyfile.create(path, os.urandom(keyfile.KEY_BYTES)):
            raise Conflict("A root of that name exists already.", code="root-exists")

    def seal(self, root: str, plaintext: bytes, aad: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher(root).encrypt(nonce, plaintext, aad)

    def open(self, root: str, sealed: bytes, aad: bytes) -> bytes:
        cipher = self._cipher(root)
        try:
            return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], aad)
        except (InvalidTag, ValueError) as error:
            raise broken_seal() from error

    def destroy(self, root: str) -> str:
        path = self._path(root)
        self._require_mark()
        found = keyfile.destroy(path)
        self._require_mark()  # it may have gone away meanwhile
        return _EVIDENCE if found else _ABSENT

    def present(self) -> list[str]:
        self._require_mark()
        try:
            found = sorted(path.stem for path in self._folder.iterdir() if path.suffix == _SUFFIX)
        except OSError as error:
            raise Unavailable("The key folder cannot be listed.", code="key-folder") from error
        self._require_mark()
        return found

    def gives_out(self, root: str) -> bool:
        return bool(self._read(root))

    def _cipher(self, root: str) -> AESGCM:
        return AESGCM(self._read(root))

    def _read(self, root: str) -> bytes:
        path = self._path(root)
        self._require_mark()
        try:
            return keyfile.read(path)
        except NotFound as error:
            self._require_mark()  # a folder that is away raises here: its roots are not gone
            raise gone() from error

    def _require_mark(self) -> None:
        """Raises `Unavailable` unless the folder is the one that was used before."""
        bound = bool(self._mark) or self._binding.made  # asked first: another process may be binding it now
        path = self._folder / MARK
        try:
            mark = keyfile.read(path)
        except NotFound as error:
            if bound:
                raise (exchanged() if self._holds_roots() else _away()) from error
            keyfile.create(path, os.urandom(keyfile.KEY_BYTES))  # another process may have been first
            mark = keyfile.read(path)
        if mark != self._mark:
            if self._mark:
                raise exchanged()
            self._binding.require([mark.hex()])
            self._mark = mark
        self._tidy()

    def _holds_roots(self) -> bool:
        """True when somebody's roots lie here: then it is no empty mount point."""
        try:
            return any(one.suffix == _SUFFIX for one in self._folder.iterdir())
        except OSError:
            return False

    def _tidy(self) -> None:
        """Once, in the right folder: it must be private, and hold nothing that a crash left."""
        if not self._swept:
            keyfile.sweep(keyfile.private_folder(self._folder))
            self._swept = True

    def _path(self, root: str) -> Path:
        return self._folder / f"{require_name(root)}{_SUFFIX}"


def _away() -> Unavailable:
    return Unavailable(
        "The folder of a key domain is not there, or it is empty, as a mount point without its disk; bring "
        "the disk back.",
        code="key-folder-away",
    )
