"""The tagger at run time: a few matrix products over the words of texts. Same text, same spans, whatever it is read
with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from troth.redact.model.cut import Cut, Places, cut
from troth.redact.model.knowledge import Knowledge
from troth.redact.model.lookup import APART, TILE, Array, Lookup
from troth.redact.model.steady import steady

BLOCK = 512  # words that are tagged in one go; what they see beyond is read again, so that blocks change nothing
SECTION = 32 * BLOCK  # words of a text in which one word is read alike
_COLUMNS = 16  # scores are products of so many columns or a multiple; the last ones are for no tag


class Piece(NamedTuple):
    """The words [begin, end) of a text, to be read with what stands around them."""

    cut: Cut
    begin: int
    end: int


class Reading(NamedTuple):
    """A tagged text: its words, and (start, end, label, score) of the marked spans."""

    cut: Cut
    spans: list[tuple[int, int, str, float]]


class Decoder:
    """Chances of tags become spans, block after block: neighbours of one label are one span unless one begins."""

    def __init__(self, words: Cut, labels: list[str], bias: Array) -> None:
        self._words, self._labels, self._bias = words, labels, bias
        most = float(bias.max())
        self._least = most / (1 + most) * 1.0001  # a word that is none with this chance has no label that outweighs it
        self._found: list[tuple[int, int, str, float]] = []
        self._at, self._size = 0, 0
        self._waiting: list[Array] = []
        self._previous = -2  # the last word that was marked

    def add(self, chances: Array) -> None:
        """The next block: chances [words, tags]."""
        self._waiting.append(chances)
        self._size += len(chances)
        if self._size >= SECTION:
            self._section()

    def close(self) -> list[tuple[int, int, str, float]]:
        """Every span, when all blocks were added."""
        if self._waiting:
            self._section()
        return self._found

    def _section(self) -> None:
        """Words of one section are read alike; a text of many is read in bounded memory."""
        chances = np.concatenate(self._waiting) if len(self._waiting) > 1 else self._waiting[0]
        at, self._at = self._at, self._at + len(chances)
        self._waiting, self._size = [], 0
        self._mark(steady(self._words.words[at : self._at], chances), at)

    def _mark(self, chances: Array, at: int) -> None:
        near = (chances[:, 0] <= self._least).nonzero()[0]
        if not len(near):
            return
        chances = chances[near]
        labels = chances[:, 1:].reshape(len(near), -1, 2)  # of each the chance that it begins, and that it goes on
        weighed = labels.sum(axis=2) * self._bias
        best = weighed.argmax(axis=1)
        marked = (weighed.max(axis=1) > chances[:, 0]).nonzero()[0]
        if len(marked):
            best = best[marked]
            self._join(near[marked] + at, best.tolist(), labels[marked, best].tolist())

    def _join(self, words: Places, best: list[int], chances: list[list[float]]) -> None:
        found, previous = self._found, self._previous
        starts, ends = self._words.starts[words].tolist(), self._words.ends[words].tolist()
        for i, start, end, k, (begins, inside) in zip(words.tolist(), starts, ends, best, chances, strict=True):
            label, score = self._labels[k], begins + inside
            if previous == i - 1 and begins <= inside and found[-1][2] == label:
                found[-1] = (found[-1][0], end, label, max(found[-1][3], score))
            else:
                found.append((start, end, label, score))
            previous = i
        self._previous = previous


class Tagger:
    """Marks names of people, places and organisations, dates, and numbers that name someone. Safe between threads."""

    def __init__(self, knowledge: Knowledge, facts: dict[str, Any], arrays: dict[str, Any]) -> None:
        self.labels: list[str] = facts["labels"]
        self.bias = np.array([facts.get("bias", {}).get(label, 1.0) for label in self.labels], dtype=np.float32)
        single: dict[str, Array] = {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}
        self._reach: list[int] = facts["reach"]
        self._weights = [_beside(single[f"layer{i}.weight"]) for i in range(len(self._reach))]
        self._biases = [single[f"layer{i}.bias"] for i in range(len(self._reach))]
        self._lookup = Lookup(knowledge, single)
        self._space = single["space"]
        self._tags = 1 + 2 * len(self.labels)
        leave, bias = single["leave.weight"], single["leave.bias"]
        self._leave: Array = np.pad(leave, ((0, 0), (0, -len(bias) % _COLUMNS)))
        self._leave_bias: Array = np.pad(bias, (0, -len(bias) % _COLUMNS), constant_values=-np.inf)
        self._margin = sum(self._reach)
        self._gap = max(self._reach)

    def tag(self, text: str) -> Reading:
        """The words of `text` and its marked spans, in order, none overlapping.

        Never raises on any str; time grows with the length of the text.
        """
        return self.tag_many([text])[0]

    def tag_many(self, texts: Sequence[str]) -> list[Reading]:
        """As `tag`, of each; short texts share the matrices."""
        cuts = [cut(text) for text in texts]
        decoders = [Decoder(words, self.labels, self.bias) for words in cuts]
        pieces = [(piece, decoder) for words, decoder in zip(cuts, decoders, strict=True) for piece in blocks(words)]
        for chances, (_, decoder) in zip(self.chances(piece for piece, _ in pieces), pieces, strict=True):
            decoder.add(chances)
        return [Reading(words, decoder.close()) for words, decoder in zip(cuts, decoders, strict=True)]

    def chances(self, pieces: Iterable[Piece]) -> Iterator[Array]:
        """Chances of the tags of the words of each piece [words, tags]."""
        batch: list[Piece] = []
        size = 0
        for piece in pieces:
            if batch and size + len(piece.cut) > BLOCK:
                yield from self._batch(batch)
                batch, size = [], 0
            batch.append(piece)
            size += min(len(piece.cut), piece.end - piece.begin + 2 * self._margin) + self._gap
        if batch:
            yield from self._batch(batch)

    def _batch(self, batch: list[Piece]) -> list[Array]:
        gap, words, between = [APART] * self._gap, list[str](), list[int]()
        spaced, places = [], []
        for piece in batch:
            first, last = max(0, piece.begin - self._margin), min(len(piece.cut), piece.end + self._margin)
            if words:
                between.extend(range(len(words), len(words) + self._gap))
                words += gap
                spaced.append(np.zeros(self._gap, dtype=np.intp))
            places.append((len(words) + piece.begin - first, len(words) + piece.end - first))
            words += piece.cut.words[first:last]
            spaced.append(piece.cut.spaced[first:last])
        chances = self._chances(words, np.concatenate(spaced) if len(spaced) > 1 else spaced[0], between)
        return [chances[begin:end] for begin, end in places]

    def _chances(self, words: list[str], spaced: Places, between: list[int]) -> Array:
        """[words, tags]; `between`: rows that are no words of a text."""
        n, width = len(words), len(self._weights[0])
        x: Array = np.zeros((n + -n % TILE, width), dtype=np.float32)  # the last rows are for no word
        core = x[:n]
        np.add(self._lookup.vectors(words), self._space[spaced], out=core)
        for reach, weight, bias in zip(self._reach, self._weights, self._biases, strict=True):
            if between:
                x[between] = 0
            z = (x @ weight)[:n]
            y = z[:, width : 2 * width] + bias
            behind, before = y[reach:], y[:-reach]
            behind += z[:-reach, :width]
            before += z[reach:, 2 * width :]
            core += np.maximum(y, 0, out=y)
        scores = x @ self._leave
        scores += self._leave_bias
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return np.asarray(scores[:n, : self._tags])


def _beside(weight: Array) -> Array:
    """[width, 3 * width] of [3 * width, width]: what a word gives to the one behind it, to itself, to the one before.

    Multiplied first and shifted then, a word's products do not depend on where it stands.
    """
    return np.ascontiguousarray(np.concatenate(np.split(weight, 3), axis=1))


def blocks(words: Cut) -> Iterator[Piece]:
    """The whole text in pieces of at most `BLOCK` words."""
    for begin in range(0, len(words), BLOCK):
        yield Piece(words, begin, min(begin + BLOCK, len(words)))
