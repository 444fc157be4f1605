"""A tier with a model: the rules and the tagger read the same text, and what either finds is one list."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any, Protocol

from troth.redact.detect import Detector, Span
from troth.redact.model.mentions import repeated
from troth.redact.model.merge import merge
from troth.redact.model.words import Reading


class Marks(Protocol):
    """What tags words: a tagger, or a cascade of two."""

    def tag(self, text: str) -> Reading:
        """The words of a text and the spans that are marked in it."""


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


def _code() -> bytes:
    """SHA-256 over this package's own sources: merging decides on finds too."""
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
        """Spans of personal data, secrets, places and organisations in `text`, sorted, none overlapping."""
        reading = self._marks.tag(text)
        found = [span for one in reading.spans if (span := _span(text, one, self._tier))]
        spans = merge(text, self._rules.detect(text), found)
        again = repeated(reading.places, reading.words, spans)
        return merge(text, spans, again) if again else spans
