"""A PIN that a token refused, remembered across starts: tokens lock, and a service is started again and again.

Kept as scrypt (RFC 7914) with a random salt: it was wrong here, but may be right elsewhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from pathlib import Path

from troth.kernel.errors import TrothError
from troth.keys import keyfile

_SALT, _HASH = 16, 32  # bytes
_COST = {"n": 1 << 14, "r": 8, "p": 1}  # 16 MiB and some 50 ms, spent only while a refused PIN is remembered


class RefusedPin:
    """One file beside the domain's mark; without a path it remembers nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def is_of(self, pin: str) -> bool:
        """True when this very PIN was refused before."""
        if self._path is None:
            return False
        try:
            kept = keyfile.read(self._path, _SALT + _HASH)
        except TrothError:
            return False
        return hmac.compare_digest(kept[_SALT:], _hashed(pin, kept[:_SALT]))

    def note(self, pin: str) -> None:
        """Remember it; what cannot be written is remembered by the process alone."""
        if self._path is None:
            return
        salt = os.urandom(_SALT)
        with contextlib.suppress(TrothError):
            keyfile.private_folder(self._path.parent)
            keyfile.destroy(self._path)
            keyfile.create(self._path, salt + _hashed(pin, salt))

    def forget(self) -> None:
        """The token took a PIN."""
        if self._path is not None and self._path.exists():
            with contextlib.suppress(TrothError):
                keyfile.destroy(self._path)


def _hashed(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, dklen=_HASH, **_COST)
