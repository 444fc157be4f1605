"""The tagger at run time: a few matrix products over the words of a text. Same text, same spans."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np

from troth.redact.model.knowledge import UNIT, Knowledge
from troth.redact.model.words import PIECES, Reading, Word, WordReader, split

Array = np.ndarray[Any, np.dtype[np.float32]]

_BITS, _COUNTS = 16, 8
BLOCK = 1024  # words that are tagged in one go; what they see beyond is read again, so that blocks change nothing
_KEPT = 1 << 14  # words of public knowledge whose vectors are kept
_TILE = 16
_TABLES = ("norm", "prefix", "suffix", "shape")
_NOTHING = Word((), 0, 0, 0, 0, 0, False)
_PAD = (-1,) * PIECES


class Decoder:
    """Chances of tags become spans, block after block: neighbours of one label are one span unless one begins."""

    def __init__(self, labels: list[str], bias: Array) -> None:
        self._labels, self._bias = labels, bias
        self.found: list[tuple[int, int, str, float]] = []
        self._open = False  # whether the last word of the block before was marked

    def add(self, words: list[tuple[int, int]], chances: Array) -> None:
        """The next block: places of its words, and chances [words, tags]."""
        begins, insides = chances[:, 1::2], chances[:, 2::2]
        labels = begins + insides
        best = (labels * self._bias).argmax(axis=1)
        rows = np.arange(len(best))
        marked = np.flatnonzero(labels[rows, best] * self._bias[best] > chances[:, 0])
        anew = (begins > insides)[marked, best[marked]].tolist()
        scores = labels[marked, best[marked]].tolist()
        found, previous = self.found, -1 if self._open else -2
        for i, k, first, score in zip(marked.tolist(), best[marked].tolist(), anew, scores, strict=True):
            start, end = words[i]
            label = self._labels[k]
            if previous == i - 1 and not first and found[-1][2] == label:
                found[-1] = (found[-1][0], end, label, max(found[-1][3], score))
            else:
                found.append((start, end, label, score))
            previous = i
        self._open = previous == len(words) - 1


class Tagger:
    """Marks names of people, places and organisations, dates, and numbers that name someone. Safe between threads.

    Vectors are kept for words of public knowledge alone, never for a word that only a text has.
    """

    def __init__(self, knowledge: Knowledge, facts: dict[str, Any], arrays: dict[str, Any]) -> None:
        self._reader: WordReader = knowledge.reader()
        self._pieces: Array = np.zeros((len(knowledge.vectors) + 1, knowledge.vectors.shape[1]), dtype=np.float32)
        np.divide(knowledge.vectors, UNIT, out=self._pieces[:-1])  # the last row is for no piece
        self.labels: list[str] = facts["labels"]
        self._reach: list[int] = facts["reach"]
        single = {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}
        self._counts: Array = np.eye(_COUNTS, dtype=np.float32)
        bits = np.arange(1 << len(knowledge.names))[:, None] >> np.arange(_BITS) & 1
        self._tables: list[Array] = [single[f"{name}.table"] * single[f"{name}.scale"] for name in _TABLES]
        self._tables.append(bits.astype(np.float32))
        self._enter, self._enter_bias = single["enter.weight"], single["enter.bias"]
        self._leave, self._leave_bias = single["leave.weight"], single["leave.bias"]
        self._space = single["space"]
        self._layers = [(single[f"layer{i}.weight"], single[f"layer{i}.bias"]) for i in range(len(self._reach))]
        self._margin = sum(self._reach)
        self.bias = np.array([facts.get("bias", {}).get(label, 1.0) for label in self.labels], dtype=np.float32)
        self._kept: Array = np.zeros((_KEPT, self._space.shape[1]), dtype=np.float32)
        self._rows: dict[str, int] = {}
        self._lock = Lock()

    def tag(self, text: str) -> Reading:
        """The words of `text` and its marked spans, in order, none overlapping.

        Never raises on any str; time grows with the length of the text.
        """
        places = split(text)
        words = [text[a:b] for a, b in places]
        decoder = Decoder(self.labels, self.bias)
        for begin in range(0, len(words), BLOCK):
            end = min(begin + BLOCK, len(words))
            decoder.add(places[begin:end], self.chances(places, words, begin, end))
        return Reading(places, words, decoder.found)

    def chances(self, places: list[tuple[int, int]], words: list[str], begin: int, end: int) -> Array:
        """Chances of the tags of words [begin, end), read with the words around them [words, tags]."""
        first, last = max(0, begin - self._margin), min(len(words), end + self._margin)
        return self._chances(places[first:last], words[first:last])[begin - first : end - first]

    def _chances(self, places: list[tuple[int, int]], words: list[str]) -> Array:
        """Chances of the tags [words, tags]."""
        edges = np.array(places, dtype=np.intp)
        spaces = np.zeros(len(words), dtype=np.intp)
        spaces[1:] = edges[1:, 0] > edges[:-1, 1]
        x = self._vectors(words) + self._space[spaces]
        n, width = x.shape
        for reach, (weight, bias) in zip(self._reach, self._layers, strict=True):
            wide = np.zeros((n + 2 * reach, 3, width), dtype=np.float32)
            wide[2 * reach :, 0], wide[reach : n + reach, 1], wide[:n, 2] = x, x, x
            y = wide[reach : n + reach].reshape(n, 3 * width) @ weight
            y += bias
            np.maximum(y, 0, out=y)
            x += y
        scores = x @ self._leave + self._leave_bias
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return np.asarray(scores, dtype=np.float32)

    def _vectors(self, words: list[str]) -> Array:
        """[words, width]."""
        get = self._rows.get
        rows = np.array([get(word, -1) for word in words], dtype=np.intp)
        x: Array = self._kept[rows]
        unknown = np.flatnonzero(rows < 0)
        if len(unknown):
            new = {word: i for i, word in enumerate(dict.fromkeys(words[i] for i in unknown.tolist()))}
            read = [self._reader.read(word) for word in new]
            fresh = self._fresh(read)
            x[unknown] = fresh[[new[words[i]] for i in unknown.tolist()]]
            if public := [(word, i) for word, i in new.items() if read[i].public]:
                self._keep(public, fresh)
        return x

    def _keep(self, public: list[tuple[str, int]], fresh: Array) -> None:
        """Remember words of public knowledge and their rows of `fresh`."""
        with self._lock:
            for word, i in public:
                row = len(self._rows)
                if row < len(self._kept) and word not in self._rows:
                    self._kept[row] = fresh[i]
                    self._rows[word] = row

    def _fresh(self, read: list[Word]) -> Array:
        """Vectors of words [words, width]."""
        size = len(read)
        # Whole tiles only: a product of matrices of another height might round the last bit of a word differently.
        read = read + [_NOTHING] * (-size % _TILE)
        rows = np.array([(*w.pieces, *_PAD[len(w.pieces) :], len(w.pieces), *w[1:6]) for w in read], dtype=np.intp)
        pieces, counts = self._pieces[rows[:, :PIECES]], rows[:, PIECES]
        mean = pieces.sum(axis=1)
        mean /= np.maximum(counts, 1)[:, None]
        blocks = [mean, pieces[:, 0], self._counts[counts]]
        blocks += [table[rows[:, PIECES + 1 + i]] for i, table in enumerate(self._tables)]
        x: Array = (np.concatenate(blocks, axis=1) @ self._enter)[:size]
        x += self._enter_bias
        np.maximum(x, 0, out=x)
        return x
