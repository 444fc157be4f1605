"""What the tagger knows of words before it reads: vectors of word pieces, and lists of names and places."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
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


class Keys(Container[int]):
    """A set of CRC-32 as a sorted array: four bytes an entry, where a set of that many numbers takes ninety."""

    def __init__(self, keys: np.ndarray[Any, Any]) -> None:
        self._keys = array("I", sorted(keys.tolist()))

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, int):
            return False
        at = bisect_left(self._keys, key)
        return at < len(self._keys) and self._keys[at] == key


@dataclass(frozen=True)
class Knowledge:
    """Pieces, each with its row of `padded` [pieces + 1, dimensions] (int8, in units of 1/32; the last row, which is
    for no piece, is zero), and the lists in which a word stands, by its CRC-32: a row of `sets`, which has one bit for
    each of `names` (row 0: none); `common`: words that everybody uses. `rows`: the CRC-32 of a whole word to its row of
    `words` [rows, dimensions] (int8, in the same units; row 0 is zero)."""

    pieces: Mapping[str, int]
    padded: np.ndarray[Any, Any]
    lists: Mapping[int, int]
    names: list[str]
    sets: np.ndarray[Any, Any]
    common: Container[int]
    rows: Mapping[int, int]
    words: np.ndarray[Any, Any]

    @classmethod
    def parse(cls, content: bytes, digest: str) -> Knowledge:
        """From the shipped file. Raises Unavailable (`model-weights`) when its SHA-256 is not `digest`."""
        import numpy as np  # noqa: PLC0415  an extra; the core does without

        facts, arrays = parse(content, digest)
        sets, rows_of = np.unique(np.append(arrays["bits"], np.uint16(0)), return_inverse=True)
        lists = Rows(arrays["keys"], rows_of[:-1])
        pieces = {piece: row for row, piece in enumerate(arrays["pieces"].tobytes().decode().split("\n"))}
        # Copies, not views, which would keep the whole file.
        padded, words = np.pad(arrays["vectors"], ((0, 1), (0, 0))), arrays["word_vectors"].copy()
        rows = Rows(arrays["word_keys"], arrays["word_rows"])
        return cls(pieces, padded, lists, facts["lists"], sets, Keys(arrays["common"]), rows, words)

    @property
    def vectors(self) -> np.ndarray[Any, Any]:
        """Those of the pieces [pieces, dimensions]; a view."""
        return self.padded[:-1]

    def reader(self) -> WordReader:
        """Reads words against this knowledge. The same one each time, safe between threads."""
        return self._reader

    @cached_property
    def _reader(self) -> WordReader:
        return WordReader(self.pieces, self.lists, self.common, self.rows)
