"""Patterns that repeat: stripes, dots, checks, scales, terrazzo, zigzag, petals, triangles, sprigs."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import Final

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import contrast, mix
from troth.gateway.studio.reading import Brief

_WORDS: Final[Mapping[str, str]] = {
    "stripes": "stripe stripes striped lines pinstripe",
    "dots": "dot dots dotted polka spots confetti",
    "checks": "check checks checked gingham plaid tartan chequered vichy",
    "scales": "scale scales scallop scallops fish mermaid wave waves japanese seigaiha fan fans",
    "terrazzo": "terrazzo stone marble stones memphis abstract shapes",
    "zigzag": "zigzag chevron herringbone arrows",
    "triangles": "triangle triangles diamond diamonds harlequin",
    "petals": "petal petals moroccan ornament lattice star stars circles",
    "sprigs": "botanical leaf leaves floral flower flowers plant plants fern garden spring organic",
}


def pattern(canvas: Canvas, brief: Brief) -> None:
    """The pattern that the prompt names, or one by chance."""
    words = set(brief.prompt.lower().split())
    named = [kind for kind, listed in _WORDS.items() if not words.isdisjoint(listed.split())]
    kind = named[0] if named else brief.rng("pattern").choice(_RICH)
    _PATTERNS[kind](canvas, brief, brief.rng("motif"))


def _colours(brief: Brief) -> tuple[str, str, str, str]:
    """Ground, strong, second and light: each told from the ground."""
    palette = brief.palette
    ground = palette.paper if not palette.night else palette.near
    first = (palette.sky[0], palette.accent) if palette.name == "custom" else (palette.accent, palette.sky[0])
    others = [*first, mix(palette.sky[1], palette.accent, 0.15), palette.near, palette.sky[2]]
    clear = [colour for colour in others if contrast(colour, ground) >= 1.5]
    clear = clear or [palette.paper if palette.night else palette.near]
    return ground, clear[0], clear[1 % len(clear)], clear[2 % len(clear)]


def _grid(canvas: Canvas, across: int) -> tuple[float, int, int]:
    """Side of a cell, columns and rows, so that cells end with the sheet as nearly as can be."""
    shorter = min(canvas.width, canvas.height)
    step = shorter / across
    return step, math.ceil(canvas.width / step - 0.01), math.ceil(canvas.height / step - 0.01)


def _stripes(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """A rhythm of wide, narrow, pause; the order is mirrored, so that the repeat has a middle."""
    ground, strong, second, light = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    pause, fine = (2.5, ground), (1.2, second)
    rhythm = [(7.0, strong), pause, fine, pause, (4.0, light), pause, fine, pause]
    upright, at = rng.random() < 0.6, 0.0
    reach = canvas.width if upright else canvas.height
    repeat = sum(wide for wide, _ in rhythm)
    unit = reach / max(1, round(reach / (repeat * canvas.unit))) / repeat
    while at < reach - 0.5:
        for wide, colour in rhythm:
            if upright:
                canvas.rect(at, 0, wide * unit, canvas.height, colour)
            else:
                canvas.rect(0, at, canvas.width, wide * unit, colour)
            at += wide * unit


def _dots(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """Discs on a half-drop grid; every third row another colour and size."""
    ground, strong, second, light = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    step, columns, rows = _grid(canvas, rng.choice((6, 8, 10)))
    for row in range(-1, rows * 2 + 2):
        colour, size = ((strong, 0.3), (second, 0.16), (light, 0.22), (second, 0.16))[row % 4]
        for place in range(-1, columns + 2):
            x = (place + 0.5 + 0.5 * (row % 2)) * step
            canvas.circle(x, (row + 0.5) * step / 2 * 1.15, step * size, colour)


def _checks(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """Gingham: the threads of both ways let each other through, a fine line of the accent between."""
    ground, strong, second, _ = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    step, columns, rows = _grid(canvas, rng.choice((4, 5, 6)))
    for place in range(columns + 1):
        canvas.rect(place * step, 0, step / 2, canvas.height, strong, fade=0.5)
    for row in range(rows + 1):
        canvas.rect(0, row * step, canvas.width, step / 2, strong, fade=0.5)
    fine = step * 0.05
    for place in range(columns + 1):
        canvas.rect(place * step + step * 0.75 - fine / 2, 0, fine, canvas.height, second, fade=0.8)
    for row in range(rows + 1):
        canvas.rect(0, row * step + step * 0.75 - fine / 2, canvas.width, fine, second, fade=0.8)


def _scales(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """Seigaiha: fans of rings that cover each other, row by row."""
    ground, strong, second, light = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    step, columns, rows = _grid(canvas, rng.choice((3, 4, 5)))
    rings = ((0.5, strong), (0.42, ground), (0.34, second), (0.25, ground), (0.17, light))
    for row in range(-1, rows * 4 + 3):
        for place in range(-1, columns + 2):
            x, y = (place + 0.5 * (row % 2)) * step, row * step / 4 + step / 4
            for radius, colour in rings:
                canvas.circle(x, y, radius * step, colour)


def _terrazzo(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """Chips of stone, evenly scattered: each takes the place farthest from the others."""
    ground, *inks = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    placed: list[tuple[float, float]] = []
    count = int(100 * canvas.width * canvas.height / (100 * canvas.unit) ** 2)
    for number in range(min(count, 260)):
        tries = [(rng.random() * canvas.width, rng.random() * canvas.height) for _ in range(12)]
        x, y = max(tries, key=lambda one: min((math.dist(one, other) for other in placed), default=0))
        placed.append((x, y))
        size = canvas.unit * rng.choice((1.8, 2.6, 3.8, 5.2))
        corners, turn = rng.randint(4, 6), rng.uniform(0, 6.3)
        points = [
            (x + size * rng.uniform(0.65, 1.1) * math.cos(turn + 6.283 * corner / corners),
             y + size * rng.uniform(0.5, 0.95) * math.sin(turn + 6.283 * corner / corners))
            for corner in range(corners)
        ]  # fmt: skip
        canvas.path("M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points) + "Z", inks[number % len(inks)])


def _zigzag(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """Chevrons in a rhythm of thick and thin."""
    ground, strong, second, light = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    step, columns, rows = _grid(canvas, rng.choice((5, 6, 8)))
    for row in range(-1, rows * 2 + 2):
        colour, thick = ((strong, 0.2), (second, 0.09), (light, 0.14), (second, 0.09))[row % 4]
        y = row * step * 0.5
        turns = [(place * step / 2, y + step * 0.42 * (place % 2)) for place in range(-2, 2 * columns + 3)]
        data = "M" + "L".join(f"{x:.1f} {turn:.1f}" for x, turn in turns)
        canvas.line(data, colour, step * thick)


def _triangles(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """A net of triangles, shaded as if light fell along a diagonal."""
    ground, *inks = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    step, columns, rows = _grid(canvas, rng.choice((5, 6, 7)))
    high = step * 0.866
    for row in range(math.ceil(rows / 0.866) + 1):
        for place in range(-1, 2 * columns + 3):
            x, up = place * step / 2 - (row % 2) * step / 2, place % 2 == 0
            top, foot = (row * high, (row + 1) * high) if up else ((row + 1) * high, row * high)
            share = (place / (2 * columns) + row / rows) / 2
            colour = mix(inks[(place + 2 * row) % len(inks)], ground, min(0.75, max(0.0, share * 0.8)))
            canvas.path(f"M{x:.1f} {foot:.1f}L{x + step:.1f} {foot:.1f}L{x + step / 2:.1f} {top:.1f}Z", colour)


def _petals(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """Four petals in every cell, an eye where cells meet."""
    ground, strong, second, light = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    step, columns, rows = _grid(canvas, rng.choice((4, 5, 6)))
    half = step / 2
    for row in range(rows + 1):
        for place in range(columns + 1):
            x, y = place * step + half, row * step + half
            colour = strong if (row + place) % 2 else second
            for dx, dy in ((half, half), (-half, half), (half, -half), (-half, -half)):
                out, back = f"{x + dx:.1f} {y:.1f} {x + dx:.1f} {y + dy:.1f}", f"{x:.1f} {y + dy:.1f} {x:.1f} {y:.1f}"
                canvas.path(f"M{x:.1f} {y:.1f}Q{out}Q{back}Z", colour)
            canvas.circle(x, y, step * 0.07, ground)
            canvas.circle(x - half, y - half, step * 0.09, light)


def _sprigs(canvas: Canvas, brief: Brief, rng: random.Random) -> None:
    """Sprigs on a half-drop grid, each turned the other way than its neighbour, with berries between."""
    ground, strong, second, light = _colours(brief)
    canvas.rect(0, 0, canvas.width, canvas.height, ground)
    step, columns, rows = _grid(canvas, rng.choice((3, 4, 5)))
    green = mix(brief.palette.near, brief.palette.sky[0], 0.35) if not brief.palette.night else light
    for place in range(-1, columns + 1):
        for row in range(-1, rows + 1):
            x, y = (place + 0.5) * step, (row + 0.5 + 0.5 * (place % 2)) * step
            turn = (-24 if (place + row) % 2 else 24) + rng.uniform(-6, 6)
            with canvas.moved(f"translate({x:.1f} {y:.1f}) rotate({turn:.1f}) scale({step / 78:.4f})"):
                _sprig(canvas, green, strong if (place + row) % 2 else second)
            with canvas.moved(
                f"translate({x + step / 2:.1f} {y:.1f}) rotate({-1.5 * turn:.1f}) scale({step / 260:.4f})"
            ):
                _sprig(canvas, mix(green, ground, 0.35), second if (place + row) % 2 else light)


def _sprig(canvas: Canvas, green: str, bloom: str) -> None:
    """One sprig on a tile of 100 x 100 around the origin."""
    canvas.line("M0 42C4 20 -3 2 0 -26", green, 2)
    for number, y in enumerate((30, 17, 4, -9)):
        size = 21 - 3 * number
        for side in (-1, 1):
            tip_x, tip_y = side * size, y - size * 0.75
            canvas.path(f"M0 {y}C{side * size * 0.1} {y - size * 0.7} {side * size * 0.6} {tip_y} {tip_x} {tip_y}"
                        f"C{side * size * 0.95} {y - size * 0.2} {side * size * 0.45} {y} 0 {y}Z", green)  # fmt: skip
    for turn in range(0, 360, 72):
        angle = math.radians(turn - 90)
        canvas.circle(7.5 * math.cos(angle), -34 + 7.5 * math.sin(angle), 6.4, bloom)
    canvas.circle(0, -34, 4, green)


_RICH: Final = ("scales", "terrazzo", "triangles", "petals", "sprigs", "zigzag", "dots")
"""What is taken by chance: stripes and checks are for who asks for them."""

_PATTERNS: Final[Mapping[str, Callable[[Canvas, Brief, random.Random], None]]] = {
    "stripes": _stripes, "dots": _dots, "checks": _checks, "scales": _scales, "terrazzo": _terrazzo, "zigzag": _zigzag,
    "triangles": _triangles, "petals": _petals, "sprigs": _sprigs,
}  # fmt: skip
