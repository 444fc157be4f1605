"""Vectors of words: most tables are multiplied once with the first weights, and what they say of a word is a sum."""

from __future__ import annotations

from itertools import repeat
from threading import Lock
from typing import Any

import numpy as np

from troth.redact.model.knowledge import UNIT, Knowledge
from troth.redact.model.words import PIECES, Word

Array = np.ndarray[Any, np.dtype[np.float32]]

TILE = 4  # products of whole tiles round every row alike, wherever it stands; those of other heights do not
_BITS, _COUNTS = 16, 8
_TABLES = ("norm", "prefix", "suffix", "shape")
_KEPT = 1 << 14  # words of public knowledge that are kept; when there are more, keeping begins anew
_PAD = (-1,) * PIECES
APART = ""  # stands between two texts of one batch; its vector is zero


class _Kept:
    """What is known of words [_KEPT, width]. Rows are only ever added, so that readers need no lock."""

    def __init__(self, width: int) -> None:
        self.rows: dict[str, int] = {APART: 0}
        self.vectors: Array = np.zeros((_KEPT, width), dtype=np.float32)  # pages that are not used cost nothing


class Lookup:
    """Turns words into vectors [words, width]. Safe between threads.

    Vectors are kept for words of public knowledge alone, never for a word that only a text has.
    """

    def __init__(self, knowledge: Knowledge, arrays: dict[str, Array]) -> None:
        self._reader = knowledge.reader()
        weight, dimensions = arrays["enter.weight"], knowledge.padded.shape[1]
        self._width = weight.shape[1]
        self._pieces, self._whole = knowledge.padded, knowledge.words
        at = 2 * dimensions
        blocks = [weight[at : at + _COUNTS] + arrays["enter.bias"]]
        at += _COUNTS
        bits = (knowledge.sets[:, None] >> np.arange(_BITS) & 1).astype(np.float32)
        for table in (*(arrays[f"{name}.table"] * arrays[f"{name}.scale"] for name in _TABLES), bits):
            blocks.append(table @ weight[at : at + table.shape[1]])
            at += table.shape[1]
        self._sums: Array = np.concatenate(blocks)
        self._offsets = np.cumsum([0, *map(len, blocks[:-1])], dtype=np.intp)
        self._weight: Array = np.concatenate([weight[: 2 * dimensions], weight[at:]])
        self._weight /= UNIT
        self._shares: Array = (1 / np.maximum(np.arange(_COUNTS), 1)).astype(np.float32)[:, None]
        self._kept = _Kept(self._width)
        self._lock = Lock()

    def vectors(self, words: list[str]) -> Array:
        """[words, width]; zero for `APART`."""
        kept = self._kept
        rows = np.fromiter(map(kept.rows.get, words, repeat(-1)), np.intp, len(words))
        x: Array = kept.vectors[rows]
        unknown = (rows < 0).nonzero()[0].tolist()
        if unknown:
            new: dict[str, int] = {}
            at = [new.setdefault(words[i], len(new)) for i in unknown]
            read = [self._reader.read(word) for word in new]
            fresh = self._fresh(read)
            x[unknown] = fresh[at]
            if public := [(word, i) for i, word in enumerate(new) if read[i].public]:
                self._keep(public, fresh)
        return x

    def _keep(self, public: list[tuple[str, int]], fresh: Array) -> None:
        """Remember words of public knowledge and their rows of `fresh`."""
        with self._lock:
            kept = self._kept
            for word, i in public:
                row = len(kept.rows)
                if row == _KEPT:
                    kept, row = _Kept(self._width), 1
                    self._kept = kept
                if word not in kept.rows:
                    kept.vectors[row] = fresh[i]
                    kept.rows[word] = row

    def _fresh(self, read: list[Word]) -> Array:
        """Vectors of words; that of one does not depend on the others."""
        size, sums = len(read), len(self._offsets)
        flat = [row for w in read for row in (len(w[0]), *w[1:7], *w[0], *_PAD[len(w[0]) :])]
        rows = np.array(flat, dtype=np.intp).reshape(size, -1)
        pieces = self._pieces[rows[:, sums + 1 :]]
        dimensions = pieces.shape[2]
        # Whole tiles only: a product of matrices of another height might round the last bit of a word differently.
        v: Array = np.zeros((size + -size % TILE, len(self._weight)), dtype=np.float32)
        np.multiply(pieces.sum(axis=1, dtype=np.float32), self._shares[rows[:, 0]], out=v[:size, :dimensions])
        v[:size, dimensions : 2 * dimensions] = pieces[:, 0]
        if self._whole.shape[1]:
            v[:size, 2 * dimensions :] = self._whole[rows[:, sums]]
        x: Array = (v @ self._weight)[:size]
        x += self._sums[rows[:, :sums] + self._offsets].sum(axis=1)
        np.maximum(x, 0, out=x)
        return x
