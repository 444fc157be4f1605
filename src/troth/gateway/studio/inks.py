"""What sheets share: inks that read, the margin, the smallest size, the voices."""

from __future__ import annotations

from typing import Final

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import contrast, mix, readable
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.typesetting import Style

READABLE: Final = 4.5
"""WCAG 2.2, 1.4.3: contrast of text with what lies behind it."""

SANS, SERIF = Style("sans", leading=1.04), Style("serif", leading=1.1)
TEXT, ITALIC = Style("text", leading=1.32), Style("italic", leading=1.3)
CAPS: Final = Style("text", caps=True, tracking=0.12, leading=1.5)


def ink_on(ground: str, brief: Brief) -> str:
    """The palette's dark or light that reads best on `ground`; plain black or white where neither has 4.5."""
    best = readable(ground, brief.palette.near, brief.palette.paper)
    return best if contrast(best, ground) >= READABLE else readable(ground, "#000000", "#ffffff")


def clear_of(shape: str, ink: str, ground: str) -> str:
    """`shape`, brought towards the ground until the ink reads on it with 4.5."""
    for _ in range(40):
        if contrast(shape, ink) >= READABLE:
            return shape
        shape = mix(shape, ground, 0.12)
    return ground


def margin_of(canvas: Canvas) -> float:
    """Pixels that stay free all round."""
    return canvas.unit * 7


def least(canvas: Canvas) -> float:
    """The smallest size that is still read from where a sheet of this size is looked at."""
    return canvas.unit * 3.1


def rule(canvas: Canvas, left: float, top: float, width: float, colour: str) -> None:
    """A thin line."""
    canvas.rect(left, top, width, max(1.0, canvas.unit * 0.35), colour)


def washed(canvas: Canvas, colour: str) -> None:
    """The whole sheet in one colour."""
    canvas.rect(0, 0, canvas.width, canvas.height, colour)
