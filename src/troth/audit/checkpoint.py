"""C2SP tlog-checkpoint: the text that a log signs, three lines of origin, size and root. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from troth.audit.note import Note, VerifierKey, open_note
from troth.audit.signature_kinds import checkpoint_lines
from troth.kernel.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's promise: the first `size` entries have the tree hash `root` (32 bytes, RFC 6962)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text. Raises `IntegrityError`; extension lines are refused, as no auditor sees them."""
        if text.count("\n") != 3:
            raise IntegrityError("A checkpoint has three lines: origin, size, root.", code="bad-checkpoint")
        return cls(*checkpoint_lines(text))


def signed(checkpoint: Checkpoint, key: VerifierKey, signature: bytes) -> bytes:
    """The signed note of a checkpoint."""
    return Note(checkpoint.text(), (key.sign_with(signature),)).encode()


def open_checkpoint(content: bytes, key: VerifierKey) -> Checkpoint:
    """A checkpoint signed by `key`, whose name is the log's origin. Raises `IntegrityError`."""
    checkpoint = Checkpoint.parse(open_note(content, [key]).text)
    if checkpoint.origin != key.name:
        raise IntegrityError("The checkpoint is of another log than the key.", code="wrong-log")
    return checkpoint
