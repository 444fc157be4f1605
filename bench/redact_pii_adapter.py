"""Adapters of the tiers for the PII harness (`--detector redact_pii_adapter:fast`, this folder on PYTHONPATH).

They predict everything that is found but dates that only a rule sees: the default training policy keeps those, and
the model tells a date about someone from a time stamp. Coordinates are judged as MISC, because the sets call the
position of a depot harmless.
"""

from __future__ import annotations

from collections.abc import Callable

from troth.redact.detect import KINDS
from troth.redact.tiers import detector

Detect = Callable[[str], list[tuple[int, int, str]]]


def _adapter(tier: str) -> Detect:
    detect = detector(tier).detect

    def found(text: str) -> list[tuple[int, int, str]]:
        spans = [s for s in detect(text) if (s.kind, s.detector) != ("date", "rules")]
        return [(s.start, s.end, "MISC" if s.kind == "coordinates" else KINDS[s.kind].label) for s in spans]

    return found


def rules() -> Detect:
    """The rule tier alone."""
    return _adapter("rules")


def fast() -> Detect:
    """Rules and the small tagger."""
    return _adapter("fast")


def accurate() -> Detect:
    """Rules and the large tagger."""
    return _adapter("accurate")


def cascade() -> Detect:
    """Rules, the small tagger, and the large one where that is unsure."""
    return _adapter("cascade")
