"""Small personal values in other capabilities' tables, sealed under the person's account unit.

Bytes: version 1, unit id 16, generation 4, nonce 12, ciphertext and tag (docs/reference/key-formats.md).
"""

from __future__ import annotations

import hmac
import os
import struct
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, NotFound
from troth.keys.tree import KeyTree, Use
from troth.keys.units import ACCOUNT_PERIOD, Owner, UnitKey, UnitRequest

_VERSION = 1
_AT_ONCE = 400  # units of one write
_HEADER = struct.Struct(">B16sI12s")


class SealedFields:
    """Implements `PersonalFields` on a key tree. `index_key` is a 32-byte deployment secret."""

    def __init__(self, keys: KeyTree, index_key: bytes) -> None:
        self._keys = keys
        self._index_key = index_key

    def seal(self, tenant: str, subject: str, label: str, plaintext: bytes) -> bytes:
        """Ciphertext bound to tenant, subject and label. Raises `Gone` for an erased subject, `Unavailable`."""
        unit = self._keys.unit(tenant, subject, DataClass.ACCOUNT, ACCOUNT_PERIOD)
        return _sealed(unit, _framed(tenant, subject, label), plaintext)

    def seal_all(self, tenant: str, label: str, several: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """`seal` for many (subject, plaintext): units that are not there yet are made hundreds in one write."""
        subjects, units = list(dict.fromkeys(subject for subject, _ in several)), dict[str, UnitKey]()
        for start in range(0, len(subjects), _AT_ONCE):
            some = subjects[start : start + _AT_ONCE]
            asked = [UnitRequest(tenant, one, DataClass.ACCOUNT, ACCOUNT_PERIOD) for one in some]
            units |= zip(some, self._keys.units(asked), strict=True)
        return [_sealed(units[one], _framed(tenant, one, label), plaintext) for one, plaintext in several]

    def open(self, tenant: str, subject: str, label: str, sealed: bytes) -> bytes:
        """The plaintext. Raises `Gone` when the person was erased, `IntegrityError` when the bytes do not fit."""
        return self._opened(_framed(tenant, subject, label), sealed, Use.PRODUCT)

    def at_hand(self, tenant: str, subject: str) -> bool:
        """True when `seal` would answer from memory, without asking the database or a key domain."""
        return self._keys.remembers(tenant, subject, DataClass.ACCOUNT, ACCOUNT_PERIOD)

    def moved(self, owner: Owner, label: str, sealed: bytes, fresh: UnitKey) -> bytes:
        """The same field under another unit of its owner (tenant, subject). Raises as `open`."""
        context = _framed(*owner, label)
        return _sealed(fresh, context, self._opened(context, sealed, Use.REENCRYPTION))

    def _opened(self, context: bytes, sealed: bytes, use: Use) -> bytes:
        _, identifier, generation, nonce = _header(sealed)
        try:
            unit = self._keys.key(identifier, use)
        except NotFound as error:
            raise _unfit() from error
        if unit.generation != generation:
            raise _unfit()
        header, ciphertext = sealed[: _HEADER.size], sealed[_HEADER.size :]
        try:
            return _cipher(unit).decrypt(nonce, ciphertext, header + context)
        except InvalidTag as error:
            raise _unfit() from error

    def blind_index(self, label: str, value: str) -> bytes:
        """32 bytes of HMAC-SHA256 over label and value; the same value gives the same bytes."""
        return hmac.digest(self._index_key, b"troth blind index 1" + _framed(label, value), "sha256")


def unit_of(sealed: bytes) -> bytes:
    """The id of the unit that a field is sealed under. Raises `IntegrityError`."""
    return _header(sealed)[1]


def _header(sealed: bytes) -> tuple[int, bytes, int, bytes]:
    if len(sealed) < _HEADER.size or sealed[0] != _VERSION:
        raise _unfit()
    version, identifier, generation, nonce = _HEADER.unpack_from(sealed)
    return version, identifier, generation, nonce


def _sealed(unit: UnitKey, context: bytes, plaintext: bytes) -> bytes:
    nonce = os.urandom(12)  # random: far fewer than 2^32 fields per person (SP 800-38D)
    header = _HEADER.pack(_VERSION, unit.id, unit.generation, nonce)
    return header + _cipher(unit).encrypt(nonce, plaintext, header + context)


def _cipher(unit: UnitKey) -> AESGCM:
    # A key of its own (HKDF-Expand, RFC 5869), so that fields and objects of one unit never share an AES-GCM key.
    return AESGCM(hmac.digest(unit.key, b"troth field key 1\x01", "sha256"))


def _framed(*parts: str) -> bytes:
    return b"".join(len(raw := part.encode()).to_bytes(4, "big") + raw for part in parts)


def _unfit() -> IntegrityError:
    return IntegrityError("A sealed field does not belong here or was changed.", code="sealed-field")
