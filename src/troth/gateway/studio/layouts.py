"""Puts a scene on the sheet: edge to edge, in a frame, under an arch, in a disc; the words come first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import mix
from troth.gateway.studio.inks import ink_on
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.sheets import SHEETS
from troth.gateway.studio.typesetting import Align, Block, Column, Style, column, put
from troth.gateway.studio.windows import scene, window

_SERIF_MOTIFS: Final = frozenset({"botanical", "flowers", "cup", "sea", "forest"})
_SANS, _SERIF = Style("sans", leading=1.06), Style("serif", leading=1.12)
_TEXT, _ITALIC = Style("text", leading=1.32), Style("italic", leading=1.3)


def draw(width: int, height: int, brief: Brief) -> str:
    """The whole picture as SVG."""
    canvas = Canvas(width, height)
    (_LAYOUTS.get(brief.layout) or SHEETS[brief.layout])(canvas, brief)
    return canvas.svg()


def words(canvas: Canvas, brief: Brief, block: Block, colour: str, *, left: bool = False) -> None:
    """Sets title, second and third line in `block`, as large as fits, centred unless `left`."""
    put(canvas, _set(canvas, brief, block), block, colour, align="left" if left else "centre", at=0.5)


def _set(canvas: Canvas, brief: Brief, block: Block, rows: int = 3) -> Column:
    """Serif for plants, cups and quiet things, sans for the rest; what stands below has the voice that goes with it."""
    serif = brief.motif in _SERIF_MOTIFS
    head, below = (_SERIF, _ITALIC) if serif else (_SANS, _TEXT)
    if not serif and len(brief.texts[0]) <= 24:
        head = head._replace(caps=True, tracking=0.03)
    largest = min(
        canvas.width * (0.22 if len(brief.texts[0]) <= 8 else 0.15), max(canvas.height * 0.2, canvas.unit * 27)
    )
    return column(brief.texts, (head, below), block, largest=largest, least=canvas.unit * 3.1, rows=rows)


def _full(canvas: Canvas, brief: Brief) -> None:
    """Edge to edge. Words make it a banner (`reading` frames what is not wide): on the left, over a veil."""
    scene(canvas, brief)
    if not brief.texts:
        return
    margin, dark = canvas.unit * 11, mix(brief.palette.near, "#000000", 0.3)
    veil = canvas.linear([f"{dark}@0.92", f"{dark}@0.78", f"{dark}@0"], angle="right")
    canvas.rect(0, 0, canvas.width * 0.8, canvas.height, veil)
    block = Block(margin, margin, canvas.width * 0.48 - margin, canvas.height - 2 * margin)
    words(canvas, brief, block, brief.palette.paper, left=True)


def _below(canvas: Canvas, brief: Brief, block: Block, margin: float) -> float:
    """Sets the words at the foot of the sheet within `block`; how much height they took, with the air around them."""
    made = _set(canvas, brief, block)
    air = max(canvas.unit * 5.5, made.lines[0].size * 0.55)
    high = made.height + made.hang * 0.5 + air + margin
    align: Align = "left" if brief.rng("align").random() < 0.4 and brief.layout == "framed" else "centre"
    put(canvas, made, block._replace(top=canvas.height - high + air), ink_on(brief.palette.paper, brief), align=align)
    return high


def _framed(canvas: Canvas, brief: Brief) -> None:
    """A print: paper margin all round, the words on the paper below the picture."""
    margin = canvas.unit * 6
    _paper(canvas, brief)
    block = Block(margin, 0, canvas.width - 2 * margin, canvas.height * 0.34)
    below = _below(canvas, brief, block, margin) if brief.texts else margin
    window(canvas, brief, Block(margin, margin, canvas.width - 2 * margin, canvas.height - margin - below))


def _arch(canvas: Canvas, brief: Brief) -> None:
    """A window with a round top."""
    side = canvas.unit * 12
    _paper(canvas, brief)
    block = Block(side * 0.7, 0, canvas.width - 1.4 * side, canvas.height * 0.34)
    below = _below(canvas, brief, block, canvas.unit * 8) if brief.texts else canvas.height * 0.09
    box = Block(side, canvas.unit * 8, canvas.width - 2 * side, canvas.height - canvas.unit * 8 - below)
    radius = min(box.width / 2, box.height * 0.7)
    curve = f"A{box.width / 2:.1f} {radius:.1f} 0 0 1 {box.width:.1f} {radius:.1f}"
    bow = f"M0 {box.height:.1f}L0 {radius:.1f}{curve}L{box.width:.1f} {box.height:.1f}Z"
    window(canvas, brief, box, f'<path d="{bow}"/>')


def _round(canvas: Canvas, brief: Brief) -> None:
    """A badge: the scene in a disc with a ring, words below it when there are any."""
    _paper(canvas, brief)
    block = Block(canvas.width * 0.2, 0, canvas.width * 0.6, canvas.height * 0.24)
    below = _below(canvas, brief, block, canvas.unit * 8) if brief.texts else 0.0
    top = canvas.unit * 8 if brief.texts else 0.0
    high = canvas.height - top - below
    radius = (min(canvas.width, high) / 2) * (0.9 if brief.texts else 0.84)
    x, y = canvas.width / 2, top + high / 2
    canvas.circle(x, y, radius * 1.07, ink_on(brief.palette.paper, brief))
    canvas.circle(x, y, radius * 1.045, brief.palette.paper)
    box = Block(x - radius, y - radius, 2 * radius, 2 * radius)
    window(canvas, brief, box, f'<circle cx="{radius:.1f}" cy="{radius:.1f}" r="{radius:.1f}"/>')


def _paper(canvas: Canvas, brief: Brief) -> None:
    if not brief.bare:
        canvas.rect(0, 0, canvas.width, canvas.height, brief.palette.paper)


_LAYOUTS: Final[Mapping[str, Callable[[Canvas, Brief], None]]] = {
    "full": _full, "framed": _framed, "arch": _arch, "round": _round,
}  # fmt: skip
