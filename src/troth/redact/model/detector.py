"""A tier with a model: the rules and the tagger read the same text, and what either finds is one list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, Protocol

from troth.redact.detect import Detector, Span, detect_each
from troth.redact.detect.shadow import shadow
from troth.redact.detect.view import see_through
from troth.redact.model.merge import merge
from troth.redact.model.people import People
from troth.redact.model.segments import BEFORE, BEHIND, SIZE, read

if TYPE_CHECKING:
    from troth.redact.model.tagger import Reading


WHOLE = BEFORE + SIZE + BEHIND
_GROUP = 1 << 14  # characters of texts that are read together


class Marks(Protocol):
    """What tags words: a tagger, or a cascade of two."""

    def tag_many(self, texts: Sequence[str]) -> list[Reading]:
        """The words of each text and the spans that are marked in it."""


# Cards, IBANs and IP addresses are the rules' alone: what has no valid check digits or parts is none.
_KIND = {
    "PERSON": "person", "ORG": "organisation", "DATE": "date", "ID": "document_id", "PHONE": "phone", "EMAIL": "email",
    "URL": "url", "USERNAME": "username", "SECRET": "secret_value",
}  # fmt: skip


_EDGES = " \t\n,;:!?"  # what stands beside a value and is none of it
_LEAST = {"ID": 3, "SECRET": 6, "USERNAME": 3, "PHONE": 5}  # letters and digits without which there is no such value


def _span(text: str, tagged: tuple[int, int, str, float], tier: str) -> Span | None:
    """A tagged span as a find; None for what is none. A place with a number in it is an address."""
    start, end, label, score = tagged
    value = text[start:end]
    start += len(value) - len(value.lstrip(_EDGES))
    value = value.strip(_EDGES)
    if sum(map(str.isalnum, value)) < _LEAST.get(label, 1):
        return None
    kind = _KIND.get(label)
    if label == "LOCATION":
        kind = "address" if any(map(str.isdigit, value)) else "place"
    return Span(start, start + len(value), kind, score, tier) if kind else None


def _spans(text: str, reading: Reading, tier: str) -> list[Span]:
    return [span for one in reading.spans if (span := _span(text, one, tier))]


def _code() -> bytes:
    """SHA-256 over this package's own sources: merging and how a text is cut decide on finds too."""
    digest = hashlib.sha256()
    for module in sorted(resources.files("troth.redact.model").iterdir(), key=lambda entry: entry.name):
        if module.name.endswith(".py"):
            digest.update(module.read_bytes())
    return digest.digest()


class ModelDetector:
    """Rules and a tagger as one detector. Safe to share between threads; holds no text."""

    def __init__(self, tier: str, rules: Detector, marks: Marks, digests: tuple[str, ...]) -> None:
        self._tier, self._rules, self._marks = tier, rules, marks
        facts: tuple[Any, ...] = (rules.version, *digests)
        self.version = f"{tier}-{hashlib.sha256(repr(facts).encode() + _code()).hexdigest()[:16]}"

    def detect(self, text: str) -> list[Span]:
        """Spans of personal data, secrets, places and organisations in `text`, sorted, none overlapping.

        A text longer than `WHOLE` characters is read in segments (`troth.redact.model.segments`).
        """
        return read(self._one, text) if len(text) > WHOLE else People().complete(text, self._one(text))

    def detect_many(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """As `detect`, of each in order; short texts share their scans and matrices."""
        group: list[str] = []
        size = 0
        for text in texts:
            group.append(text)
            size += len(text)
            if size >= _GROUP:
                yield from self._group(group)
                group, size = [], 0
        yield from self._group(group)

    def _group(self, texts: list[str]) -> Iterator[list[Span]]:
        short = [text for text in texts if len(text) <= WHOLE]
        both = zip(self._marks.tag_many(short), detect_each(self._rules, short), strict=True)
        for text in texts:
            if len(text) > WHOLE:
                yield self.detect(text)
            else:
                reading, rules = next(both)
                yield People().complete(text, self._joined(text, reading, rules))

    def _one(self, text: str) -> list[Span]:
        (reading,) = self._marks.tag_many([text])
        return self._joined(text, reading, self._rules.detect(text))

    def _joined(self, text: str, reading: Reading, rules: list[Span]) -> list[Span]:
        """Of the text as it is written, and of what a reader sees of it, where that is another (`detect.view`)."""
        found = merge(text, rules, _spans(text, reading, self._tier))
        sight = see_through(text, shadow(text))
        if sight is None:
            return found
        (seen,) = self._marks.tag_many([sight.text])
        back = (s._replace(start=a, end=z) for s in _spans(sight.text, seen, self._tier)
                for a, z in [sight.back(s.start, s.end)])  # fmt: skip
        return merge(text, found, back)
