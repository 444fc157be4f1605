"""A palette as a sheet: five colours with their codes, and how well words read on them."""

from __future__ import annotations

from typing import Final

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import contrast, mix, readable, to_lab
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.typesetting import Style, single

_APART: Final = 0.09  # distance in OKLab at which two colours are two
_CODE, _FACT = Style("sans"), Style("text")


def palette_of(brief: Brief) -> list[str]:
    """Five colours of the brief's palette from dark to light, no two alike."""
    palette = brief.palette
    found: list[str] = []
    between = [mix(palette.near, palette.accent, 0.5), mix(palette.accent, palette.paper, 0.55)]
    for colour in (
        palette.near,
        palette.accent,
        palette.sky[0],
        palette.sky[2],
        palette.paper,
        palette.sky[1],
        *between,
    ):
        if all(_distance(colour, other) >= _APART for other in found):
            found.append(colour)
    return sorted(found[:5], key=lambda colour: to_lab(colour).light)


def swatches(canvas: Canvas, brief: Brief) -> None:
    """Columns on a wide sheet, bands on a high one; the darkest leads and takes twice the room."""
    colours = palette_of(brief)
    wide = canvas.width >= canvas.height
    shares = [1.6, *([1.0] * (len(colours) - 1))]
    at, reach = 0.0, canvas.width if wide else canvas.height
    for colour, share in zip(colours, shares, strict=True):
        room = reach * share / sum(shares)
        box = (at, 0.0, room, canvas.height) if wide else (0.0, at, canvas.width, room)
        canvas.rect(box[0], box[1], box[2] + 0.5, box[3] + 0.5, colour)
        _label(canvas, colour, box)
        at += room


def _label(canvas: Canvas, colour: str, box: tuple[float, float, float, float]) -> None:
    """The code, and the contrast of black or white on it: what a designer asks of a colour."""
    ink = readable(colour, "#ffffff", "#111114")
    size = min(canvas.unit * 4.2, box[2] / 6.4)
    x, foot = box[0] + size * 0.9, box[1] + box[3] - size * 1.1
    name = "white" if ink == "#ffffff" else "black"
    single(canvas, f"{name} {contrast(ink, colour):.1f} : 1", _FACT, (x, foot, size * 0.72), ink)
    single(canvas, colour.upper(), _CODE, (x, foot - size * 1.1, size), ink)


def _distance(one: str, other: str) -> float:
    first, second = to_lab(one), to_lab(other)
    return float(sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5)
