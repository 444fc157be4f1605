"""From labelled text to rows of numbers: words, tags that are allowed, noise, and names put in the place of names."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from training import people
from training.sets import Document
from troth.redact.model.words import PIECES, WordReader, split

# Tags: O, then B- and I- of each label. ADDRESS and LOCATION are one.
LABELS = (
    "PERSON",
    "LOCATION",
    "ORG",
    "DATE",
    "ID",
    "PHONE",
    "EMAIL",
    "URL",
    "USERNAME",
    "SECRET",
    "CREDIT_CARD",
    "IBAN",
    "IP",
)
TAGS = 1 + 2 * len(LABELS)
_GROUP = {"ADDRESS": "LOCATION"}


@dataclass
class Vocabulary:
    """Every word seen so far and its features; a text becomes rows of it."""

    reader: WordReader
    sets: Sequence[int]  # bits of the lists, by `Word.lists`
    rows: dict[str, int] = field(default_factory=dict)
    features: list[tuple[int, ...]] = field(default_factory=list)

    def row(self, word: str) -> int:
        """The row of a word; read when it is new."""
        found = self.rows.get(word)
        if found is None:
            w = self.reader.read(word)
            pieces = [p + 1 for p in w.pieces] + [0] * (PIECES - len(w.pieces))
            found = self.rows[word] = len(self.features)
            self.features.append(
                (*pieces, len(w.pieces), w.norm, w.prefix, w.suffix, w.shape, self.sets[w.lists], w.vector)
            )
        return found


@dataclass
class Allowed:
    """Sets of allowed tags, each once. The loss asks for any of them."""

    sets: dict[frozenset[int], int] = field(default_factory=dict)

    def row(self, tags: frozenset[int]) -> int:
        """The number of a set."""
        return self.sets.setdefault(tags, len(self.sets))

    def table(self) -> np.ndarray:
        """0 for allowed, a large negative number for the others; [sets, TAGS]."""
        table = np.full((len(self.sets), TAGS), -1e4, dtype=np.float32)
        for tags, row in self.sets.items():
            table[row, sorted(tags)] = 0.0
        return table


def _tags(label: str) -> tuple[int, int] | None:
    label = _GROUP.get(label, label)
    return (1 + 2 * LABELS.index(label), 2 + 2 * LABELS.index(label)) if label in LABELS else None


def outside(scope: frozenset[str]) -> frozenset[int]:
    """What a word beyond all spans may be: O, or a label that its set does not annotate."""
    groups = {_GROUP.get(label, label) for label in scope}
    return frozenset({0} | {t for label in LABELS if label not in groups for t in (_tags(label) or ())})


def encode(document: Document, vocabulary: Vocabulary, allowed: Allowed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(word rows, 1 where white space stands before a word, rows of allowed sets)."""
    words = split(document.text)
    starts = np.array([a for a, _ in words], dtype=np.int64)
    ends = np.array([b for _, b in words], dtype=np.int64)
    rows = np.array([vocabulary.row(document.text[a:b]) for a, b in words], dtype=np.int32)
    spaces = np.zeros(len(words), dtype=np.int8)
    if len(words):
        spaces[1:] = starts[1:] > ends[:-1]
    target = np.full(len(words), allowed.row(outside(document.scope)), dtype=np.int32)
    for start, end, label, must in document.spans:
        inside = (
            np.flatnonzero((starts < end) & (ends > start)) if len(words) < 400 else _between(starts, ends, start, end)
        )
        tags = _tags(label)
        for place, index in enumerate(inside.tolist()):
            if must and tags:
                target[index] = allowed.row(frozenset({tags[0] if place == 0 else tags[1]}))
            else:
                target[index] = allowed.row(frozenset(range(TAGS)) if not tags else frozenset({0, *tags}))
    return rows, spaces, target


def _between(starts: np.ndarray, ends: np.ndarray, start: int, end: int) -> np.ndarray:
    return np.arange(np.searchsorted(ends, start, "right"), np.searchsorted(starts, end, "left"))


def rewritten(document: Document, r: random.Random, change: float) -> Document:
    """The document with some names of people and places replaced by others of the same shape."""
    if not document.spans or r.random() > change:
        return document
    parts: list[str] = []
    spans, at, size = [], 0, 0
    for start, end, label, must in sorted(document.spans):
        if start < at:
            return document  # nested
        old = document.text[start:end]
        new = _other(old, label, r) if must and r.random() < 0.7 else old
        parts += [document.text[at:start], new]
        size += start - at
        spans.append((size, size + len(new), label, must))
        size, at = size + len(new), end
    return Document(document.name, "".join([*parts, document.text[at:]]), tuple(spans), document.scope, document.source)


def _other(old: str, label: str, r: random.Random) -> str:
    tokens = old.split(" ")
    if any(not t.isalpha() for t in tokens) or label not in ("PERSON", "LOCATION") or len(tokens) > 3:
        return old
    if label == "LOCATION":
        new = [people.city(r, "en")] if len(tokens) == 1 else tokens
    else:
        new = (
            [people.given(r, "en"), people.given(r, "en"), people.last(r, "en")][3 - len(tokens) :]
            if len(tokens) > 1
            else [people.given(r, "en")]
        )
    text = " ".join(new)
    return text.lower() if old.islower() else text.upper() if old.isupper() and len(old) > 3 else text


def _swapped(text: str, r: random.Random) -> str:
    letters = list(text)
    for _ in range(len(text) // 60 + 1 if len(text) > 20 else 0):
        i = r.randrange(len(letters) - 1)
        if letters[i].isalpha() and letters[i + 1].isalpha():
            letters[i], letters[i + 1] = letters[i + 1], letters[i]
    return "".join(letters)


def noisy(document: Document, r: random.Random) -> Document:
    """The document as people and machines spoil it: case, quotes, letters that changed places. Lengths stay."""
    text, chance = document.text, r.random()
    if chance < 0.09:
        text = text.lower()
    elif chance < 0.12:
        text = text.upper()
    elif chance < 0.13:
        text = text.title()
    elif chance < 0.16:
        text = text.replace("'", "\u2019").replace('"', "\u201d")
    elif chance < 0.20:
        text = _swapped(text, r)
    if len(text) != len(document.text):  # a letter whose other case has another length
        return document
    return Document(document.name, text, document.spans, document.scope, document.source)


Row = tuple[np.ndarray, np.ndarray, np.ndarray]


def pieces(row: Row, longest: int, r: random.Random) -> Sequence[Row]:
    """A long row in parts; where it is cut differs each time."""
    size = len(row[0])
    if size <= longest:
        return [row]
    cuts = [0, *range(r.randint(longest // 2, longest), size, longest), size]
    return [(row[0][a:b], row[1][a:b], row[2][a:b]) for a, b in pairwise(cuts) if b > a]
