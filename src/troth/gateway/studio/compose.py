"""Draws a picture from a prompt by rules: the same prompt, size and seed give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from troth.gateway.studio.layouts import draw
from troth.gateway.studio.reading import read
from troth.kernel.errors import Invalid, Unavailable

MIN_SIDE: Final = 64
MAX_SIDE: Final = 2048


@dataclass(frozen=True, slots=True)
class Picture:
    """One composition.

    Attributes: `svg` (only paths and gradients: no fonts, links or scripts), `png` (the same, rendered), `description`
    (what was understood, and that no model was used).
    """

    svg: str
    png: bytes
    description: str


def compose(prompt: str, width: int, height: int, seed: int) -> Picture:
    """A picture of `width` x `height` pixels (64 to 2048).

    Raises `Invalid` (`unsupported-size`), `Unavailable` (`studio-missing`: the renderer is not installed).
    """
    check_size(width, height)
    brief = read(prompt, width, height, seed)
    svg = draw(width, height, brief)
    return Picture(svg, render(svg), brief.sentence())


def check_size(width: int, height: int) -> None:
    """Raises `Invalid` (`unsupported-size`)."""
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
        raise Invalid(
            f"The studio makes pictures of {MIN_SIDE} to {MAX_SIDE} pixels a side.",
            code="unsupported-size",
            field="size",
        )


def render(svg: str) -> bytes:
    """PNG of a document of ours. Raises `Unavailable` (`studio-missing`)."""
    return bytes(_renderer().svg_to_bytes(svg_string=svg, skip_system_fonts=True))


def _renderer() -> Any:
    try:
        import resvg_py  # noqa: PLC0415  native code that only a generating server needs
    except ImportError as error:
        raise Unavailable(
            "Drawing pictures needs an extra: pip install 'troth[studio]', then start the server again.",
            code="studio-missing",
        ) from error
    return resvg_py
