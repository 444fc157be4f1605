"""What the tagger knows of words before it reads: vectors of word pieces, and lists of names and places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from troth.redact.model.weights import parse
from troth.redact.model.words import WordReader

if TYPE_CHECKING:
    import numpy as np

UNIT = 32  # one standard deviation of a vector, as a byte


@dataclass(frozen=True)
class Knowledge:
    """Pieces with their vectors [pieces, dimensions] (int8, in units of 1/32), and lists by the CRC-32 of a
    word: one bit for each of `names`; `common`: words that everybody uses."""

    pieces: list[str]
    vectors: np.ndarray[Any, Any]
    lists: dict[int, int]
    names: list[str]
    common: frozenset[int]

    @classmethod
    def parse(cls, content: bytes, digest: str) -> Knowledge:
        """From the shipped file. Raises Unavailable (`model-weights`) when its SHA-256 is not `digest`."""
        facts, arrays = parse(content, digest)
        lists = dict(zip(arrays["keys"].tolist(), arrays["bits"].tolist(), strict=True))
        pieces = arrays["pieces"].tobytes().decode().split("\n")
        return cls(pieces, arrays["vectors"], lists, facts["lists"], frozenset(arrays["common"].tolist()))

    def reader(self) -> WordReader:
        """Reads words against this knowledge."""
        return WordReader({piece: row for row, piece in enumerate(self.pieces)}, self.lists, self.common)
