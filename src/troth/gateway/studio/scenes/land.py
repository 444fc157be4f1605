"""Land in layers that fade into haze: mountains, forest, desert."""

from __future__ import annotations

import random

from troth.gateway.studio.canvas import Canvas, Point, flowing, ground, polygon, ridge, swell
from troth.gateway.studio.colour import mix, ramp
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.scenes.sky import backdrop, birds


def mountains(canvas: Canvas, brief: Brief) -> None:
    """Ranges behind ranges, snow on the highest, pines in front; a lake when asked for."""
    palette, rng = brief.palette, brief.rng("mountains")
    lake = not brief.extras.isdisjoint({"lake", "reflection", "river"})
    shore = canvas.height * (0.7 if lake else 1.0)
    backdrop(canvas, brief, canvas.height * 0.72)
    layers = 5
    colours = ramp(mix(palette.haze, palette.sky[0], 0.35), mix(palette.near, palette.sky[0], 0.12), layers)
    for layer, colour in enumerate(colours):
        canvas.deeper(0.25 + 0.13 * layer)
        _range(canvas, brief, colour, layer / (layers - 1), shore)
    if lake:
        canvas.deeper(0.85)
        _lake(canvas, brief, rng, shore)
    if "balloons" in brief.extras or "balloon" in brief.extras:
        for share, down, size in ((0.27, 0.26, 5.5), (0.7, 0.18, 3.6), (0.52, 0.36, 2.6)):
            canvas.deeper(0.2 + size / 12, "float")
            _balloon(canvas, brief, Point(canvas.width * share, canvas.height * down), canvas.unit * size)
    elif rng.random() < 0.5 or "birds" in brief.extras:
        birds(canvas, brief.rng("birds"), mix(palette.near, palette.sky[0], 0.3), canvas.height * 0.6)
    canvas.deeper(1.0)
    pines(canvas, rng, mix(palette.near, "#000000", 0.25), canvas.height * (0.99 if not lake else 1.02), 15)


def _range(canvas: Canvas, brief: Brief, colour: str, near: float, shore: float) -> None:
    """One range: `near` 0 is the farthest. The farthest carries snow."""
    rng = brief.rng(f"range {near}")
    top = shore * (0.4 + 0.42 * near)
    rough = canvas.unit * (22 - 12 * near)
    ends = (top + rng.uniform(-0.5, 0.8) * rough, top + rng.uniform(-0.5, 0.8) * rough)
    line = ridge(rng, ends=ends, height=rough, width=canvas.width, steps=8)
    foot = canvas.height if shore == canvas.height else shore
    line = [Point(x, min(y, foot - canvas.unit)) for x, y in line]
    outline = ground("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line), canvas.width, foot + 1)
    haze = mix(colour, brief.palette.haze, 0.55)
    canvas.path(outline, canvas.linear([colour, mix(colour, haze, 0.35), haze] if near < 1 else [colour, colour]))
    if near == 0:
        _snow(canvas, brief, rng, line, outline)


def _snow(canvas: Canvas, brief: Brief, rng: random.Random, line: list[Point], outline: str) -> None:
    """Snow down to a ragged line below the summits, lit from one side."""
    summit = min(y for _, y in line)
    base = summit + canvas.unit * (14 if not brief.extras.isdisjoint({"snow", "snowy"}) else 8)
    with canvas.clipped(f'<path d="{outline}"/>'):
        edge = [Point(x, base + rng.uniform(-2.4, 2.4) * canvas.unit) for x, _ in line[::5]]
        top = f"M0 {summit - canvas.unit:.1f}L{canvas.width:.1f} {summit - canvas.unit:.1f}"
        down = "".join(f"L{x:.1f} {y:.1f}" for x, y in reversed(edge))
        canvas.path(f"{top}{down}Z", canvas.linear([brief.palette.paper, f"{brief.palette.paper}@0.55"]), fade=0.85)


def _lake(canvas: Canvas, brief: Brief, rng: random.Random, shore: float) -> None:
    palette = brief.palette
    colours = [
        mix(palette.haze, palette.sky[1], 0.3),
        mix(palette.sky[1], palette.near, 0.35),
        mix(palette.near, palette.sky[0], 0.35),
    ]
    canvas.rect(0, shore, canvas.width, canvas.height - shore, canvas.linear(colours))
    y = shore + canvas.unit * 0.6
    while y < canvas.height:
        near = (y - shore) / (canvas.height - shore)
        for _ in range(4):
            length = canvas.unit * rng.uniform(4, 20) * (0.6 + near)
            canvas.ellipse(
                rng.random() * canvas.width, y, length, canvas.unit * (0.1 + 0.3 * near), palette.light, fade=0.22
            )
        y += canvas.unit * (1 + 2.4 * near)


def pines(canvas: Canvas, rng: random.Random, colour: str, floor: float, tall: float) -> None:
    """A row of pines along the bottom, taller towards both sides."""
    x = -2 * canvas.unit
    while x < canvas.width + 2 * canvas.unit:
        side = abs(x / canvas.width - 0.5) * 2
        height = canvas.unit * tall * (0.35 + 0.75 * side**1.6) * rng.uniform(0.75, 1.2)
        canvas.path(_pine(rng, x, floor, height), colour)
        x += canvas.unit * rng.uniform(1.6, 3.4)
    canvas.rect(0, floor - canvas.unit * 0.6, canvas.width, canvas.height - floor + canvas.unit, colour)


def _pine(rng: random.Random, x: float, foot: float, height: float) -> str:
    """A conifer: tiers that widen downwards, each side a little different."""
    tiers = max(5, int(height**0.5))
    left, right = [Point(x, foot - height)], []
    for tier in range(1, tiers + 1):
        y = foot - height + height * 0.95 * tier / tiers
        wide = height * 0.2 * (tier / tiers) ** 0.85
        left += [Point(x - wide * rng.uniform(0.85, 1.15), y), Point(x - wide * 0.45, y - height * 0.015)]
        right += [Point(x + wide * rng.uniform(0.85, 1.15), y), Point(x + wide * 0.45, y - height * 0.015)]
    return polygon([*left, Point(x, foot), *reversed(right)])


def _balloon(canvas: Canvas, brief: Brief, place: Point, size: float) -> None:
    palette = brief.palette
    with canvas.moved(f"translate({place.x:.1f} {place.y:.1f}) scale({size:.2f})"):
        with canvas.clipped('<path d="M0 -1C1 -1 1.15 .2 .2 1.15L-.2 1.15C-1.15 .2 -1 -1 0 -1Z"/>'):
            canvas.rect(-1.2, -1.1, 2.4, 2.4, palette.accent)
            canvas.ellipse(0, 0, 0.62, 1.25, palette.paper)
            canvas.ellipse(0, 0, 0.22, 1.25, palette.accent)
            canvas.rect(
                -1.2, -1.1, 2.4, 2.4, canvas.linear([f"{palette.near}@0", f"{palette.near}@0.35"], angle="right")
            )
        canvas.line("M-.16 1.15L-.13 1.5M.16 1.15L.13 1.5", palette.near, 0.04)
        canvas.rect(-0.16, 1.48, 0.32, 0.26, palette.near, round_=0.05)


def forest(canvas: Canvas, brief: Brief) -> None:
    """Rows of conifers in mist."""
    palette, rng = brief.palette, brief.rng("forest")
    light = backdrop(canvas, brief, canvas.height * 0.8)
    far = mix(palette.haze, palette.sky[0], 0.5)
    layers = 5
    for layer, colour in enumerate(ramp(far, mix(palette.near, "#000000", 0.2), layers)):
        near = layer / (layers - 1)
        canvas.deeper(0.25 + 0.75 * near)
        base = canvas.height * (0.55 + 0.47 * near)
        hills = swell(rng, middle=base, height=canvas.unit * 3, width=canvas.width)
        tall = canvas.unit * (8 + 34 * near**1.4)
        x = -tall * 0.1
        while x < canvas.width + tall * 0.1:
            step = min(len(hills) - 1, max(0, int(x / canvas.width * (len(hills) - 3)) + 1))
            size = tall * rng.uniform(0.6, 1.15) * (0.5 + 0.5 * abs(x - light.x) / canvas.width if near > 0.9 else 1)
            canvas.path(_pine(rng, x, hills[step].y + tall * 0.1, size), colour)
            x += tall * rng.uniform(0.1, 0.24)
        slope = ground(flowing(hills), canvas.width, canvas.height)
        canvas.path(slope, mix(colour, palette.haze, 0.2 * (1 - near)))
        if near < 0.9:
            mist = canvas.linear([f"{palette.haze}@0", f"{palette.haze}@0.5", f"{palette.haze}@0"])
            canvas.rect(0, base - canvas.unit * 4, canvas.width, canvas.unit * 16, mist)


def desert(canvas: Canvas, brief: Brief) -> None:
    """Mesas far away, dunes with a lit and a shaded side, cacti."""
    palette, rng = brief.palette, brief.rng("desert")
    horizon = canvas.height * 0.6
    backdrop(canvas, brief, horizon)
    _mesas(canvas, brief, rng, horizon)
    sand, dark = mix(palette.sky[1], palette.accent, 0.12), mix(palette.near, palette.sky[0], 0.3)
    if palette.name == "desert":
        sand, dark = "#e9a266", "#a34f3a"
    layers = 4
    for layer, colour in enumerate(ramp(mix(sand, palette.haze, 0.35), mix(sand, dark, 0.55), layers)):
        canvas.deeper(0.35 + 0.18 * layer)
        base = horizon + (canvas.height - horizon) * (0.05 + 0.25 * layer)
        points = swell(rng, middle=base, height=canvas.unit * (2.5 + 2 * layer), width=canvas.width, count=3)
        curve = flowing(points)
        canvas.path(
            ground(curve, canvas.width, canvas.height), canvas.linear([mix(colour, palette.light, 0.25), colour])
        )
        _shaded_side(canvas, points, mix(colour, dark, 0.5))
    green = mix(palette.near, "#1f4a3d", 0.45)
    for share, size in ((rng.uniform(0.12, 0.3), 15), (rng.uniform(0.66, 0.88), 10)):
        _cactus(canvas, Point(canvas.width * share, canvas.height * (0.8 + 0.01 * size)), canvas.unit * size, green)


def _shaded_side(canvas: Canvas, points: list[Point], colour: str) -> None:
    """The lee side of each crest: a blade that starts at the top and runs down to the right."""
    for before, crest, after in zip(points, points[1:], points[2:], strict=False):
        if crest.y < before.y and crest.y < after.y:
            reach, drop = (after.x - crest.x) * 1.1, canvas.unit * 13
            blade = (
                f"M{crest.x:.1f} {crest.y:.1f}C{crest.x + reach * 0.35:.1f} {crest.y + (after.y - crest.y) * 0.15:.1f} "
                f"{crest.x + reach * 0.6:.1f} {after.y:.1f} {after.x:.1f} {after.y:.1f}"
                f"C{after.x - reach * 0.35:.1f} {after.y + drop * 0.4:.1f} {crest.x + reach * 0.3:.1f} "
                f"{crest.y + drop:.1f} {crest.x - reach * 0.18:.1f} {crest.y + drop * 1.5:.1f}"
                f"C{crest.x + reach * 0.16:.1f} {crest.y + drop * 0.9:.1f} {crest.x + reach * 0.1:.1f} "
                f"{crest.y + drop * 0.35:.1f} {crest.x:.1f} {crest.y:.1f}Z"
            )
            canvas.path(blade, canvas.linear([f"{colour}@0.8", f"{colour}@0.3"]))


def _mesas(canvas: Canvas, brief: Brief, rng: random.Random, horizon: float) -> None:
    colour = mix(brief.palette.haze, brief.palette.near, 0.42)
    for share in (rng.uniform(0.05, 0.2), rng.uniform(0.72, 0.9)):
        x, wide, tall = canvas.width * share, canvas.unit * rng.uniform(14, 24), canvas.unit * rng.uniform(7, 13)
        top = wide * 0.6
        canvas.path(
            polygon([
                Point(x - wide, horizon + canvas.unit * 4),
                Point(x - top, horizon - tall * 0.55),
                Point(x - top * 0.9, horizon - tall),
                Point(x + top * 0.8, horizon - tall),
                Point(x + top, horizon - tall * 0.5),
                Point(x + wide, horizon + canvas.unit * 4),
            ]),
            canvas.linear([colour, mix(colour, brief.palette.haze, 0.5)]),
        )  # fmt: skip


def _cactus(canvas: Canvas, foot: Point, tall: float, colour: str) -> None:
    with canvas.moved(f"translate({foot.x:.1f} {foot.y:.1f}) scale({tall:.2f})"):
        canvas.ellipse(0.1, 0, 0.35, 0.035, colour, fade=0.35)
        canvas.line("M0 0L0 -1", colour, 0.15)
        canvas.line("M0 -.38C-.2 -.38 -.27 -.4 -.27 -.5L-.27 -.72", colour, 0.1)
        canvas.line("M0 -.26C.18 -.26 .25 -.3 .25 -.4L.25 -.58", colour, 0.1)
