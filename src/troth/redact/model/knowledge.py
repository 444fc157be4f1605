"""What the tagger knows of words before it reads: vectors of word pieces, and lists of names and places."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from troth.redact.model.weights import parse
from troth.redact.model.words import WordReader

if TYPE_CHECKING:
    import numpy as np

UNIT = 32  # one standard deviation of a vector, as a byte


class Rows(Mapping[int, int]):
    """CRC-32 to row, as two sorted arrays: six bytes an entry, where a dict of that many numbers takes a hundred."""

    def __init__(self, keys: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> None:
        order = keys.argsort(kind="stable")
        self._keys = array("I", keys[order].astype("uint32").tobytes())
        self._rows = array("H", rows[order].astype("uint16").tobytes())

    def get(self, key: int, default: Any = None) -> Any:
        """The row of `key`; `default` when it has none."""
        at = bisect_left(self._keys, key)
        return self._rows[at] if at < len(self._keys) and self._keys[at] == key else default

    def __getitem__(self, key: int) -> int:
        row: int | None = self.get(key)
        if row is None:
            raise KeyError(key)
        return row

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


@dataclass(frozen=True)
class Knowledge:
    """Pieces with their vectors [pieces, dimensions] (int8, in units of 1/32), and the lists in which a word stands,
    by its CRC-32: a row of `sets`, which has one bit for each of `names` (row 0: none); `common`: words that everybody
    uses. `rows`: the CRC-32 of a whole word to its row of `words` [rows, dimensions] (int8, in the same units; row 0 is
    zero)."""

    pieces: list[str]
    vectors: np.ndarray[Any, Any]
    lists: Mapping[int, int]
    names: list[str]
    sets: np.ndarray[Any, Any]
    common: frozenset[int]
    rows: Mapping[int, int]
    words: np.ndarray[Any, Any]

    @classmethod
    def parse(cls, content: bytes, digest: str) -> Knowledge:
        """From the shipped file. Raises Unavailable (`model-weights`) when its SHA-256 is not `digest`."""
        import numpy as np  # noqa: PLC0415  an extra; the core does without

        facts, arrays = parse(content, digest)
        sets, rows_of = np.unique(np.append(arrays["bits"], np.uint16(0)), return_inverse=True)
        lists = Rows(arrays["keys"], rows_of[:-1])
        pieces = arrays["pieces"].tobytes().decode().split("\n")
        rows = Rows(arrays["word_keys"], arrays["word_rows"])
        common = frozenset(arrays["common"].tolist())
        return cls(pieces, arrays["vectors"], lists, facts["lists"], sets, common, rows, arrays["word_vectors"])

    def reader(self) -> WordReader:
        """Reads words against this knowledge."""
        vocabulary = {piece: row for row, piece in enumerate(self.pieces)}
        return WordReader(vocabulary, self.lists, self.common, self.rows)
