"""Detection of personal data and secrets in text. Pure: no I/O, no clock, no state between calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from troth.redact.detect.engine import RuleDetector
from troth.redact.detect.kinds import CATEGORIES, KINDS
from troth.redact.detect.spans import Detector, Many, Span, resolve

__all__ = ["CATEGORIES", "KINDS", "Detector", "RuleDetector", "Span", "detect_each", "resolve", "rules_detector"]


def detect_each(detector: Detector, texts: Iterable[str]) -> Iterator[list[Span]]:
    """What `detector` says of each text, in order; the tiers read many short texts as one."""
    return detector.detect_many(texts) if isinstance(detector, Many) else map(detector.detect, texts)


@lru_cache(maxsize=1)
def rules_detector() -> Detector:
    """The rule tier with its whole table, compiled once for the process (0.1 s); safe to share between threads."""
    from troth.redact.detect.rules import TABLE  # noqa: PLC0415  the table costs time; importing the package must not

    return RuleDetector(TABLE)
