"""Adapter of the rule tier for the PII harness (`--detector redact_pii_adapter:factory`, this folder on PYTHONPATH).

It predicts what the default training policy takes out: bare dates, which that policy keeps, are not predicted.
Coordinates are judged as MISC, because the sets call the position of a depot harmless.
"""

from __future__ import annotations

from collections.abc import Callable

from troth.redact.detect import KINDS, rules_detector

_OUTSIDE = {"date"}


def factory() -> Callable[[str], list[tuple[int, int, str]]]:
    """A callable text -> [(start, end, label)] for `pii_bench.py`."""
    detect = rules_detector().detect

    def found(text: str) -> list[tuple[int, int, str]]:
        spans = [s for s in detect(text) if s.kind not in _OUTSIDE]
        return [(s.start, s.end, "MISC" if s.kind == "coordinates" else KINDS[s.kind].label) for s in spans]

    return found
