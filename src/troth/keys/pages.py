"""Pages of the key tree: what they hold, their bytes, and how they are sealed (docs/reference/key-formats.md). No I/O.

A page is sealed with AES-256-GCM (NIST SP 800-38D) under its own random key. Nonces are random 96-bit values; the
page's version counts the invocations of its key. The header commits to the key, because GCM alone does not.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from dataclasses import dataclass
from itertools import pairwise

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.errors import IntegrityError
from troth.keys.leaf import SECRET_BYTES, SUBJECT_BYTES, WIDTH, Leaf
from troth.keys.units import ADDRESS_BYTES

PAGE_ID_BYTES = 16
LOWEST = bytes(ADDRESS_BYTES)

MAGIC = b"TKT1"
_HEADER = struct.Struct(">4sQ16sQ12s32s")  # magic, epoch, page id, version, nonce, commitment
_COUNT = struct.Struct(">H")
MAX_INVOCATIONS = 2**31  # half of what SP 800-38D allows a key with random nonces: writes that were lost count too
_LEAF, _BRANCH = b"L", b"B"


@dataclass(frozen=True, slots=True)
class Ref:
    """A page's id and key. A key belongs to exactly one id, for as long as either lives."""

    page: bytes
    key: bytes

    @classmethod
    def fresh(cls) -> Ref:
        """A new page's id (16 random bytes) and key (32 random bytes)."""
        return cls(os.urandom(PAGE_ID_BYTES), os.urandom(SECRET_BYTES))

    def __repr__(self) -> str:  # a key never reaches a log or a traceback
        return f"Ref(page={self.page.hex()})"


@dataclass(frozen=True, slots=True)
class Branch:
    """Children, each with the lowest address it may hold, in rising order. Never changed in place."""

    bounds: tuple[bytes, ...]
    children: tuple[Ref, ...]


Page = Leaf | Branch


@dataclass(frozen=True, slots=True)
class Header:
    """What a sealed page says in clear."""

    epoch: int
    page: bytes
    version: int


def seal(ref: Ref, jurisdiction: str, header: Header, page: Page) -> bytes:
    """The page's sealed bytes. Raises `IntegrityError` when its key was used too often."""
    if header.version > MAX_INVOCATIONS or header.page != ref.page:
        raise IntegrityError("A page key has reached its limit; rotate the tree.", code="page-exhausted")
    nonce = os.urandom(12)
    content_key, commitment = _keys(ref)
    prefix = _HEADER.pack(MAGIC, header.epoch, header.page, header.version, nonce, commitment)
    return prefix + AESGCM(content_key).encrypt(nonce, encode(page), prefix + jurisdiction.encode())


def open_sealed(ref: Ref, jurisdiction: str, sealed: bytes) -> tuple[Header, Page]:
    """Header and content of a sealed page. Raises `IntegrityError` when the bytes are not that page's."""
    header, nonce, commitment = _parse(sealed)
    content_key, expected = _keys(ref)
    if header.page != ref.page or not hmac.compare_digest(commitment, expected):
        raise _broken()
    aad = sealed[: _HEADER.size] + jurisdiction.encode()
    try:
        plaintext = AESGCM(content_key).decrypt(nonce, sealed[_HEADER.size :], aad)
    except InvalidTag as error:
        raise _broken() from error
    return header, decode(plaintext)


def read_header(sealed: bytes) -> Header:
    """What a sealed page says in clear; nothing vouches for it yet. Raises `IntegrityError` for other bytes."""
    return _parse(sealed)[0]


def digest(sealed: bytes) -> str:
    """SHA-256 of sealed bytes in hex."""
    return hashlib.sha256(sealed).hexdigest()


def encode(page: Page) -> bytes:
    """The plaintext bytes of a page; a leaf writes tenant and subject once per run."""
    if isinstance(page, Branch):
        parts = (bound + ref.page + ref.key for bound, ref in zip(page.bounds, page.children, strict=True))
        return _BRANCH + _COUNT.pack(len(page.children)) + b"".join(parts)
    runs = ((subject, _COUNT.pack(len(units) // WIDTH), units) for subject, units in page.runs.items())
    return b"".join((_LEAF, *(piece for run in runs for piece in run)))


def decode(plaintext: bytes) -> Page:
    """The inverse of `encode`. Raises `IntegrityError` for anything that `encode` cannot have written."""
    kind, body = plaintext[:1], plaintext[1:]
    if kind == _LEAF:
        return _leaf(body)
    if kind == _BRANCH:
        return _branch(body)
    raise _broken()


def _leaf(body: bytes) -> Leaf:
    runs: dict[bytes, bytes] = {}
    position, last = 0, b""
    while position < len(body):
        subject, start = body[position : position + SUBJECT_BYTES], position + SUBJECT_BYTES + _COUNT.size
        if start > len(body) or subject <= last:
            raise _broken()
        (count,) = _COUNT.unpack_from(body, start - _COUNT.size)
        position, last = start + count * WIDTH, subject
        if not count or position > len(body):
            raise _broken()
        runs[subject] = units = body[start:position]
        if count > 1:
            lows = [units[at : at + 4] for at in range(0, len(units), WIDTH)]
            if any(low >= high for low, high in pairwise(lows)):
                raise _broken()
    return Leaf(runs)


def _branch(body: bytes) -> Branch:
    width = ADDRESS_BYTES + PAGE_ID_BYTES + SECRET_BYTES
    if len(body) < _COUNT.size or len(body) != _COUNT.size + _COUNT.unpack_from(body)[0] * width:
        raise _broken()
    rows = [body[at : at + width] for at in range(_COUNT.size, len(body), width)]
    bounds = tuple(row[:ADDRESS_BYTES] for row in rows)
    if not rows or any(low >= high for low, high in pairwise(bounds)):
        raise _broken()
    cut = ADDRESS_BYTES + PAGE_ID_BYTES
    return Branch(bounds, tuple(Ref(row[ADDRESS_BYTES:cut], row[cut:]) for row in rows))


def _parse(sealed: bytes) -> tuple[Header, bytes, bytes]:
    if len(sealed) < _HEADER.size or not sealed.startswith(MAGIC):
        raise _broken()
    _, epoch, page, version, nonce, commitment = _HEADER.unpack_from(sealed)
    return Header(epoch, page, version), nonce, commitment


def _keys(ref: Ref) -> tuple[bytes, bytes]:
    # HKDF-Expand (RFC 5869) with two labels: the key that encrypts and the value that commits to it.
    content_key = hmac.digest(ref.key, b"troth page key 1" + ref.page + b"\x01", "sha256")
    return content_key, hmac.digest(ref.key, b"troth page commitment 1" + ref.page + b"\x01", "sha256")


def _broken() -> IntegrityError:
    return IntegrityError("A page of the key tree was changed, swapped or rolled back.", code="key-page")
