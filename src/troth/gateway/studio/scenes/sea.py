"""Open water: islands in haze, a path of light, swell, a boat."""

from __future__ import annotations

import random

from troth.gateway.studio.canvas import Canvas, Point, flowing, ground, ridge
from troth.gateway.studio.colour import mix
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.scenes.sky import backdrop, birds


def sea(canvas: Canvas, brief: Brief) -> None:
    """Sea to the horizon."""
    palette, rng = brief.palette, brief.rng("sea")
    horizon = canvas.height * rng.uniform(0.54, 0.6)
    light = backdrop(canvas, brief, horizon)
    if rng.random() < 0.8 or "island" in brief.extras:
        _islands(canvas, brief, rng, horizon)
    deep, shallow = mix(palette.near, palette.sky[0], 0.45), mix(palette.haze, palette.sky[1], 0.45)
    canvas.rect(
        0, horizon, canvas.width, canvas.height - horizon, canvas.linear([shallow, mix(shallow, deep, 0.55), deep])
    )
    canvas.deeper(0.35, "shimmer")
    sparkle_path(canvas, brief, light.x, horizon)
    _swell(canvas, brief, rng, horizon)
    canvas.deeper(0.8, "" if "lighthouse" in brief.extras else "bob")
    if "lighthouse" in brief.extras:
        _lighthouse(canvas, brief, horizon)
    elif "boat" in brief.extras or rng.random() < 0.55:
        side = -1 if light.x > canvas.width / 2 else 1
        boat(
            canvas,
            brief,
            Point(canvas.width / 2 + side * canvas.width * rng.uniform(0.12, 0.26), horizon + canvas.unit * 7),
        )
    if "birds" in brief.extras or rng.random() < 0.5:
        birds(canvas, brief.rng("birds"), mix(palette.near, palette.sky[1], 0.25), horizon)


def _islands(canvas: Canvas, brief: Brief, rng: random.Random, horizon: float) -> None:
    for layer, share in enumerate((0.35, 0.6)):
        from_left = rng.random() < 0.5
        tall = canvas.unit * rng.uniform(5, 13)
        line = ridge(rng, ends=(0.0, 0.0), height=tall * 0.7, width=canvas.width, steps=7)
        reach = rng.uniform(0.4, 0.62)
        points = []
        for x, y in line:
            along = x / canvas.width if from_left else 1 - x / canvas.width
            fall = max(0.0, 1 - along / reach)
            points.append(Point(x, horizon - max(0.0, (tall + y) * fall**0.8)))
        colour = mix(brief.palette.haze, mix(brief.palette.near, brief.palette.sky[0], 0.5), share + 0.1 * layer)
        canvas.path(ground("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), canvas.width, horizon + 1), colour)


def sparkle_path(canvas: Canvas, brief: Brief, x: float, horizon: float) -> None:
    """The light's reflection: dashes that widen and part towards the viewer."""
    rng, depth = brief.rng("glitter"), canvas.height - horizon
    glow = canvas.radial([f"{brief.palette.light}@0.6", f"{brief.palette.light}@0.2", f"{brief.palette.light}@0"])
    with canvas.clipped(f'<rect x="0" y="{horizon:.1f}" width="{canvas.width:.1f}" height="{depth:.1f}"/>'):
        canvas.ellipse(x, horizon, canvas.unit * 24, depth, glow)
    y, step = horizon + canvas.unit * 0.5, 0.7
    while y < canvas.height:
        near = (y - horizon) / depth
        for _ in range(rng.randint(1, 3)):
            length = canvas.unit * rng.uniform(2, 9) * (0.5 + 1.3 * near)
            middle = x + rng.gauss(0, 1) * canvas.unit * (2.5 + 8 * near)
            thick = canvas.unit * (0.25 + 0.8 * near)
            canvas.ellipse(middle, y, length, thick / 2, brief.palette.light, fade=0.9 - 0.45 * near)
        y += canvas.unit * step
        step *= 1.12


def _swell(canvas: Canvas, brief: Brief, rng: random.Random, horizon: float) -> None:
    depth = canvas.height - horizon
    for layer in range(6):
        near = (layer + 1) / 6
        if layer % 2 == 0:
            canvas.deeper(0.35 + 0.4 * near, "swell")
        middle = horizon + depth * (0.12 + 0.88 * near**1.25) - canvas.unit * 2
        length, tall = canvas.unit * (10 + 22 * near), canvas.unit * (0.25 + 1.0 * near)
        start = rng.uniform(-1, 0) * length
        points: list[Point] = []
        while start < canvas.width + length:
            points.append(Point(start, middle + (tall if len(points) % 2 else -tall) * rng.uniform(0.5, 1.1)))
            start += length * rng.uniform(0.4, 0.6)
        colour = mix(brief.palette.near, brief.palette.sky[0], 0.35 - 0.25 * near)
        curve = flowing(points)
        canvas.path(ground(curve, canvas.width, canvas.height), colour, fade=0.2)
        canvas.line(curve, brief.palette.light, canvas.unit * 0.14, fade=0.16 + 0.14 * near)


def boat(canvas: Canvas, brief: Brief, place: Point) -> None:
    """A small sailing boat with its reflection."""
    palette, size = brief.palette, canvas.unit * 5.5
    dark = mix(palette.near, palette.sky[0], 0.15)
    with canvas.moved(f"translate({place.x:.1f} {place.y:.1f}) scale({size:.2f} {-size * 0.75:.2f})", fade=0.28):
        canvas.path("M-.06 -.2L-.06 -2.1L-1 -.32ZM.05 -.2L.05 -1.8L.8 -.32Z", palette.paper)
    with canvas.moved(f"translate({place.x:.1f} {place.y:.1f}) scale({size:.2f})"):
        canvas.path("M-.06 -.25L-.06 -2.3Q-.75 -1.2 -1 -.35Z", palette.paper)
        canvas.path("M.05 -.25L.05 -2Q.7 -1 .85 -.35Z", mix(palette.accent, palette.paper, 0.15))
        canvas.path("M-1.1 -.2L1.1 -.2Q.9 .22 .6 .26L-.62 .26Q-.95 .2 -1.1 -.2Z", dark)


def _lighthouse(canvas: Canvas, brief: Brief, horizon: float) -> None:
    palette, size = brief.palette, canvas.unit * 4
    x, base = canvas.width * 0.8, horizon + canvas.unit * 5
    rock = mix(palette.near, palette.sky[0], 0.12)
    beam = canvas.linear([f"{palette.light}@0", f"{palette.light}@0.55"], angle="right")
    far, lamp = x - canvas.unit * 70, base - size * 6.2
    wedge = f"M{x:.1f} {lamp:.1f}L{far:.1f} {lamp - size * 2.8:.1f}L{far:.1f} {lamp + size * 1.2:.1f}Z"
    canvas.path(wedge, beam, fade=0.7)
    with canvas.moved(f"translate({x:.1f} {base:.1f}) scale({size:.2f})"):
        canvas.path("M-5 1.6C-4 .2 -2.6 .1 -1.6 -.4C-.4 -.9 1 -.7 2 -.1C3.4 .4 5 .5 8 1.6Z", rock)
        canvas.path("M-.8 -.4L-.5 -5.6L.5 -5.6L.8 -.4Z", palette.paper)
        canvas.path("M-.74 -1.5L.74 -1.5L.67 -2.6L-.67 -2.6ZM-.61 -3.7L.61 -3.7L.55 -4.7L-.55 -4.7Z", palette.accent)
        canvas.path("M-.7 -5.6L.7 -5.6L.7 -5.8L-.7 -5.8ZM-.62 -6.7L.62 -6.7L0 -7.4Z", rock)
        canvas.rect(-0.42, -6.7, 0.84, 0.9, palette.light)
