"""Charts as SVG that the server makes: no script, few bytes, and each says in words what it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup, escape

# States that a bar draws, with the class of their path; what is unknown or not configured is the bare ground.
_DRAWN = {"kept": "k", "kept with exception": "e", "not kept": "b"}


def bar(states: Sequence[str]) -> Markup:
    """The months of a promise, oldest first, as one `<svg>` of at most three `<path>`; nothing where there are none."""
    if not states:
        return Markup("")
    paths = "".join(f'<path class="{mark}" d="{_runs(states, state)}"/>' for state, mark in _DRAWN.items()
                    if state in states)  # fmt: skip
    size = len(states)
    return Markup(f'<svg class="year" role="img" aria-label="{told(states)}" viewBox="0 0 {size} 2">{paths}</svg>')  # noqa: S704 - made here, of numbers and escaped words


def told(states: Sequence[str]) -> str:
    """The same in words: "12 months: kept 11, unknown 1"."""
    counted = ", ".join(f"{escape(state)} {count}" for state, count in Counter(states).most_common())
    return f"{len(states)} months: {counted}"


def _runs(states: Sequence[str], wanted: str) -> str:
    """A line over each run of months that stood so; the style sheet cuts it into months."""
    found, at = [], 0
    for state, run in groupby(states):
        length = len(list(run))
        if state == wanted:
            found.append(f"M{at} 1h{length}")
        at += length
    return "".join(found)
