"""TOB1: how one object version is sealed. Pure; the format is written down in docs/reference/tob1.md.

A 176-byte header, then segments of 256 KiB plaintext with a 16-byte tag each. Every object version has a random data
key, so counter nonces never repeat (SP 800-38D); the data key is wrapped by a unit key of the forgetting key tree, and
a commitment binds the ciphertext to exactly one key, which AES-GCM alone does not. All refusals are `IntegrityError`.
"""

from __future__ import annotations

import secrets
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from hashlib import sha256
from hmac import compare_digest
from io import BytesIO
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, Invalid

MAGIC = b"TOB1"
ALGORITHM = 1  # AES-256-GCM segments, HKDF-SHA256 key and commitment
SEGMENT_LOG2 = 18
SEGMENT = 1 << SEGMENT_LOG2  # bytes of plaintext
TAG = 16
HEADER = 176
KEY_LABEL = b"troth/TOB1/segment-key+commitment"
JURISDICTIONS = {"eu": 1, "us": 2, "au": 3}
_JURISDICTION_OF = {code: text for text, code in JURISDICTIONS.items()}

_FACTS = struct.Struct(">4sBBBB16s16sQ16sI16s")  # 84 bytes: everything before the wrapped data key
_WRAP_AT, _COMMITMENT_AT = _FACTS.size, _FACTS.size + 60
_NOT_LAST, _LAST = bytes(4), b"\x00\x00\x00\x01"
_GROUP = 4  # segments worked on at once, 1 MiB
_SCRATCH = _GROUP * (SEGMENT + TAG) + HEADER
_ZEROS = memoryview(bytes(_SCRATCH))
_SMALL = 1 << 16  # bytes; a buffer for so few is made each time
_KEPT = 4  # large buffers that wait for their next use
_free: deque[memoryview] = deque(maxlen=_KEPT)


class Unit(Protocol):
    """A key of the tree: 16-byte id, generation from 1, 32-byte key."""

    @property
    def id(self) -> bytes: ...
    @property
    def generation(self) -> int: ...
    @property
    def key(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What an object version is. `tenant` and `object` are the 16 raw bytes of their ids."""

    jurisdiction: str
    data_class: DataClass
    tenant: bytes
    object: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Header:
    """A header that was read but not yet believed: nothing of it is authentic before `open` succeeds."""

    facts: Facts
    unit: bytes
    generation: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class _Randomness:
    """Fresh for every object version; set only by the generator of the published test vectors."""

    data_key: bytes
    salt: bytes
    wrap_nonce: bytes


def sealed_size(size: int) -> int:
    """Bytes that `size` bytes of plaintext take when sealed."""
    return HEADER + size + TAG * _segments(size)


def seal(facts: Facts, unit: Unit, plaintext: bytes) -> bytes:
    """The sealed object. Two calls never give the same bytes. Raises `Invalid` for facts that do not fit the header."""
    return _seal(facts, unit, plaintext, _Randomness(*(secrets.token_bytes(length) for length in (32, 16, 12))))


def read_header(sealed: bytes) -> Header:
    """The header's claims, to find the unit key by. Raises `IntegrityError` when it is not TOB1."""
    if len(sealed) < HEADER + TAG:
        raise IntegrityError("The sealed object is shorter than its header.", code="tob1-truncated")
    magic, algorithm, data_class, log2, jurisdiction, tenant, name, version, unit, generation, salt = (
        _FACTS.unpack_from(sealed)
    )
    if (magic, algorithm, log2) != (MAGIC, ALGORITHM, SEGMENT_LOG2) or jurisdiction not in _JURISDICTION_OF:
        raise IntegrityError("The sealed object is not TOB1, or of an unknown algorithm.", code="tob1-format")
    try:
        facts = Facts(_JURISDICTION_OF[jurisdiction], DataClass.from_code(data_class), tenant, name, version)
    except ValueError as error:
        raise IntegrityError("The sealed object names an unknown data class.", code="tob1-format") from error
    return Header(facts, unit, generation, salt)


def open(sealed: bytes, expected: Facts, unit: Unit) -> bytes:
    """The plaintext. Raises `IntegrityError` unless every byte is what was sealed for `expected` under `unit`."""
    cipher = _segment_cipher(sealed, expected, unit)
    return _decrypt(cipher, sealed, 0, _segments_of(sealed))


def require_whole(sealed: bytes, expected: Facts, unit: Unit) -> None:
    """Raises as `open` does, and gives nothing: each segment is decrypted into a buffer that is wiped."""
    cipher = _segment_cipher(sealed, expected, unit)
    try:
        for _ in _plain_pieces(cipher, sealed, 0, _segments_of(sealed)):
            continue
    except InvalidTag as error:
        raise _tampered() from error


def open_range(sealed: bytes, expected: Facts, unit: Unit, start: int, length: int) -> bytes:
    """`length` bytes from `start`, opening only the segments they lie in; shorter at the end of the object.

    The touched segments are authentic. That nothing was cut off behind them is only shown when the last segment is
    among them, so a caller that knows the size compares it with `plain_size` first.
    """
    if start < 0 or length < 0:
        raise Invalid("A range starts at 0 or later and is not negative.", code="bad-range")
    cipher = _segment_cipher(sealed, expected, unit)
    end = min(start + length, plain_size(sealed))
    if start >= end:
        return b""
    first, after = start // SEGMENT, -(-end // SEGMENT)
    plain = _decrypt(cipher, sealed, first, after)
    return plain[start - first * SEGMENT : end - first * SEGMENT]


def plain_size(sealed: bytes) -> int:
    """Bytes of plaintext that a sealed object of this length holds."""
    return len(sealed) - HEADER - TAG * _segments_of(sealed)


def _seal(facts: Facts, unit: Unit, plaintext: bytes, fresh: _Randomness) -> bytes:
    header, cipher = _header(facts, unit, fresh)
    return _joined(_sealed_pieces(cipher, header, plaintext), sealed_size(len(plaintext)))


def _sealed_pieces(cipher: AESGCM, header: bytes, plaintext: bytes) -> Iterator[memoryview]:
    source, position, last = memoryview(plaintext), HEADER, _segments(len(plaintext)) - 1
    with _scratch(sealed_size(len(plaintext))) as target:
        target[:HEADER] = header
        for index in range(last + 1):
            if index and index % _GROUP == 0:
                yield target[:position]
                position = 0
            segment = source[index << SEGMENT_LOG2 : (index + 1) << SEGMENT_LOG2]
            end = position + len(segment) + TAG
            aad = header if index == 0 else None
            cipher.encrypt_into(_nonce(index, last=index == last), segment, aad, target[position:end])
            position = end
        yield target[:position]


def _header(facts: Facts, unit: Unit, fresh: _Randomness) -> tuple[bytes, AESGCM]:
    _check(facts, unit)
    named = _FACTS.pack(
        MAGIC,
        ALGORITHM,
        facts.data_class.code,
        SEGMENT_LOG2,
        JURISDICTIONS[facts.jurisdiction],
        facts.tenant,
        facts.object,
        facts.version,
        unit.id,
        unit.generation,
        fresh.salt,
    )
    wrapped = fresh.wrap_nonce + AESGCM(unit.key).encrypt(fresh.wrap_nonce, fresh.data_key, named)
    cipher, commitment = _derive(fresh.data_key, named)
    return named + wrapped + commitment, cipher


def _check(facts: Facts, unit: Unit) -> None:
    sizes = (len(facts.tenant), len(facts.object), len(unit.id), len(unit.key))
    if sizes != (16, 16, 16, 32) or not 0 < facts.version < 1 << 64 or not 0 < unit.generation < 1 << 32:
        raise Invalid("Ids are 16 bytes, the unit key 32, version and generation count from 1.", code="bad-facts")
    if facts.jurisdiction not in JURISDICTIONS:
        raise Invalid("The jurisdiction is one of eu, us, au.", code="bad-jurisdiction")


def _derive(data_key: bytes, named: bytes) -> tuple[AESGCM, bytes]:
    """Segment cipher and 32-byte commitment; both bound to `named`, the header up to the wrapped key."""
    info = KEY_LABEL + sha256(named).digest()
    derived = HKDF(SHA256(), 64, salt=named[-16:], info=info).derive(data_key)
    return AESGCM(derived[:32]), derived[32:]


def _segment_cipher(sealed: bytes, expected: Facts, unit: Unit) -> AESGCM:
    header = read_header(sealed)
    for member in fields(Facts):  # before any key is used
        if getattr(header.facts, member.name) != getattr(expected, member.name):
            raise IntegrityError(f"The sealed object is of another {member.name}.", code="tob1-other")
    if (header.unit, header.generation) != (unit.id, unit.generation):
        raise IntegrityError("The sealed object was sealed under another key.", code="tob1-key")
    wrapped = sealed[_WRAP_AT:_COMMITMENT_AT]
    try:
        data_key = AESGCM(unit.key).decrypt(wrapped[:12], wrapped[12:], sealed[:_WRAP_AT])
    except InvalidTag as error:
        raise IntegrityError("The key of the sealed object does not unwrap.", code="tob1-key") from error
    cipher, commitment = _derive(data_key, sealed[:_WRAP_AT])
    if not compare_digest(commitment, sealed[_COMMITMENT_AT:HEADER]):
        raise IntegrityError("The sealed object is not committed to this key.", code="tob1-commitment")
    return cipher


def _decrypt(cipher: AESGCM, sealed: bytes, first: int, after: int) -> bytes:
    begin, end = (min(HEADER + index * (SEGMENT + TAG), len(sealed)) for index in (first, after))
    try:
        return _joined(_plain_pieces(cipher, sealed, first, after), end - begin - TAG * (after - first))
    except InvalidTag as error:
        raise _tampered() from error


def _tampered() -> IntegrityError:
    return IntegrityError("The sealed object was changed, cut or put together.", code="tob1-tampered")


def _plain_pieces(cipher: AESGCM, sealed: bytes, first: int, after: int) -> Iterator[memoryview]:
    source, last = memoryview(sealed), _segments_of(sealed) - 1
    position = written = 0
    with _scratch(len(sealed)) as target:
        try:
            for index in range(first, after):
                if position and (index - first) % _GROUP == 0:
                    yield target[:position]
                    position = 0
                at = HEADER + index * (SEGMENT + TAG)
                segment = source[at : at + SEGMENT + TAG]
                end = position + len(segment) - TAG
                written = max(written, end)
                aad = sealed[:HEADER] if index == 0 else None
                cipher.decrypt_into(_nonce(index, last=index == last), segment, aad, target[position:end])
                position = end
            yield target[:position]
        finally:
            target[:written] = _ZEROS[:written]  # the buffer is used again


def _joined(pieces: Iterator[memoryview], size: int) -> bytes:
    """The bytes of all pieces, each of which is overwritten by the next."""
    first = next(pieces)
    if len(first) == size:
        whole = bytes(first)
        next(pieces, None)  # lets the generator clean up
        return whole
    collected = BytesIO()
    collected.write(first)
    for piece in pieces:
        collected.write(piece)
    return collected.getvalue()


def _nonce(index: int, *, last: bool) -> bytes:
    return index.to_bytes(8, "big") + (_LAST if last else _NOT_LAST)


def _segments(size: int) -> int:
    return max(1, -(-size // SEGMENT))


def _segments_of(sealed: bytes) -> int:
    """Segments in a sealed object. Only an empty object may end in an empty segment: one plaintext, one framing."""
    body = len(sealed) - HEADER
    count = -(-body // (SEGMENT + TAG))
    rest = body - (count - 1) * (SEGMENT + TAG)
    if body < TAG or rest < TAG or (rest == TAG and count > 1):
        raise IntegrityError("The sealed object does not end where a segment ends.", code="tob1-truncated")
    return count


@contextmanager
def _scratch(size: int) -> Iterator[memoryview]:
    """A buffer for work on `size` bytes. Large ones are used again: fresh pages cost more than the encryption."""
    if size <= _SMALL:
        yield memoryview(bytearray(size))
        return
    try:
        view = _free.pop()
    except IndexError:
        view = memoryview(bytearray(_SCRATCH))
    try:
        yield view
    finally:
        _free.append(view)
