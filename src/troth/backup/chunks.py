"""Pieces of a backup that are not ciphertext by themselves: packed, sealed under a deployment key, named by content.

Equal content gives equal bytes under an equal name, so a piece that a place has need not be sent again. The nonce is a
keyed hash of what is sealed (a synthetic nonce, as in RFC 5297), so no nonce meets two contents. No I/O.
"""

from __future__ import annotations

import hmac
import zlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.errors import IntegrityError

FOLDER = "chunks"
_LARGEST = 64 << 20  # bytes of an unpacked piece
LARGEST_PIECE = _LARGEST + (1 << 16)  # bytes of a sealed one: what cannot be packed grows a little
_NONCE = 12
_LEVEL = 3  # of compression: most of the gain at a third of the cost


@dataclass(frozen=True, slots=True)
class Chunk:
    """One sealed piece under its name."""

    name: str
    content: bytes = field(repr=False)


class Chunks:
    """Seals and opens pieces. `secret` is a 32-byte deployment secret."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(_derived(secret, b"cipher"))
        self._naming = _derived(secret, b"name")
        self._nonces = _derived(secret, b"nonce")

    def seal(self, plaintext: bytes) -> Chunk:
        """The sealed piece; the same bytes give the same piece."""
        packed = zlib.compress(plaintext, _LEVEL)
        name = self._name(packed)
        nonce = hmac.digest(self._nonces, packed, "sha256")[:_NONCE]
        return Chunk(name, nonce + self._cipher.encrypt(nonce, packed, name.encode()))

    def open(self, name: str, content: bytes) -> bytes:
        """The plaintext. Raises `IntegrityError` when the bytes are not those of that name."""
        try:
            packed = self._cipher.decrypt(content[:_NONCE], content[_NONCE:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise _broken() from error
        if not hmac.compare_digest(self._name(packed), name):
            raise _broken()
        unpacking = zlib.decompressobj()
        plaintext = unpacking.decompress(packed, _LARGEST)
        if not unpacking.eof:
            raise _broken()
        return plaintext

    def _name(self, packed: bytes) -> str:
        digest = hmac.digest(self._naming, packed, "sha256").hex()
        return f"{FOLDER}/{digest[:2]}/{digest}"


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret, b"troth backup chunk 1 " + purpose + b"\x01", "sha256")  # HKDF-Expand, RFC 5869


def _broken() -> IntegrityError:
    return IntegrityError(
        "A piece of the backup was changed, swapped, or sealed under other keys.", code="backup-piece"
    )
