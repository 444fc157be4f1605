"""What a signature of each C2SP signed-note type says, and how it is checked. Pure.

Types: 0x01 Ed25519 over the note's text (signed-note); 0x04 Ed25519 with a time (tlog-cosignature, "cosignature/v1");
0x06 ML-DSA-44 with a time (tlog-cosignature, "subtree/v1"; FIPS 204). The timed ones are an eight-byte big-endian POSIX
time before the signature.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from troth.kernel.errors import IntegrityError

ED25519 = 0x01
COSIGNATURE_ED25519 = 0x04
COSIGNATURE_ML_DSA_44 = 0x06
COSIGNATURES = frozenset({COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44})
KEY_BYTES = {ED25519: 32, COSIGNATURE_ED25519: 32, COSIGNATURE_ML_DSA_44: 1312}
_SIGNATURE_BYTES = {ED25519: 64, COSIGNATURE_ED25519: 72, COSIGNATURE_ML_DSA_44: 2428}
MAX_TIME = (1 << 63) - 1
_SIZE = re.compile(r"(0|[1-9][0-9]{0,17})\Z", re.ASCII)
_LABEL = b"subtree/v1\n\0"


def verify(kind: int, name: str, public_key: bytes, text: str, signature: bytes) -> None:
    """Check one signature over a note's text. Raises `IntegrityError`, also for a time beyond 2**63 - 1."""
    if len(signature) != _SIGNATURE_BYTES[kind]:
        raise _bad("The signature of a known key has the wrong length.")
    try:
        if kind == ED25519:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text.encode())
        elif kind == COSIGNATURE_ED25519:
            message = timed_text(text, time_of(signature))
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature[8:], message)
        else:
            message = subtree(name, text, time_of(signature))
            MLDSA44PublicKey.from_public_bytes(public_key).verify(signature[8:], message)
    except InvalidSignature as error:
        raise _bad("The signature of a known key does not hold.") from error


def time_of(signature: bytes) -> int:
    """The POSIX time (seconds) of a timed signature. Raises `IntegrityError` when it has none."""
    if len(signature) < 8 or (at := int.from_bytes(signature[:8])) > MAX_TIME:
        raise _bad("A cosignature's time is not readable.")
    return at


def timed_text(text: str, at: int) -> bytes:
    """What a cosignature of type 0x04 signs (tlog-cosignature, "Ed25519 signed message")."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def subtree(name: str, text: str, at: int) -> bytes:
    """What a cosignature of type 0x06 signs over a whole checkpoint (tlog-cosignature, `cosigned_message`).

    Extension lines are not in it. Raises `IntegrityError` when `text` is no checkpoint or a name is too long.
    """
    origin, size, root = checkpoint_lines(text)
    names = [one.encode() for one in (name, origin)]
    if not all(0 < len(one) < 256 for one in names):
        raise _bad("A cosigner's name and a log's origin have 1 to 255 bytes.")
    first, second = (bytes([len(one)]) + one for one in names)
    return _LABEL + first + struct.pack(">Q", at) + second + struct.pack(">QQ", 0, size) + root


def checkpoint_lines(text: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint, whatever extension lines follow. Raises `IntegrityError`."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _SIZE.match(lines[1]):
        raise IntegrityError("A checkpoint has three lines: origin, size, root.", code="bad-checkpoint")
    root = decode_base64(lines[2], "bad-checkpoint")
    if len(root) != 32:
        raise IntegrityError("A checkpoint's root has 32 bytes.", code="bad-checkpoint")
    return lines[0], int(lines[1]), root


def decode_base64(text: str, code: str) -> bytes:
    """Strict standard Base64 (RFC 4648 section 4), canonical padding bits included. Raises `IntegrityError`."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise IntegrityError("A Base64 value cannot be read.", code=code) from error
    if base64.b64encode(raw).decode() != text:
        raise IntegrityError("A Base64 value is not in its canonical form.", code=code)
    return raw


def _bad(advice: str) -> IntegrityError:
    return IntegrityError(advice, code="bad-signature")
