"""A small network over words that says of each category how likely a text belongs to it. Needs numpy.

A word is three vectors: of its pieces and of itself (`redact.model.knowledge`, which redaction has in memory anyhow),
and one that was learnt by its CRC-32. Two convolutions over three words each (the second dilated), the highest and the
mean of each channel over a passage, a hidden layer (Collobert et al. 2011; Kim 2014). The scores were scaled on lines
of sentences that training did not see (Platt 1999). Figures: docs/reference/moderation.md.
"""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from troth.gateway.moderation.legible import passages
from troth.kernel.errors import Unavailable
from troth.redact.model.weights import parse
from troth.redact.tiers import knowledge

if TYPE_CHECKING:
    import numpy as np

    from troth.redact.model.knowledge import Knowledge

    Array = np.ndarray[Any, Any]

# SHA-256 of the unpacked weights; training/moderation writes it.
DIGEST = "17a3de0b16e87f6921f933d2675b56183624d725c03c2708cb9627d0fd96dafe"
GAP = 4  # empty words between passages that are read in one go: the reach of both convolutions
KEPT = 4096  # words of which products are kept, at most: 3 MB
_AT_ONCE = 64  # passages that are read in one go
_SUREST = 6.9  # a score of 0.999: 1 is said of listed phrases alone
_LOCK = threading.Lock()


class Words:
    """Words as numbers. Keeps nothing of any word."""

    def __init__(self, known: Knowledge, buckets: int) -> None:
        self._reader, self._buckets = known.reader(), buckets
        self.vocabulary = known.pieces
        self._nothing = len(known.pieces)  # a row of zeros behind the others

    def public(self, word: str) -> bool:
        """Whether it is of the published vocabulary, so that keeping it tells nothing of anybody. The sets of common
        words are checksums, which any word of any length may share: they do not say."""
        return word in self.vocabulary

    def read(self, word: str) -> tuple[tuple[int, ...], int, int]:
        """(rows of pieces, at least one; row of the word; bucket)."""
        seen = self._reader.read(word)
        return seen.pieces or (self._nothing,), seen.vector, zlib.crc32(word.encode()) % self._buckets


class Table:
    """What the first convolution makes of each word, which is the same wherever the word stands: three products, as it
    comes before, at and behind a place. Those of up to `KEPT` public words are kept once they were made, never those of
    others: they may be names. Safe to share between threads."""

    def __init__(self, known: Knowledge, buckets: Array, weights: Array) -> None:
        """`buckets`: the learnt vectors; `weights`: 3 x inputs x outputs."""
        self._np: Any = import_module("numpy")
        np = self._np
        self.words = Words(known, len(buckets))
        self._pieces = known.padded
        self._whole, self._buckets = known.words, buckets
        self._weights = np.ascontiguousarray(np.concatenate(list(weights), axis=1))
        # Row 0 is the empty word. The system gives memory to rows as they are written.
        self._made = np.zeros((KEPT, self._weights.shape[1]), np.float32)
        self._rows: dict[str, int] = {}
        self._growing = threading.Lock()

    def products(self, words: Sequence[str], places: Array, length: int) -> Array:
        """length x three products: of each word at its place, zeros elsewhere."""
        np = self._np
        at = np.zeros(length, np.intp)
        found = list(map(self._rows.get, words))
        new = {word: 0 for word, row in zip(words, found, strict=True) if row is None}
        if not new:
            at[places] = found
            return self._made[at]  # type: ignore[no-any-return]
        unkept = self._learn(list(new))
        at[places] = [self._rows.get(word, 0) for word in words]
        result: Array = self._made[at]
        for place, word in zip(places.tolist(), words, strict=True):
            if word in unkept:
                result[place] = unkept[word]
        return result

    def _learn(self, words: list[str]) -> dict[str, Array]:
        """Keep the products of words. Gives those of the words that are not kept."""
        made = self._make(words)
        unkept = {}
        with self._growing:
            for word, row in zip(words, made, strict=True):
                to = self._rows.get(word, len(self._rows) + 1)
                if to < KEPT and self.words.public(word):
                    self._made[to] = row  # before others can find it
                    self._rows[word] = to
                else:
                    unkept[word] = row
        return unkept

    def _make(self, words: Sequence[str]) -> Array:
        np = self._np
        seen = [self.words.read(word) for word in words]
        counts = np.array([len(pieces) for pieces, _, _ in seen])
        flat = np.array([row for pieces, _, _ in seen for row in pieces])
        sums = np.add.reduceat(self._pieces[flat].astype(np.float32), np.cumsum(counts) - counts, axis=0)
        whole = self._whole[np.array([row for _, row, _ in seen])].astype(np.float32)
        learnt = self._buckets[np.array([bucket for _, _, bucket in seen])]
        made: Array = np.hstack([sums / (32 * counts[:, None]), whole / 32, learnt]) @ self._weights
        return made


class TextClassifier:
    """The network with its weights. Safe to share between threads; holds no text."""

    def __init__(self, known: Knowledge, facts: dict[str, Any], arrays: dict[str, Array]) -> None:
        self._np: Any = import_module("numpy")
        np = self._np
        self.order: tuple[str, ...] = tuple(facts["order"])
        scale = facts["scale"]
        layer = {name: one * np.float32(scale[name]) if name in scale else one for name, one in arrays.items()}
        self._table = Table(known, layer.pop("buckets"), layer.pop("first"))
        layer["second"] = np.ascontiguousarray(np.concatenate(list(layer["second"]), axis=1))
        self._layer = layer

    def scores(self, text: str) -> dict[str, float]:
        """The highest score of any passage, 0 to 1, by category. Linear in the length of the text."""
        read = passages(text, self._table.words.vocabulary)
        if not read:
            return dict.fromkeys(self.order, 0.0)
        logits = [self._logits(read[at : at + _AT_ONCE]).max(0) for at in range(0, len(read), _AT_ONCE)]
        highest = self._np.max(logits, axis=0) * self._layer["slope"] + self._layer["shift"]
        scores = 1 / (1 + self._np.exp(-self._np.clip(highest, -_SUREST, _SUREST)))
        return dict(zip(self.order, scores.tolist(), strict=True))

    def _logits(self, read: Sequence[Sequence[str]]) -> Array:
        """Passages x categories, before scaling."""
        np, layer = self._np, self._layer
        lengths = np.array([len(passage) for passage in read])
        starts = np.cumsum(lengths + GAP) - lengths  # a gap before each passage, and one behind the last
        words = [word for passage in read for word in passage]
        places = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(len(words))
        size = int(starts[-1] + lengths[-1]) + GAP
        real = np.zeros((size, 1), np.float32)
        real[places] = 1
        first = np.maximum(_gathered(self._table.products(words, places, size), 1) + layer["first_bias"], 0) * real
        second = (np.maximum(_gathered(first @ layer["second"], 2) + layer["second_bias"], 0) + first) * real
        edges = np.ravel(np.column_stack([starts, starts + lengths]))  # each passage, then the gap behind it
        highest = np.maximum.reduceat(second, edges, axis=0)[::2]
        mean = np.add.reduceat(second, edges, axis=0)[::2] / lengths[:, None]
        hidden = np.maximum(np.hstack([highest, mean]) @ layer["hidden"] + layer["hidden_bias"], 0)
        result: Array = hidden @ layer["out"] + layer["out_bias"]
        return result


def _gathered(products: Array, reach: int) -> Array:
    """A convolution: for each place the product of the word `reach` before it, of its own and of the one behind it."""
    width = products.shape[1] // 3
    out: Array = products[:, width : 2 * width].copy()
    out[reach:] += products[:-reach, :width]
    out[:-reach] += products[reach:, 2 * width :]
    return out


def classifier() -> TextClassifier:
    """The shipped network, loaded once for the process at the first text.

    Raises `Unavailable` (extra-missing without numpy; model-weights when the file is not the shipped one).
    """
    with _LOCK:
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> TextClassifier:
    try:
        packed = files("troth.gateway.moderation").joinpath("weights", "text.bin.gz").read_bytes()
        facts, arrays = parse(gzip.decompress(packed), DIGEST)
        return TextClassifier(knowledge(), facts, arrays)
    except ImportError as error:
        raise Unavailable("Moderation of text needs: pip install 'troth[server]'.", code="extra-missing") from error
    except (OSError, EOFError, zlib.error) as error:
        raise Unavailable(
            "The weights of moderation are missing; install the package again.", code="model-weights"
        ) from error
