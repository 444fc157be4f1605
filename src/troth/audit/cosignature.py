"""C2SP tlog-cosignature: keys that state, with a time, that a checkpoint is the largest consistent one they saw.

`CosignerKey` signs; its `verifier` checks (`note.VerifierKey`, types 0x04 and 0x06).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from troth.audit.note import Note, NoteSignature, VerifierKey
from troth.audit.signature_kinds import (
    COSIGNATURE_ED25519,
    COSIGNATURE_ML_DSA_44,
    MAX_TIME,
    subtree,
    time_of,
    timed_text,
)
from troth.kernel.errors import IntegrityError

SEED_BYTES = 32


class Cosigner(Protocol):
    """A key that cosigns checkpoints."""

    @property
    def verifier(self) -> VerifierKey:
        """Its public side."""
        ...

    def cosign(self, text: str, at: int) -> NoteSignature:
        """The signature line over a checkpoint's text at a POSIX time in seconds."""
        ...


class Ed25519Cosigner:
    """Cosignatures of type 0x04. Use its key for nothing else: the message does not name the cosigner."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._key.public_key().public_bytes_raw(), COSIGNATURE_ED25519)

    def cosign(self, text: str, at: int) -> NoteSignature:
        """The signature line; `at` is a POSIX time in seconds, not zero. Raises `IntegrityError`."""
        return self.verifier.sign_with(_time(at) + self._key.sign(timed_text(text, at)))


class MlDsa44Cosigner:
    """Cosignatures of type 0x06 over whole checkpoints (FIPS 204, empty context, hedged)."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = MLDSA44PrivateKey.from_seed_bytes(seed)
        self.verifier = VerifierKey(name, self._key.public_key().public_bytes_raw(), COSIGNATURE_ML_DSA_44)

    def cosign(self, text: str, at: int) -> NoteSignature:
        """The signature line; `at` is a POSIX time in seconds, not zero. Raises `IntegrityError`."""
        return self.verifier.sign_with(_time(at) + self._key.sign(subtree(self.verifier.name, text, at)))


def cosigned_at(signature: NoteSignature) -> datetime:
    """When a cosignature was made, by the cosigner's clock (UTC). Raises `IntegrityError` when it has no such time."""
    try:
        return datetime.fromtimestamp(time_of(signature.signature), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise IntegrityError("A cosignature's time is beyond all calendars.", code="bad-signature") from error


def with_signatures(note: Note, more: tuple[NoteSignature, ...]) -> Note:
    """The note with further lines; one that takes the place of an older line of the same key replaces it."""
    replaced = {(one.name, one.key_id) for one in more}
    return Note(note.text, (*(one for one in note.signatures if (one.name, one.key_id) not in replaced), *more))


def _time(at: int) -> bytes:
    if not 0 < at <= MAX_TIME:
        raise IntegrityError("A cosignature needs the present time; set this machine's clock.", code="bad-time")
    return at.to_bytes(8)
