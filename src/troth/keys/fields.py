"""Small personal values in other capabilities' tables, sealed under the person's account unit.

Bytes: version 1, unit id 16, generation 4, nonce 12, ciphertext and tag (docs/reference/key-formats.md).
"""

from __future__ import annotations

import hmac
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, NotFound
from troth.keys.tree import KeyTree
from troth.keys.units import ACCOUNT_PERIOD, UnitKey

_VERSION = 1
_HEADER = struct.Struct(">B16sI12s")


class SealedFields:
    """Implements `PersonalFields` on a key tree. `index_key` is a 32-byte deployment secret."""

    def __init__(self, keys: KeyTree, index_key: bytes) -> None:
        self._keys = keys
        self._index_key = index_key

    def seal(self, tenant: str, subject: str, label: str, plaintext: bytes) -> bytes:
        """Ciphertext bound to tenant, subject and label. Raises `Gone` for an erased subject, `Unavailable`."""
        unit = self._keys.unit(tenant, subject, DataClass.ACCOUNT, ACCOUNT_PERIOD)
        nonce = os.urandom(12)  # random: far fewer than 2^32 fields per person (SP 800-38D)
        header = _HEADER.pack(_VERSION, unit.id, unit.generation, nonce)
        return header + _cipher(unit).encrypt(nonce, plaintext, header + _framed(tenant, subject, label))

    def open(self, tenant: str, subject: str, label: str, sealed: bytes) -> bytes:
        """The plaintext. Raises `Gone` when the person was erased, `IntegrityError` when the bytes do not fit."""
        if len(sealed) < _HEADER.size or sealed[0] != _VERSION:
            raise _unfit()
        _, identifier, generation, nonce = _HEADER.unpack_from(sealed)
        try:
            unit = self._keys.key(identifier)
        except NotFound as error:
            raise _unfit() from error
        if unit.generation != generation:
            raise _unfit()
        header, ciphertext = sealed[: _HEADER.size], sealed[_HEADER.size :]
        try:
            return _cipher(unit).decrypt(nonce, ciphertext, header + _framed(tenant, subject, label))
        except InvalidTag as error:
            raise _unfit() from error

    def blind_index(self, label: str, value: str) -> bytes:
        """32 bytes of HMAC-SHA256 over label and value; the same value gives the same bytes."""
        return hmac.digest(self._index_key, b"troth blind index 1" + _framed(label, value), "sha256")


def _cipher(unit: UnitKey) -> AESGCM:
    # A key of its own (HKDF-Expand, RFC 5869), so that fields and objects of one unit never share an AES-GCM key.
    return AESGCM(hmac.digest(unit.key, b"troth field key 1\x01", "sha256"))


def _framed(*parts: str) -> bytes:
    return b"".join(len(raw := part.encode()).to_bytes(4, "big") + raw for part in parts)


def _unfit() -> IntegrityError:
    return IntegrityError("A sealed field does not belong here or was changed.", code="sealed-field")
