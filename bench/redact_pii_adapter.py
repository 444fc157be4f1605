"""Adapter of the rule tier for the PII harness: `pii_bench.py --detector redact_pii_adapter:factory` with bench/ on PYTHONPATH.

It predicts what the default training policy would take out: kinds whose category that policy keeps (bare dates, web
addresses' harmless cousins) are not predicted. Coordinates are judged as MISC: the sets call a depot's GPS fix harmless.
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
