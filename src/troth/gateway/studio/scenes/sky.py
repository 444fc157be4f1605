"""Skies: gradient, stars, sun and moon with their glow, clouds, birds; and the picture that is nothing but sky."""

from __future__ import annotations

import random

from troth.gateway.studio.canvas import Canvas, Point, flowing
from troth.gateway.studio.colour import mix
from troth.gateway.studio.reading import Brief


def backdrop(canvas: Canvas, brief: Brief, horizon: float) -> Point:
    """Sky down to `horizon` (pixels) with its light; returns where the sun or moon stands."""
    palette, rng = brief.palette, brief.rng("sky")
    canvas.rect(0, 0, canvas.width, canvas.height, palette.haze)
    canvas.rect(0, 0, canvas.width, horizon + 1, canvas.linear(palette.sky))
    night = palette.night
    if night or "stars" in brief.extras:
        stars(canvas, rng, palette.light, horizon * 0.95)
    share = rng.choice((0.3, 0.38, 0.62, 0.7)) if canvas.width > canvas.height * 1.2 else rng.choice((0.4, 0.5, 0.6))
    low = palette.name in {"sunset", "dawn", "dusk", "retro", "desert", "autumn"}
    place = Point(canvas.width * share, horizon * (rng.uniform(0.66, 0.8) if low else rng.uniform(0.26, 0.42)))
    radius = canvas.unit * (rng.uniform(9, 12) if low else rng.uniform(5.5, 7.5))
    canvas.deeper(0.1)
    glow(canvas, place, radius, palette.light)
    if night and "sun" not in brief.extras:
        moon(canvas, place, radius, palette.light)
    else:
        canvas.circle(*place, radius, palette.light)
    if not night and ("clouds" in brief.extras or "cloud" in brief.extras or rng.random() < 0.75):
        canvas.deeper(0.18, "drift")
        clouds(canvas, rng, mix(palette.sky[2], palette.paper, 0.7), horizon)
    canvas.deeper(0.25)
    return place


def glow(canvas: Canvas, place: Point, radius: float, colour: str) -> None:
    """Light around a disc."""
    # Soft gradients are most of a picture's rendering time (0.1 s for a full sheet), so the halo stays small.
    halo = canvas.radial([f"{colour}@0.6", f"{colour}@0.18", f"{colour}@0"])
    canvas.circle(*place, radius * 3.1, halo)


def moon(canvas: Canvas, place: Point, radius: float, colour: str) -> None:
    """A full moon with a few soft seas."""
    canvas.circle(*place, radius, colour)
    grey = mix(colour, "#8a8fa8", 0.35)
    for dx, dy, size in ((-0.35, -0.25, 0.26), (0.2, -0.45, 0.14), (0.3, 0.2, 0.3), (-0.2, 0.42, 0.18)):
        canvas.circle(place.x + dx * radius, place.y + dy * radius, radius * size, grey, fade=0.45)


def stars(canvas: Canvas, rng: random.Random, colour: str, floor: float) -> None:
    """Stars above `floor`, fewer and fainter towards it; a few of them large."""
    count = int(150 * min(3.0, canvas.width * floor / (100 * canvas.unit) ** 2) ** 0.7)
    for _ in range(count):
        depth = rng.random() ** 1.5
        size = canvas.unit * (0.08 + 0.16 * rng.random() ** 3)
        canvas.circle(rng.random() * canvas.width, depth * floor, size, colour, fade=(1 - depth) * rng.uniform(0.35, 1))
    for _ in range(7):
        sparkle(
            canvas,
            Point(rng.random() * canvas.width, rng.random() * floor * 0.7),
            canvas.unit * rng.uniform(0.7, 1.5),
            colour,
        )


def sparkle(canvas: Canvas, place: Point, size: float, colour: str) -> None:
    """A four-pointed star."""
    x, y = place
    waist = size * 0.13
    data = f"M{x:.1f} {y - size:.1f}"
    for dx, dy, wx, wy in (
        (size, 0, waist, -waist),
        (0, size, waist, waist),
        (-size, 0, -waist, waist),
        (0, -size, -waist, -waist),
    ):
        data += f"Q{x + wx:.1f} {y + wy:.1f} {x + dx:.1f} {y + dy:.1f}"
    canvas.path(data + "Z", colour, fade=0.9)


def clouds(canvas: Canvas, rng: random.Random, colour: str, horizon: float) -> None:
    """Three to five clouds of stacked flat bars, wider near the horizon."""
    for _ in range(rng.randint(3, 5)):
        x, y = rng.random() * canvas.width, horizon * rng.uniform(0.12, 0.72)
        length, thick = canvas.unit * rng.uniform(16, 34), canvas.unit * rng.uniform(1.1, 1.9)
        shade = canvas.linear([f"{colour}@0.85", f"{colour}@0.35"])
        for layer in range(rng.randint(2, 4)):
            part = length * (1 - 0.22 * layer)
            shift = rng.uniform(-0.25, 0.25) * length
            canvas.rect(x + shift - part / 2, y - layer * thick * 0.98, part, thick, shade, round_=thick / 2, fade=0.75)


def snowfall(canvas: Canvas, rng: random.Random) -> None:
    """Flakes over the whole sheet, a few of them close and soft."""
    canvas.deeper(1.0, "fall")
    for _ in range(round(120 * canvas.width * canvas.height / (100 * canvas.unit) ** 2)):
        size = canvas.unit * (0.12 + 0.5 * rng.random() ** 4)
        canvas.circle(
            rng.random() * canvas.width, rng.random() * canvas.height, size, "#ffffff", fade=rng.uniform(0.45, 0.95)
        )


def birds(canvas: Canvas, rng: random.Random, colour: str, horizon: float) -> None:
    """A loose flock."""
    canvas.deeper(0.5, "fly")
    middle = Point(canvas.width * rng.uniform(0.25, 0.75), horizon * rng.uniform(0.25, 0.5))
    for _ in range(rng.randint(5, 9)):
        x, y = middle.x + rng.gauss(0, 9) * canvas.unit, middle.y + rng.gauss(0, 4) * canvas.unit
        span, lift = canvas.unit * rng.uniform(0.9, 1.7), canvas.unit * rng.uniform(0.4, 0.7)
        left = f"M{x - span:.1f} {y - lift:.1f}Q{x - span * 0.35:.1f} {y - lift * 1.3:.1f} {x:.1f} {y:.1f}"
        right = f"Q{x + span * 0.35:.1f} {y - lift * 1.3:.1f} {x + span:.1f} {y - lift:.1f}"
        canvas.line(left + right, colour, canvas.unit * 0.22)


def space(canvas: Canvas, brief: Brief) -> None:
    """Deep space: clouds of gas, stars, a ringed planet, a small moon."""
    palette, rng = brief.palette, brief.rng("space")
    deep = mix(palette.near, "#02030c", 0.35)
    canvas.rect(
        0, 0, canvas.width, canvas.height, canvas.linear([deep, mix(palette.sky[0], deep, 0.4), deep], angle="across")
    )
    canvas.deeper(0.1, "drift")
    for colour in (palette.sky[2], palette.accent):
        gas = canvas.radial([f"{colour}@0.5", f"{colour}@0"])
        across, down = canvas.unit * rng.uniform(35, 60), canvas.unit * rng.uniform(16, 30)
        place = (rng.random() * canvas.width, rng.random() * canvas.height)
        canvas.ellipse(*place, across, down, gas, turn=rng.uniform(-50, 10), fade=0.75)
    for depth in (0.15, 0.25, 0.35):
        canvas.deeper(depth)
        stars(canvas, rng, palette.light, canvas.height * 1.3)
    canvas.deeper(0.6)
    middle = Point(canvas.width * rng.choice((0.4, 0.5, 0.6)), canvas.height * rng.uniform(0.44, 0.56))
    _planet(canvas, brief, middle, canvas.unit * rng.uniform(20, 25))
    away = rng.choice((-1, 1))
    small = Point(middle.x + away * canvas.unit * 34, middle.y - canvas.unit * rng.uniform(22, 28))
    size = canvas.unit * rng.uniform(3.5, 5)
    canvas.deeper(0.9, "drift")
    canvas.circle(
        *small, size, canvas.radial([palette.light, mix(palette.light, palette.near, 0.75)], at=(0.3, 0.3), radius=0.75)
    )
    if "rocket" in brief.extras:
        canvas.deeper(1.0, "float")
        rocket(canvas, brief, Point(middle.x - away * canvas.unit * 36, middle.y + canvas.unit * 36))


def _planet(canvas: Canvas, brief: Brief, middle: Point, radius: float) -> None:
    palette, rng = brief.palette, brief.rng("planet")
    turn = rng.uniform(-24, -12)
    ring = f"M{-radius * 1.85:.1f} 0A{radius * 1.85:.1f} {radius * 0.42:.1f} 0 0 1 {radius * 1.85:.1f} 0"
    front = f"M{-radius * 1.85:.1f} 0A{radius * 1.85:.1f} {radius * 0.42:.1f} 0 0 0 {radius * 1.85:.1f} 0"
    tones = [mix(palette.accent, palette.light, 0.5), palette.accent, mix(palette.accent, palette.sky[2], 0.6)]
    with canvas.moved(f"translate({middle.x:.1f} {middle.y:.1f}) rotate({turn:.1f})"):
        canvas.circle(
            0,
            0,
            radius * 1.45,
            canvas.radial([f"{palette.accent}@0.4", f"{palette.accent}@0.12", f"{palette.accent}@0"]),
        )
        canvas.line(ring, mix(palette.light, palette.accent, 0.35), radius * 0.1, fade=0.55)
        with canvas.clipped(f'<circle r="{radius:.1f}"/>'):
            canvas.rect(-radius, -radius, 2 * radius, 2 * radius, tones[1])
            y = -radius
            while y < radius:
                thick = radius * rng.uniform(0.08, 0.26)
                curve = flowing(
                    [Point(radius * (step / 3 - 1), y + rng.uniform(-0.03, 0.03) * radius) for step in range(7)]
                )
                canvas.path(
                    f"{curve}L{radius:.1f} {y + thick:.1f}L{-radius:.1f} {y + thick:.1f}Z", rng.choice(tones), fade=0.7
                )
                y += thick
            shade = canvas.radial(
                [f"{palette.near}@0", f"{palette.near}@0.1", f"{palette.near}@0.9"], at=(0.28, 0.26), radius=0.62
            )
            canvas.circle(0, 0, radius * 1.02, shade)
        canvas.line(front, mix(palette.light, palette.accent, 0.2), radius * 0.1, fade=0.95)
        canvas.line(
            front.replace(f"{radius * 1.85:.1f}", f"{radius * 1.6:.1f}"), palette.light, radius * 0.035, fade=0.5
        )


def rocket(canvas: Canvas, brief: Brief, place: Point) -> None:
    """A small rocket on its way up to the right."""
    palette, size = brief.palette, canvas.unit * 6
    with canvas.moved(f"translate({place.x:.1f} {place.y:.1f}) rotate(38) scale({size:.2f})"):
        canvas.path("M-.22 .8Q0 2.6 .22 .8Z", canvas.linear([palette.light, f"{palette.accent}@0"]))
        canvas.path("M-.3 .3L-.7 .95L-.25 .8ZM.3 .3L.7 .95L.25 .8Z", palette.accent)
        canvas.path("M0 -1.3C.5 -.7 .45 .3 .28 .85L-.28 .85C-.45 .3 -.5 -.7 0 -1.3Z", palette.paper)
        canvas.circle(0, -0.25, 0.19, mix(palette.near, palette.sky[1], 0.5))
