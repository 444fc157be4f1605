"""Plants on paper: stems with two-toned leaves, and flowers that stand in a meadow."""

from __future__ import annotations

import math
import random

from troth.gateway.studio.canvas import Canvas, Point
from troth.gateway.studio.colour import mix, ramp
from troth.gateway.studio.reading import Brief


def botanical(canvas: Canvas, brief: Brief) -> None:
    """Three to five branches before a pale disc."""
    palette, rng = brief.palette, brief.rng("plants")
    _paper(canvas, brief)
    greens = ramp(mix(palette.near, palette.sky[0], 0.1), mix(palette.sky[0], palette.accent, 0.25), 4)
    reach = canvas.height * 0.8
    branches = 5 if canvas.width >= canvas.height else 4
    order = sorted(range(branches), key=lambda index: -abs(index - (branches - 1) / 2))
    for depth, index in enumerate(order):
        lean = (index - (branches - 1) / 2) / branches
        foot = Point(canvas.width * (0.5 + 0.12 * lean), canvas.height * 1.03)
        bend = lean * rng.uniform(1.0, 1.4)
        length = reach * rng.uniform(0.75, 1.0) * (1.02 - 0.3 * abs(lean))
        colour = palette.accent if index == 1 else greens[index % len(greens)]
        canvas.deeper(0.3 + 0.14 * depth, "sway")
        _branch(canvas, rng, (foot, length, bend), colour, rng.choice(("long", "round", "fern")))


def _paper(canvas: Canvas, brief: Brief) -> None:
    palette = brief.palette
    canvas.rect(
        0,
        0,
        canvas.width,
        canvas.height,
        canvas.linear([mix(palette.paper, palette.sky[2], 0.35), mix(palette.paper, palette.sky[2], 0.75)]),
    )
    radius = canvas.unit * 33
    canvas.circle(
        canvas.width / 2,
        canvas.height * 0.42,
        radius,
        canvas.linear([mix(palette.sky[2], palette.accent, 0.28), mix(palette.sky[3], palette.accent, 0.1)]),
    )


def _branch(canvas: Canvas, rng: random.Random, stem: tuple[Point, float, float], colour: str, habit: str) -> None:
    """A curved stem (foot, length, bend) with pairs of leaves that shrink towards the tip."""
    foot, length, bend = stem
    places = [_on_stem(foot, length, bend, share) for share in (step / 24 for step in range(25))]
    curve = "M" + "L".join(f"{place.x:.1f} {place.y:.1f}" for place, _ in places)
    canvas.line(curve, mix(colour, "#000000", 0.15), canvas.unit * 0.5)
    pairs = {"long": 9, "round": 7, "fern": 17}[habit]
    for pair in range(pairs):
        share = 0.2 + 0.78 * pair / pairs
        place, angle = _on_stem(foot, length, bend, share)
        size = (
            length * {"long": 0.24, "round": 0.15, "fern": 0.17}[habit] * (1.08 - 0.72 * share) * rng.uniform(0.88, 1.1)
        )
        for side in (-1, 1):
            spread = side * {"long": 44, "round": 58, "fern": 62}[habit] * (1.1 - 0.35 * share)
            wide = {"long": 0.3, "round": 0.62, "fern": 0.2}[habit]
            leaf(canvas, place, math.degrees(angle) + spread + rng.uniform(-6, 6), (size, wide), colour)
    tip, angle = _on_stem(foot, length, bend, 1.0)
    leaf(canvas, tip, math.degrees(angle), (length * 0.09, 0.4), colour)


def _on_stem(foot: Point, length: float, bend: float, share: float) -> tuple[Point, float]:
    """The place at `share` of a stem and its direction there (0 is up, radians clockwise)."""
    angle = bend * share
    x = foot.x + length * (math.sin(angle / 2) * share)
    y = foot.y - length * (math.cos(angle / 2) * share)
    return Point(x, y), angle


def leaf(canvas: Canvas, place: Point, turn: float, shape: tuple[float, float], colour: str) -> None:
    """A leaf of (length, width share) that points to `turn` degrees (0 is up); one half is lighter, a vein between."""
    size, wide = shape
    light = mix(colour, "#ffffff", 0.16)
    with canvas.moved(f"translate({place.x:.1f} {place.y:.1f}) rotate({turn:.1f}) scale({size:.2f})"):
        canvas.path(f"M0 0C{-wide:.2f} -.25 {-wide * 0.8:.2f} -.75 0 -1Z", colour)
        canvas.path(f"M0 0C{wide:.2f} -.25 {wide * 0.8:.2f} -.75 0 -1Z", light)
        canvas.line("M0 0L0 -.92", mix(colour, "#ffffff", 0.45), 0.014)


def flowers(canvas: Canvas, brief: Brief) -> None:
    """A meadow: tall flowers of three kinds, smaller ones between them."""
    palette, rng = brief.palette, brief.rng("flowers")
    canvas.rect(0, 0, canvas.width, canvas.height, canvas.linear([palette.sky[1], palette.sky[2], palette.sky[3]]))
    sun = Point(canvas.width * rng.choice((0.28, 0.72)), canvas.height * 0.25)
    canvas.circle(*sun, canvas.unit * 30, canvas.radial([f"{palette.light}@0.8", f"{palette.light}@0"]))
    canvas.circle(*sun, canvas.unit * 9, palette.light)
    green = mix(palette.near, palette.sky[0], 0.2)
    petals = (
        palette.accent,
        mix(palette.accent, palette.paper, 0.55),
        palette.paper,
        mix(palette.accent, palette.near, 0.3),
        "#f2c14e",
    )
    count = int(15 * max(1.0, canvas.width / canvas.height))
    for layer, (fade, tall) in enumerate(((0.45, 0.5), (0.75, 0.46), (1.0, 0.42))):
        stem = mix(palette.sky[2], green, fade)
        canvas.deeper(fade - 0.1, "sway")
        for index in range(count):
            x = canvas.width * (index + rng.uniform(0.1, 0.9)) / count
            head = Point(x + rng.gauss(0, 2) * canvas.unit, canvas.height * (1 - tall * rng.uniform(0.55, 1.35)))
            size = canvas.unit * rng.uniform(2.6, 6.2) * (0.7 + 0.25 * layer)
            _stalk(canvas, rng, Point(x, canvas.height * 1.02), head, stem)
            _bloom(canvas, rng, head, size, mix(palette.sky[2], rng.choice(petals), 0.35 + 0.65 * fade))
    canvas.deeper(1.0, "sway")
    _grass(canvas, rng, green)


def _stalk(canvas: Canvas, rng: random.Random, foot: Point, head: Point, colour: str) -> None:
    middle = (foot.y + head.y) / 2
    canvas.line(
        f"M{foot.x:.1f} {foot.y:.1f}Q{foot.x:.1f} {middle:.1f} {head.x:.1f} {head.y:.1f}", colour, canvas.unit * 0.5
    )
    for side in (-1, 1):
        share = rng.uniform(0.25, 0.55)
        place = Point(foot.x + (head.x - foot.x) * share**2, foot.y + (head.y - foot.y) * share)
        leaf(canvas, place, side * rng.uniform(32, 55), (canvas.unit * rng.uniform(6, 10), 0.24), colour)


def _bloom(canvas: Canvas, rng: random.Random, place: Point, size: float, colour: str) -> None:
    kind = rng.choice(("daisy", "tulip", "poppy", "daisy"))
    heart = mix("#f2b632", colour, 0.15)
    with canvas.moved(f"translate({place.x:.1f} {place.y:.1f}) rotate({rng.uniform(-14, 14):.1f}) scale({size:.2f})"):
        if kind == "daisy":
            for petal in range(11):
                with canvas.moved(f"rotate({petal * 360 / 11:.1f})"):
                    canvas.ellipse(0, -0.62, 0.2, 0.42, mix(colour, "#ffffff", 0.12 * (petal % 3)))
            canvas.circle(0, 0, 0.3, heart)
            canvas.circle(0.05, 0.05, 0.2, mix(heart, "#7a3d10", 0.3))
        elif kind == "tulip":
            canvas.path(
                "M-.62 -.75C-.2 -.6 .2 -.6 .62 -.75C.8 .1 .5 .65 0 .7C-.5 .65 -.8 .1 -.62 -.75Z",
                mix(colour, "#000000", 0.12),
            )
            canvas.path("M-.62 -.75C-.1 -.5 .05 .1 0 .7C-.55 .65 -.8 .1 -.62 -.75Z", colour)
            canvas.path("M.62 -.75C.1 -.5 -.05 .1 0 .7C.55 .65 .8 .1 .62 -.75Z", mix(colour, "#ffffff", 0.14))
            canvas.path("M0 -.95C.34 -.5 .34 .3 0 .7C-.34 .3 -.34 -.5 0 -.95Z", mix(colour, "#ffffff", 0.26))
        else:
            for turn in (0, 90, 180, 270):
                with canvas.moved(f"rotate({turn + 12})"):
                    canvas.path(
                        "M0 0C-.75 -.25 -.65 -1 0 -.95C.65 -1 .75 -.25 0 0Z",
                        mix(colour, "#000000", 0.1 * (turn % 180 == 0)),
                    )
            canvas.circle(0, 0, 0.2, mix(colour, "#1a1015", 0.85))


def _grass(canvas: Canvas, rng: random.Random, colour: str) -> None:
    x = 0.0
    while x < canvas.width:
        tall, lean = canvas.unit * rng.uniform(6, 17), canvas.unit * rng.uniform(-3, 3)
        base, wide = canvas.height * 1.01, canvas.unit * 0.5
        blade = f"M{x - wide:.1f} {base:.1f}Q{x:.1f} {base - tall * 0.6:.1f} {x + lean:.1f} {base - tall:.1f}"
        canvas.path(
            f"{blade}Q{x + wide:.1f} {base - tall * 0.5:.1f} {x + wide:.1f} {base:.1f}Z",
            mix(colour, "#ffffff", rng.uniform(0, 0.14)),
        )
        x += canvas.unit * rng.uniform(0.6, 1.5)
