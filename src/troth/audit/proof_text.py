"""C2SP tlog-proof: one text that proves offline that an entry stands in a log. Pure; extension `.tlog-proof`.

A joint proof is two of them in one file, an empty line between: of the entry in its tenant's log, then of that log's
checkpoint in the meta log. Without the second it is a plain `.tlog-proof`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from troth.audit.note import MAX_NOTE_BYTES
from troth.audit.signature_kinds import decode_base64
from troth.kernel.errors import IntegrityError

HEADER = "c2sp.org/tlog-proof@v1"
MEDIA_TYPE = "text/plain; charset=utf-8"
MAX_HASHES = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})\Z", re.ASCII)
# No checkpoint looks like this: its second line is a size, which is digits only.
_SECOND = re.compile(rf"\n\n(?={re.escape(HEADER)}\n(?:index|extra) )")


@dataclass(frozen=True, slots=True)
class ProofText:
    """Index, audit path (sibling first), signed checkpoint; `extra` is not authenticated by anything."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(one).decode() for one in self.path]
        return "\n".join(lines) + "\n\n" + self.checkpoint.decode()

    @classmethod
    def parse(cls, text: str) -> ProofText:
        """Read a proof, unchecked. Raises `IntegrityError` when it is not one."""
        if len(text) > 2 * MAX_NOTE_BYTES:
            raise _bad("The proof is too long.")
        head, separator, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not separator or lines.pop(0) != HEADER:
            raise _bad(f"A proof begins with {HEADER} and holds a checkpoint after an empty line.")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0).removeprefix("extra "), "bad-proof")
        index = _INDEX.match(lines.pop(0)) if lines else None
        if index is None or len(lines) > MAX_HASHES:
            raise _bad("A proof names its index and holds at most 63 hashes.")
        path = tuple(decode_base64(line, "bad-proof") for line in lines)
        if any(len(one) != 32 for one in path):
            raise _bad("A proof's hashes have 32 bytes each.")
        return cls(int(index[1]), path, checkpoint.encode(), extra)


@dataclass(frozen=True, slots=True)
class JointProof:
    """The proof of an entry in its log and, where there is one, the proof of that log's checkpoint in the meta log."""

    entry: ProofText
    meta: ProofText | None = None

    def __str__(self) -> str:
        return str(self.entry) if self.meta is None else f"{self.entry}\n{self.meta}"

    @classmethod
    def parse(cls, text: str) -> JointProof:
        """Read a joint proof or a plain one, unchecked. Raises `IntegrityError` when it is neither."""
        if len(text) > 4 * MAX_NOTE_BYTES:
            raise _bad("The proof is too long.")
        first, *more = _SECOND.split(text)
        if len(more) > 1:
            raise _bad("A proof file holds one proof, or two: of an entry, and of its checkpoint in the meta log.")
        if not more:
            return cls(ProofText.parse(text))
        return cls(ProofText.parse(first + "\n"), ProofText.parse(more[0]))


def _bad(advice: str) -> IntegrityError:
    return IntegrityError(advice, code="bad-proof")
