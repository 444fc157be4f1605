"""Charts as SVG that the server makes: no script, few bytes, and each says in words what it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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


_STEPS = range(1, 6)
_HIGH, _MIDDLE = 15, 8  # of likelihood times impact


def matrix(risks: Mapping[tuple[int, int], int]) -> Markup:
    """How many risks have which (likelihood, impact), each 1 to 5: likely ones above, bad ones to the right."""
    cells = "".join(
        f'<rect class="{level(likely, bad)}" x="{bad * 20 - 10}" y="{(5 - likely) * 20 + 1}" width="18" height="18"'
        ' rx="3"/>' + _number(bad * 20 - 1, (5 - likely) * 20 + 13.5, risks.get((likely, bad), 0))
        for likely in _STEPS
        for bad in _STEPS
    )
    axes = "".join(_label(4, (5 - step) * 20 + 13, step) + _label(step * 20 - 1, 108, step) for step in _STEPS)
    said = ", ".join(
        f"likelihood {likely} impact {bad}: {count}" for (likely, bad), count in sorted(risks.items(), reverse=True)
    )
    told = escape(said or "no risk was assessed yet")
    return Markup(f'<svg class="matrix" role="img" aria-label="{told}" viewBox="0 0 110 112">{cells}{axes}</svg>')  # noqa: S704 - made here, of numbers and escaped words


def level(likely: int, bad: int) -> str:
    """How heavy a risk is, as a class: high, middle or low."""
    score = likely * bad
    return "high" if score >= _HIGH else "middle" if score >= _MIDDLE else "low"


def trend(points: Sequence[tuple[str, int]], what: str) -> Markup:
    """A bar for each point, the oldest first; `what` is counted."""
    most = max((count for _, count in points), default=0)
    bars = "".join(
        f'<rect x="{place}.1" y="{100 - _height(count, most)}" width=".8" height="{_height(count, most)}"/>'
        for place, (_, count) in enumerate(points)
    )
    told = escape(f"{what}: " + ", ".join(f"{name} {count}" for name, count in points))
    box = f'viewBox="0 0 {max(1, len(points))} 100" preserveAspectRatio="none"'
    return Markup(f'<svg class="trend" role="img" aria-label="{told}" {box}>{bars}</svg>')  # noqa: S704 - the same


def _height(count: int, most: int) -> int:
    return max(4, count * 100 // most) if count else 0


def _number(x: float, y: float, count: int) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="middle">{count}</text>' if count else ""


def _label(x: float, y: float, step: int) -> str:
    return f'<text class="axis" x="{x}" y="{y}" text-anchor="middle">{step}</text>'
