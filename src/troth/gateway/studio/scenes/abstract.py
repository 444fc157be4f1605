"""Pictures of nothing: Bauhaus tiles, flowing ribbons, a sunburst."""

from __future__ import annotations

import math
import random
from itertools import product

from troth.gateway.studio.canvas import Canvas, Point, flowing, ground
from troth.gateway.studio.colour import contrast, mix, ramp
from troth.gateway.studio.reading import Brief

_OUTLINES = (
    "M-50 -50A100 100 0 0 1 50 50L-50 50Z",
    "M-50 -50A50 50 0 0 1 -50 50ZM0 -50A50 50 0 0 1 0 50Z",
    "M-50 -50L50 50L-50 50Z",
    "M-50 -50A50 50 0 0 0 50 -50ZM-50 50A50 50 0 0 1 50 50Z",
)


def geometric(canvas: Canvas, brief: Brief) -> None:
    """A grid of tiles, each with one of eight figures; neighbours differ in ground."""
    rng, colours = brief.rng("tiles"), brief.palette.swatches
    columns, rows = _whole(canvas, rng.choice((4, 5, 6)))
    across, down = canvas.width / columns, canvas.height / rows
    grounds: dict[tuple[int, int], str] = {}
    for row in range(rows):
        for column in range(columns):
            near = {grounds.get((row - 1, column)), grounds.get((row, column - 1))}
            back = rng.choice([colour for colour in colours if colour not in near])
            grounds[row, column] = back
            strong = [colour for colour in colours if contrast(colour, back) > 1.6 and colour != back] or list(colours)
            front, second = rng.choice(strong), rng.choice(strong)
            x, y = column * across, row * down
            canvas.rect(x, y, across + 0.5, down + 0.5, back)
            turn = rng.choice((0, 90, 180, 270))
            with canvas.moved(
                f"translate({x + across / 2:.2f} {y + down / 2:.2f}) scale({across / 100:.4f} {down / 100:.4f}) "
                f"rotate({turn})"
            ):
                _figure(canvas, rng, front, second)


def _whole(canvas: Canvas, count: int) -> tuple[int, int]:
    """Columns and rows of whole tiles: about `count` along the shorter side, as nearly square as can be."""
    longer, shorter = max(canvas.width, canvas.height), min(canvas.width, canvas.height)

    def off(few: int) -> float:
        return abs(math.log(shorter / few * round(longer * few / shorter) / longer))

    fits = min(range(count - 1, count + 3), key=off)
    many = round(longer * fits / shorter)
    return (many, fits) if canvas.width >= canvas.height else (fits, many)


def _figure(canvas: Canvas, rng: random.Random, front: str, second: str) -> None:
    """One figure on a tile of 100 x 100 around the origin."""
    outline = rng.choices([*_OUTLINES, "rings", "eye", "bars", "dots"], weights=(5, 4, 3, 3, 4, 3, 2, 2))[0]
    if outline == "rings":
        for radius, colour in ((100, front), (72, second), (44, front)):
            canvas.path(f"M-50 {50 - radius}A{radius} {radius} 0 0 1 {radius - 50} 50L-50 50Z", colour)
    elif outline == "eye":
        canvas.circle(0, 0, 36, front)
        canvas.circle(0, 0, 14, second)
    elif outline == "bars":
        for y in (-50, -10, 30):
            canvas.rect(-50, y, 100, 20, front)
    elif outline == "dots":
        for x, y in product((-30, 0, 30), repeat=2):
            canvas.circle(x, y, 8.5, front)
    else:
        canvas.path(outline, front)


def waves(canvas: Canvas, brief: Brief) -> None:
    """Ribbons that flow across the sheet, each shaded over its own length."""
    palette, rng = brief.palette, brief.rng("waves")
    canvas.rect(0, 0, canvas.width, canvas.height, canvas.linear(palette.sky, angle="across"))
    place = Point(canvas.width * rng.uniform(0.55, 0.8), canvas.height * rng.uniform(0.16, 0.28))
    canvas.circle(*place, canvas.unit * 30, canvas.radial([f"{palette.light}@0.7", f"{palette.light}@0"]))
    canvas.circle(*place, canvas.unit * 9, palette.light)
    layers = 8
    colours = ramp(mix(palette.haze, palette.accent, 0.55), palette.near, layers)
    phase, tilt = rng.uniform(0, 6.3), rng.uniform(-0.16, 0.16)
    curves = [_crest(canvas, layer / (layers - 1), phase + 0.55 * layer, tilt) for layer in range(layers)]
    floor = [Point(x, canvas.height) for x, _ in curves[-1]]
    for layer, (colour, crest, below) in enumerate(zip(colours, curves, [*curves[1:], floor], strict=True)):
        other = mix(colours[max(0, layer - 2)], palette.accent, 0.35)
        if layer % 2 == 0:
            canvas.deeper(0.3 + 0.1 * layer, "swell")
        # A ribbon ends a little below the next one's crest: filling it to the floor would cost three times the pixels.
        lower = flowing([Point(x, y + 3 * canvas.unit) for x, y in reversed(below)])
        shade = canvas.linear([other, colour, mix(colour, palette.near, 0.3)], angle="across")
        canvas.path(f"{flowing(crest)}L{lower[1:]}Z", shade)
        canvas.line(flowing(crest), palette.light, canvas.unit * 0.16, fade=0.35 * (1 - layer / (layers - 1)))


def _crest(canvas: Canvas, share: float, phase: float, tilt: float) -> list[Point]:
    """The upper edge of a ribbon; `share` 0 is the highest."""
    middle, tall = canvas.height * (0.34 + 0.6 * share), canvas.unit * (11 - 5 * share)
    return [
        Point(x, middle + tilt * (x - canvas.width / 2) + _wave(x / canvas.width, phase, tall))
        for x in (canvas.width * step / 10 for step in range(-1, 12))
    ]


def _wave(along: float, phase: float, tall: float) -> float:
    return tall * (math.sin(5.2 * along + phase) + 0.45 * math.sin(9.1 * along - 1.7 * phase))


def sunburst(canvas: Canvas, brief: Brief) -> None:
    """Rays, a sun of stripes and hills: the poster of a summer fifty years ago."""
    palette, rng = brief.palette, brief.rng("burst")
    middle = Point(canvas.width / 2, canvas.height * 0.56)
    canvas.rect(0, 0, canvas.width, canvas.height, mix(palette.paper, palette.sky[2], 0.45))
    rays, reach = rng.choice((18, 20, 24)), canvas.width + canvas.height
    for ray in range(rays):
        start, end = (2 * math.pi * (ray + part) / rays for part in (0.0, 0.5))
        wedge = "".join(
            f"L{middle.x + reach * math.cos(a):.1f} {middle.y + reach * math.sin(a):.1f}" for a in (start, end)
        )
        canvas.path(f"M{middle.x:.1f} {middle.y:.1f}{wedge}Z", palette.sky[3], fade=0.75)
    rings = [palette.accent, mix(palette.accent, palette.sky[3], 0.55), palette.sky[3], palette.sky[1], palette.paper]
    canvas.deeper(0.2)
    for index, colour in enumerate(rings):
        canvas.circle(*middle, canvas.unit * (34 - 5.2 * index), colour)
    canvas.circle(*middle, canvas.unit * 8.4, palette.accent)
    shades = ramp(palette.sky[0], palette.near, 3)
    for layer, colour in enumerate(shades):
        canvas.deeper(0.5 + 0.25 * layer)
        base = canvas.height * (0.7 + 0.11 * layer)
        tall = canvas.unit * (7 - layer)
        points = [
            Point(canvas.width * step / 6, base + tall * math.sin(1.35 * step + 2.1 * layer)) for step in range(-1, 8)
        ]
        canvas.path(ground(flowing(points), canvas.width, canvas.height), colour)
        canvas.line(flowing(points), palette.paper, canvas.unit * 0.5, fade=0.85)
