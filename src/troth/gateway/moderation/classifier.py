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
_AT_ONCE = 64  # passages that are read in one go
_SUREST = 6.9  # a score of 0.999: 1 is said of listed phrases alone
_LOCK = threading.Lock()


class Words:
    """Words as numbers. Keeps what it read of words of the vocabulary only, never of others: those may be names."""

    def __init__(self, known: Knowledge, buckets: int) -> None:
        self._reader, self._buckets = known.reader(), buckets
        self.vocabulary = frozenset(known.pieces)
        self._read: dict[str, tuple[tuple[int, ...], int, int]] = {}
        self._nothing = len(known.pieces)  # a row of zeros behind the others

    def read(self, word: str) -> tuple[tuple[int, ...], int, int]:
        """(rows of pieces, at least one; row of the word; bucket)."""
        kept = self._read.get(word)
        if kept is None:
            seen = self._reader.read(word)
            kept = (seen.pieces or (self._nothing,), seen.vector, zlib.crc32(word.encode()) % self._buckets)
            if word in self.vocabulary:
                self._read[word] = kept
        return kept


class TextClassifier:
    """The network with its weights. Safe to share between threads; holds no text."""

    def __init__(self, known: Knowledge, facts: dict[str, Any], arrays: dict[str, Array]) -> None:
        self._np: Any = import_module("numpy")
        np = self._np
        self.order: tuple[str, ...] = tuple(facts["order"])
        self._words = Words(known, len(arrays["buckets"]))
        self._pieces = np.vstack([known.vectors, np.zeros((1, known.vectors.shape[1]), np.int8)])
        self._whole = known.words
        scale = facts["scale"]
        self._layer = {name: one * np.float32(scale[name]) if name in scale else one for name, one in arrays.items()}

    def scores(self, text: str) -> dict[str, float]:
        """The highest score of any passage, 0 to 1, by category. Linear in the length of the text."""
        read = passages(text, self._words.vocabulary)
        if not read:
            return dict.fromkeys(self.order, 0.0)
        logits = [self._logits(read[at : at + _AT_ONCE]).max(0) for at in range(0, len(read), _AT_ONCE)]
        highest = self._np.max(logits, axis=0) * self._layer["slope"] + self._layer["shift"]
        scores = 1 / (1 + self._np.exp(-self._np.clip(highest, -_SUREST, _SUREST)))
        return dict(zip(self.order, scores.tolist(), strict=True))

    def _logits(self, read: Sequence[Sequence[str]]) -> Array:
        """Passages x categories, before scaling."""
        np, layer = self._np, self._layer
        inputs, starts, lengths = self._inputs(read)
        real = inputs.any(axis=1, keepdims=True)
        first = np.maximum(_convolved(inputs, layer["first"], 1) + layer["first_bias"], 0) * real
        second = (np.maximum(_convolved(first, layer["second"], 2) + layer["second_bias"], 0) + first) * real
        edges = np.ravel(np.column_stack([starts, starts + lengths]))  # each passage, then the gap behind it
        highest = np.maximum.reduceat(second, edges, axis=0)[::2]
        mean = np.add.reduceat(second, edges, axis=0)[::2] / lengths[:, None]
        hidden = np.maximum(np.hstack([highest, mean]) @ layer["hidden"] + layer["hidden_bias"], 0)
        result: Array = hidden @ layer["out"] + layer["out_bias"]
        return result

    def _inputs(self, read: Sequence[Sequence[str]]) -> tuple[Array, Array, Array]:
        """(words x dimensions with gaps of zeros, where passages begin, how long they are)."""
        np = self._np
        seen = [self._words.read(word) for passage in read for word in passage]
        lengths = np.array([len(passage) for passage in read])
        starts = np.cumsum(lengths + GAP) - lengths
        places = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(len(seen))
        counts = np.array([len(pieces) for pieces, _, _ in seen])
        flat = np.array([row for pieces, _, _ in seen for row in pieces])
        sums = np.add.reduceat(self._pieces[flat].astype(np.float32), np.cumsum(counts) - counts, axis=0)
        whole = self._whole[np.array([row for _, row, _ in seen])].astype(np.float32)
        learnt = self._layer["buckets"][np.array([bucket for _, _, bucket in seen])]
        both = np.hstack([sums / (32 * counts[:, None]), whole / 32, learnt])
        inputs = np.zeros((int(starts[-1] + lengths[-1]) + GAP, both.shape[1]), np.float32)
        inputs[places] = both
        return inputs, starts, lengths


def _convolved(rows: Array, weights: Array, reach: int) -> Array:
    """Each row with the ones `reach` before and behind it. `weights`: 3 x inputs x outputs."""
    out = rows @ weights[1]
    out[reach:] += rows[:-reach] @ weights[0]
    out[:-reach] += rows[reach:] @ weights[2]
    result: Array = out
    return result


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
