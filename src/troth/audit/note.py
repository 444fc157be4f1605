"""C2SP signed-note: text signed by named Ed25519 keys (signature type 0x01). Pure: signing itself is the caller's.

A note is UTF-8 text that ends in a newline, an empty line, and signature lines. Signatures of unknown keys are ignored;
a bad signature of a known key rejects the whole note.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from troth.kernel.errors import IntegrityError

ED25519 = 0x01
MAX_NOTE_BYTES = 1 << 18  # post-quantum signatures take nearly 5 kB each
MAX_SIGNATURES = 32  # the specification asks verifiers to accept at least 16
_PREFIX = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line. `key_id` is 4 bytes; `signature` is whatever the algorithm gives."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{_PREFIX}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. Its text means nothing until `open_note` has checked a signature."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """The note as bytes."""
        return (self.text + "\n" + "".join(one.line() for one in self.signatures)).encode()


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name, written `<name>+<key id in hex>+<base64(0x01 || 32 bytes)>`."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public_key) != 32:
            raise _bad("An Ed25519 public key has 32 bytes.", "bad-key")

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || 0x0A || type || public key)."""
        return sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public_key).digest()[:4]

    def __str__(self) -> str:
        body = base64.b64encode(bytes([ED25519]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{body}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a verifier key. Raises `IntegrityError` when it is malformed, of another type, or its id is wrong."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise _bad("A verifier key has the shape name+id+key.", "bad-key")
        raw = decode_base64(parts[2], "bad-key")
        if not raw or raw[0] != ED25519:
            raise _bad("Only Ed25519 verifier keys (type 0x01) are accepted here.", "bad-key")
        key = cls(parts[0], raw[1:])
        if key.key_id.hex() != parts[1]:
            raise _bad("The id inside the verifier key does not fit its name and key.", "bad-key")
        return key

    def sign_with(self, signature: bytes) -> NoteSignature:
        """The signature line of this key."""
        return NoteSignature(self.name, self.key_id, signature)

    def verify(self, text: str, signature: bytes) -> None:
        """Check one signature over the note's text. Raises `IntegrityError`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except InvalidSignature as error:
            raise _bad("The signature of a known key does not hold.", "bad-signature") from error


def parse_note(content: bytes) -> Note:
    """Split a note into text and signatures, unchecked. Raises `IntegrityError` when it is no well-formed note."""
    if len(content) > MAX_NOTE_BYTES:
        raise _bad("The signed note is too long.", "bad-note")
    try:
        whole = content.decode()
    except UnicodeDecodeError as error:
        raise _bad("The signed note is not UTF-8.", "bad-note") from error
    if any(ord(one) < 0x20 and one != "\n" for one in whole):
        raise _bad("The signed note holds control characters.", "bad-note")
    head, separator, tail = whole.rpartition("\n\n")
    if not separator or not head or not tail.endswith("\n"):
        raise _bad("The signed note has no signatures after an empty line.", "bad-note")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise _bad("The signed note has too many signatures.", "bad-note")
    return Note(head + "\n", tuple(_signature(line) for line in lines))


def open_note(content: bytes, keys: Iterable[VerifierKey]) -> Note:
    """A note of which at least one known key's signature holds and none fails. Raises `IntegrityError`."""
    note = parse_note(content)
    known = {(key.name, key.key_id): key for key in keys}
    verified = 0
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is not None:
            key.verify(note.text, one.signature)
            verified += 1
    if not verified:
        raise _bad("No signature of a trusted key stands under the note.", "unknown-key")
    return note


def decode_base64(text: str, code: str) -> bytes:
    """Strict standard Base64 (RFC 4648 section 4), canonical padding bits included. Raises `IntegrityError`."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("A Base64 value cannot be read.", code) from error
    if base64.b64encode(raw).decode() != text:
        raise _bad("A Base64 value is not in its canonical form.", code)
    return raw


def _signature(line: str) -> NoteSignature:
    name, _, body = line.removeprefix(_PREFIX).partition(" ")
    if not line.startswith(_PREFIX):
        raise _bad("A signature line begins with an em dash and a space.", "bad-note")
    _check_name(name)
    raw = decode_base64(body, "bad-note")
    if len(raw) < 5:
        raise _bad("A signature is too short.", "bad-note")
    return NoteSignature(name, raw[:4], raw[4:])


def _check_name(name: str) -> None:
    if not name or "+" in name or any(one.isspace() or ord(one) < 0x20 for one in name):
        raise _bad("A key name is not empty and holds neither spaces nor plus signs.", "bad-note")


def _bad(advice: str, code: str) -> IntegrityError:
    return IntegrityError(advice, code=code)
