"""Draws a picture from a prompt by rules: the same prompt, size and seed give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from troth.gateway.studio.grain import papered
from troth.gateway.studio.layouts import draw
from troth.gateway.studio.palettes import toned
from troth.gateway.studio.reading import read
from troth.gateway.studio.sheets import SHEETS
from troth.kernel.errors import Invalid, Unavailable

MIN_SIDE: Final = 64
MAX_SIDE: Final = 2048


@dataclass(frozen=True, slots=True)
class Picture:
    """One composition.

    Attributes: `svg` (only paths and gradients: no fonts, links or scripts), `png` (the same, rendered; flat sheets
    with the grain of paper), `description` (what was understood, and that no model was used).
    """

    svg: str
    png: bytes
    description: str


@dataclass(frozen=True, slots=True)
class Wish:
    """How a picture should be: without paper behind it, and how strong its colours are."""

    bare: bool = False
    style: Literal["vivid", "natural"] | None = None


_STRENGTH: Final = {"vivid": 1.3, "natural": 0.75}
_PLAIN: Final = Wish()


def compose(prompt: str, width: int, height: int, seed: int, *, wish: Wish = _PLAIN) -> Picture:
    """A picture of `width` x `height` pixels (64 to 2048).

    A scene that fills its sheet becomes a badge when the background is to stay transparent. Raises `Invalid`
    (`unsupported-size`), `Unavailable` (`studio-missing`: the renderer is not installed).
    """
    check_size(width, height)
    brief = read(prompt, width, height, seed)
    if wish.style:
        brief = replace(brief, palette=toned(brief.palette, _STRENGTH[wish.style]))
    if wish.bare:
        brief = replace(brief, bare=True, layout="round" if brief.layout == "full" else brief.layout)
    svg = draw(width, height, brief)
    png = render(svg)
    flat = brief.layout in SHEETS or brief.motif in {"pattern", "geometric"}
    if flat and not brief.bare and brief.motif != "palette":  # the colours of a palette are meant as they are
        png = papered(png, brief.seed)
    return Picture(svg, png, brief.sentence())


def stages(svg: str, count: int) -> list[str]:
    """The picture while it is being drawn: `count` documents with ever more of its shapes, from the back to the front.

    Takes documents of `Canvas`: one shape, or one end of a group, on a line.
    """
    head, _, rest = svg.partition("</defs>\n")
    shapes = rest.removesuffix("\n</svg>\n").split("\n")
    cuts = [shapes[: max(1, len(shapes) * (number + 1) // (count + 1))] for number in range(count)]
    return [f"{head}</defs>\n" + "\n".join(cut) + "</g>" * _unclosed(cut) + "\n</svg>\n" for cut in cuts]


def _unclosed(shapes: list[str]) -> int:
    return sum(shape.startswith("<g ") for shape in shapes) - shapes.count("</g>")


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
