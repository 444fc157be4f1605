"""C2SP signed-note: text signed by named keys of the types in `signature_kinds`. Pure: signing is the caller's.

A note is UTF-8 text that ends in a newline, an empty line, and signature lines. Signatures of unknown keys are ignored;
a bad signature of a known key rejects the whole note.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from troth.audit.signature_kinds import ED25519, KEY_BYTES, decode_base64, verify
from troth.kernel.errors import IntegrityError

MAX_NOTE_BYTES = 1 << 18  # post-quantum signatures take nearly 5 kB each
MAX_SIGNATURES = 64  # 31 witnesses with two keys each beside the log; verifiers must accept at least 16
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
    """A public key with its name, written `<name>+<key id in hex>+<base64(type || public key)>`.

    `kind` is the signature type: 0x01 (32 bytes of Ed25519), 0x04 (the same, timed cosignatures), 0x06 (1,312 bytes of
    ML-DSA-44, timed cosignatures).
    """

    name: str
    public_key: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public_key) != KEY_BYTES.get(self.kind):
            raise _bad("A key has 32 bytes (Ed25519) or 1,312 (ML-DSA-44), and a type that fits.", "bad-key")

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || 0x0A || type || public key)."""
        return sha256(self.name.encode() + b"\n" + self._body).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self._body).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a verifier key. Raises `IntegrityError` when it is malformed, of an unknown type, or its id is wrong."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise _bad("A verifier key has the shape name+id+key.", "bad-key")
        raw = decode_base64(parts[2], "bad-key")
        if not raw or raw[0] not in KEY_BYTES:
            raise _bad("Only verifier keys of the types 0x01, 0x04 and 0x06 are accepted here.", "bad-key")
        key = cls(parts[0], raw[1:], raw[0])
        if key.key_id.hex() != parts[1]:
            raise _bad("The id inside the verifier key does not fit its name and key.", "bad-key")
        return key

    def sign_with(self, signature: bytes) -> NoteSignature:
        """The signature line of this key."""
        return NoteSignature(self.name, self.key_id, signature)

    def verify(self, text: str, signature: bytes) -> None:
        """Check one signature over the note's text. Raises `IntegrityError`."""
        verify(self.kind, self.name, self.public_key, text, signature)

    @property
    def _body(self) -> bytes:
        return bytes([self.kind]) + self.public_key


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
    require_signers(note, keys)
    return note


def require_signers(note: Note, keys: Iterable[VerifierKey]) -> frozenset[VerifierKey]:
    """Those of `keys` that signed. Raises `IntegrityError` when none did, or when a signature of one does not hold."""
    signers = verified_signers(note, keys)
    if not signers:
        raise _bad("No signature of a trusted key stands under the note.", "unknown-key")
    return signers


def verified_signers(note: Note, keys: Iterable[VerifierKey]) -> frozenset[VerifierKey]:
    """Those of `keys` that signed, perhaps none. Raises `IntegrityError` when a signature of one does not hold."""
    known = {(key.name, key.key_id): key for key in keys}
    signers = set()
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is not None:
            key.verify(note.text, one.signature)
            signers.add(key)
    return frozenset(signers)


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
