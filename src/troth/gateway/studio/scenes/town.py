"""A city: towers in three depths, lit windows, and a river that repeats them."""

from __future__ import annotations

import random

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import mix
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.scenes.sky import backdrop

Box = tuple[float, float, float, float]
"""Left, top, width, height."""


def city(canvas: Canvas, brief: Brief) -> None:
    """A skyline over water."""
    palette = brief.palette
    shore = canvas.height * 0.78
    backdrop(canvas, brief, canvas.height * 0.8)
    for layer, (share, tall) in enumerate(((0.3, 30), (0.6, 40), (0.92, 30))):
        colour = mix(mix(palette.haze, palette.sky[1], 0.4), palette.near, share)
        canvas.deeper(0.2 + 0.5 * share)
        _row(canvas, brief, f"row {layer}", colour, (shore, canvas.unit * tall))
    canvas.deeper(0.75)
    _water(canvas, brief, shore)


def _row(canvas: Canvas, brief: Brief, name: str, colour: str, measure: tuple[float, float]) -> None:
    """One row of buildings on (shore, height of the tallest), a little taller towards a centre."""
    rng, (shore, tall) = brief.rng(name), measure
    x, heart = -canvas.unit * rng.uniform(0, 6), rng.uniform(0.3, 0.7)
    while x < canvas.width:
        wide = canvas.unit * rng.uniform(5, 11)
        central = 1 - abs((x + wide / 2) / canvas.width - heart)
        height = tall * rng.uniform(0.35, 0.8) * (0.55 + 0.75 * central**2)
        if rng.random() < 0.14:
            height *= 1.45
        _tower(canvas, brief, rng, colour, (x, shore - height, wide, height))
        x += wide * rng.uniform(0.82, 1.12)


def _tower(canvas: Canvas, brief: Brief, rng: random.Random, colour: str, box: Box) -> None:
    x, y, wide, height = box
    canvas.rect(x, y, wide, height + 1, canvas.linear([colour, mix(colour, brief.palette.haze, 0.16)]))
    canvas.rect(x + wide * 0.72, y, wide * 0.28, height + 1, brief.palette.near, fade=0.16)
    crown = rng.random()
    if crown < 0.18:
        canvas.path(f"M{x:.1f} {y:.1f}L{x + wide / 2:.1f} {y - wide * 0.7:.1f}L{x + wide:.1f} {y:.1f}Z", colour)
    elif crown < 0.4:
        canvas.rect(x + wide * 0.2, y - wide * 0.25, wide * 0.6, wide * 0.26, colour)
        canvas.rect(x + wide * 0.47, y - wide * 1.1, wide * 0.06, wide * 0.9, colour)
    elif crown < 0.5:
        canvas.path(f"M{x:.1f} {y:.1f}A{wide / 2:.1f} {wide / 2:.1f} 0 0 1 {x + wide:.1f} {y:.1f}Z", colour)
    elif crown < 0.62:
        canvas.path(f"M{x:.1f} {y:.1f}L{x + wide:.1f} {y - wide * 0.45:.1f}L{x + wide:.1f} {y:.1f}Z", colour)
    _windows(canvas, brief, rng, box)


def _windows(canvas: Canvas, brief: Brief, rng: random.Random, box: Box) -> None:
    x, y, wide, height = box
    pane, gap = canvas.unit * 0.62, canvas.unit * 0.72
    columns = int((wide - gap) / (pane + gap))
    rows = int((height - gap) / (pane * 1.5 + gap))
    margin = (wide - columns * (pane + gap) + gap) / 2
    lit = 0.42 if brief.palette.night else 0.26
    data = ""
    for row in range(rows):
        for column in range(columns):
            if rng.random() < lit:
                left, top = x + margin + column * (pane + gap), y + gap + row * (pane * 1.5 + gap)
                data += f"M{left:.1f} {top:.1f}h{pane:.1f}v{pane * 1.5:.1f}h{-pane:.1f}z"
    if data:
        canvas.path(data, mix(brief.palette.light, brief.palette.accent, 0.3), fade=rng.uniform(0.55, 0.95))


def _water(canvas: Canvas, brief: Brief, shore: float) -> None:
    """The river: dark, with broken vertical streaks of light."""
    palette, rng = brief.palette, brief.rng("water")
    depth = canvas.height - shore
    tones = [mix(palette.near, palette.sky[2], 0.35), mix(palette.near, palette.sky[1], 0.15), palette.near]
    canvas.rect(0, shore, canvas.width, depth, canvas.linear(tones))
    for _ in range(46):
        x = rng.random() * canvas.width
        glow = mix(palette.light, palette.accent, rng.random())
        y, length = shore + canvas.unit * 0.4, depth * rng.uniform(0.25, 0.85)
        while y < shore + length:
            near = (y - shore) / depth
            wide = canvas.unit * rng.uniform(0.5, 1.6) * (0.8 + near)
            canvas.ellipse(
                x + rng.gauss(0, 0.25) * canvas.unit, y, wide, canvas.unit * 0.16, glow, fade=0.5 * (1 - near)
            )
            y += canvas.unit * rng.uniform(0.7, 1.5)
    canvas.rect(0, shore - canvas.unit * 0.5, canvas.width, canvas.unit * 0.9, mix(palette.near, "#000000", 0.2))
