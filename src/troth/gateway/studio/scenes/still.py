"""A still life: a cup on a table before a round backdrop."""

from __future__ import annotations

from troth.gateway.studio.canvas import Canvas, Point
from troth.gateway.studio.colour import mix
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.scenes.botanical import leaf

_CUP = "M-1 -.62L1 -.62C1 .2 .7 .78 .3 .86L-.3 .86C-.7 .78 -1 .2 -1 -.62Z"


def cup(canvas: Canvas, brief: Brief) -> None:
    """A cup of something hot, its saucer, steam, two leaves and a few beans."""
    palette, rng = brief.palette, brief.rng("cup")
    table = canvas.height * 0.7
    canvas.rect(0, 0, canvas.width, canvas.height, canvas.linear([palette.sky[2], palette.sky[3]]))
    middle, size = Point(canvas.width / 2, canvas.height * 0.55), canvas.unit * 19
    canvas.deeper(0.15)
    canvas.circle(
        middle.x,
        middle.y - size * 0.45,
        size * 1.95,
        canvas.linear([palette.accent, mix(palette.accent, palette.sky[2], 0.55)]),
    )
    canvas.deeper(0.5)
    canvas.rect(
        0,
        table,
        canvas.width,
        canvas.height - table,
        canvas.linear([mix(palette.near, palette.sky[0], 0.35), mix(palette.near, palette.sky[0], 0.1)]),
    )
    green = mix(palette.near, "#3f6b4f", 0.6)
    for turn, long in ((-62, 1.25), (-40, 1.5), (58, 1.2), (38, 1.4)):
        leaf(
            canvas,
            Point(middle.x + (1 if turn > 0 else -1) * size * 0.9, table + size * 0.1),
            turn,
            (size * long, 0.3),
            green,
        )
    standing = f"translate({middle.x:.1f} {middle.y:.1f}) scale({size:.2f})"
    canvas.deeper(0.6)
    with canvas.moved(standing):
        _saucer(canvas, brief)
        _body(canvas, brief)
    canvas.deeper(0.6, "shimmer")
    with canvas.moved(standing):
        _steam(canvas, brief)
    canvas.deeper(0.85)
    for _ in range(9):
        away = rng.choice((-1, 1)) * rng.uniform(1.5, 2.5)
        _bean(
            canvas,
            Point(middle.x + away * size, table + size * rng.uniform(0.35, 0.95)),
            size * 0.13,
            rng.uniform(0, 180),
        )


def _saucer(canvas: Canvas, brief: Brief) -> None:
    palette = brief.palette
    canvas.ellipse(0, 1.02, 1.9, 0.3, palette.near, fade=0.35)
    canvas.ellipse(0, 0.92, 1.7, 0.27, mix(palette.paper, palette.near, 0.16))
    canvas.ellipse(0, 0.88, 1.7, 0.25, palette.paper)
    canvas.ellipse(0, 0.9, 0.9, 0.12, palette.near, fade=0.22)


def _body(canvas: Canvas, brief: Brief) -> None:
    palette = brief.palette
    shade = mix(palette.paper, palette.near, 0.22)
    canvas.line("M.92 -.35C1.6 -.5 1.65 .45 .72 .4", shade, 0.19)
    canvas.line("M.92 -.37C1.56 -.52 1.6 .41 .72 .37", palette.paper, 0.14)
    canvas.path(_CUP, palette.paper)
    with canvas.clipped(f'<path d="{_CUP}"/>'):
        canvas.path("M.15 -.7C.5 0 .3 .6 .05 .9L1.2 .9L1.2 -.7Z", shade, fade=0.75)
        canvas.rect(-1.1, -0.12, 2.2, 0.1, palette.accent)
        canvas.rect(-1.1, 0.04, 2.2, 0.04, palette.accent)
    canvas.ellipse(0, -0.62, 1, 0.2, mix(palette.paper, palette.near, 0.1))
    canvas.ellipse(0, -0.6, 0.9, 0.155, "#4a2a1a")
    canvas.ellipse(-0.06, -0.6, 0.52, 0.085, "#b98552", fade=0.8)
    canvas.ellipse(-0.06, -0.6, 0.28, 0.045, "#f1dcbb", fade=0.9)


def _steam(canvas: Canvas, brief: Brief) -> None:
    for x, tall in ((-0.38, 1.1), (0.0, 1.45), (0.38, 1.0)):
        low, high = -0.85 - tall * 0.35, -0.85 - tall * 0.65
        curve = f"M{x} -.85C{x - 0.32:.2f} {low:.2f} {x + 0.32:.2f} {high:.2f} {x} {-0.85 - tall:.2f}"
        canvas.line(curve, brief.palette.paper, 0.085, fade=0.75)


def _bean(canvas: Canvas, place: Point, size: float, turn: float) -> None:
    with canvas.moved(f"translate({place.x:.1f} {place.y:.1f}) rotate({turn:.1f}) scale({size:.2f})"):
        canvas.ellipse(0, 0, 1, 0.68, "#3a1f14")
        canvas.ellipse(-0.1, -0.12, 0.8, 0.45, "#6b3d26", fade=0.7)
        canvas.line("M-.9 0C-.4 -.25 .35 .25 .9 0", "#1d0e08", 0.13)
