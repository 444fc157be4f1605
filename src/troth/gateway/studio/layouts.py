"""Puts a scene on the sheet: edge to edge, in a frame, under an arch, in a disc; and sets the words."""

from __future__ import annotations

from typing import NamedTuple

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import contrast, mix, readable
from troth.gateway.studio.lettering import Face, FaceName, face, fitted, wrapped
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.scenes import SCENES
from troth.gateway.studio.scenes.sky import snowfall


class Block(NamedTuple):
    """Where words go, in pixels: left edge, top, width, height."""

    left: float
    top: float
    width: float
    height: float


def draw(width: int, height: int, brief: Brief) -> str:
    """The whole picture as SVG."""
    canvas = Canvas(width, height)
    {"full": _full, "framed": _framed, "arch": _arch, "round": _round}[brief.layout](canvas, brief)
    return canvas.svg()


def _full(canvas: Canvas, brief: Brief) -> None:
    """Edge to edge. Words make it a banner (`reading` frames what is not wide): on the left, over a veil."""
    _scene(canvas, brief)
    if not brief.texts:
        return
    margin, dark = canvas.unit * 8, mix(brief.palette.near, "#000000", 0.3)
    veil = canvas.linear([f"{dark}@0.9", f"{dark}@0.74", f"{dark}@0"], angle="right")
    canvas.rect(0, 0, canvas.width * 0.72, canvas.height, veil)
    block = Block(margin, margin, canvas.width * 0.48, canvas.height - 2 * margin)
    words(canvas, brief, block, brief.palette.paper, left=True)


def _framed(canvas: Canvas, brief: Brief) -> None:
    """A print: paper margin all round, the words on the paper below the picture."""
    margin = canvas.unit * 6
    below = canvas.height * (0.24 if brief.texts else 0) + (0 if brief.texts else margin)
    box = Block(margin, margin, canvas.width - 2 * margin, canvas.height - margin - below)
    canvas.rect(0, 0, canvas.width, canvas.height, brief.palette.paper)
    _window(canvas, brief, box, f'<rect x="0" y="0" width="{box.width:.1f}" height="{box.height:.1f}"/>')
    if brief.texts:
        block = Block(margin * 1.2, box.top + box.height, canvas.width - margin * 2.4, below)
        words(canvas, brief, block, _ink(brief))


def _arch(canvas: Canvas, brief: Brief) -> None:
    """A window with a round top."""
    side = canvas.unit * 12
    below = canvas.height * (0.25 if brief.texts else 0.09)
    box = Block(side, canvas.unit * 8, canvas.width - 2 * side, canvas.height - canvas.unit * 8 - below)
    radius = min(box.width / 2, box.height * 0.7)
    curve = f"A{box.width / 2:.1f} {radius:.1f} 0 0 1 {box.width:.1f} {radius:.1f}"
    bow = f"M0 {box.height:.1f}L0 {radius:.1f}{curve}L{box.width:.1f} {box.height:.1f}Z"
    canvas.rect(0, 0, canvas.width, canvas.height, brief.palette.paper)
    _window(canvas, brief, box, f'<path d="{bow}"/>')
    if brief.texts:
        words(canvas, brief, Block(side, box.top + box.height, box.width, below), _ink(brief))


def _round(canvas: Canvas, brief: Brief) -> None:
    """A badge: the scene in a disc with a ring, words below it when there are any."""
    below = canvas.height * 0.22 if brief.texts else 0
    radius = (min(canvas.width, canvas.height - below) / 2) * 0.84
    box = Block(canvas.width / 2 - radius, (canvas.height - below) / 2 - radius, 2 * radius, 2 * radius)
    canvas.rect(0, 0, canvas.width, canvas.height, brief.palette.paper)
    canvas.circle(canvas.width / 2, (canvas.height - below) / 2, radius * 1.07, _ink(brief))
    canvas.circle(canvas.width / 2, (canvas.height - below) / 2, radius * 1.045, brief.palette.paper)
    _window(canvas, brief, box, f'<circle cx="{radius:.1f}" cy="{radius:.1f}" r="{radius:.1f}"/>')
    if brief.texts:
        words(
            canvas,
            brief,
            Block(canvas.unit * 8, canvas.height - below, canvas.width - canvas.unit * 16, below),
            _ink(brief),
        )


def _window(canvas: Canvas, brief: Brief, box: Block, shape: str) -> None:
    """The scene drawn for a smaller sheet, shown through `shape`."""
    outer = canvas.width, canvas.height, canvas.unit
    with canvas.moved(f"translate({box.left:.1f} {box.top:.1f})"), canvas.clipped(shape):
        canvas.width, canvas.height, canvas.unit = box.width, box.height, min(box.width, box.height) / 100
        _scene(canvas, brief)
    canvas.width, canvas.height, canvas.unit = outer


def _scene(canvas: Canvas, brief: Brief) -> None:
    SCENES[brief.motif](canvas, brief)
    if not brief.extras.isdisjoint({"snow", "snowy"}):
        snowfall(canvas, brief.rng("snow"))


def _ink(brief: Brief) -> str:
    """The palette's darkest colour, darkened until it reads well on its paper (WCAG 2.2: 4.5)."""
    colour = brief.palette.near
    while contrast(colour, brief.palette.paper) < 4.5:
        colour = mix(colour, "#000000", 0.25)
    return readable(brief.palette.paper, colour)


def words(canvas: Canvas, brief: Brief, block: Block, colour: str, *, left: bool = False) -> None:
    """Sets title, second and third line in `block`, as large as fits, centred unless `left`."""
    letters = _face(brief)
    caps = letters is face("sans")
    title = brief.texts[0].upper() if caps and len(brief.texts[0]) <= 28 else brief.texts[0]
    tracking = 0.06 if caps else 0.0
    size = min(block.height * (0.5 if len(brief.texts) == 1 else 0.4), block.width * 0.2)
    lines = wrapped(title, letters, block.width, size, tracking)
    while len(lines) * size * 1.1 > block.height * (0.72 if len(brief.texts) == 1 else 0.55) and size > 4:
        size *= 0.9
        lines = wrapped(title, letters, block.width, size, tracking)
    size = fitted(lines, letters, block.width, size, tracking)
    rest = [(text, min(size * 0.36, fitted([text], face("sans"), block.width, size, 0.12))) for text in brief.texts[1:]]
    rest = [(text.upper(), fitted([text.upper()], face("sans"), block.width, small, 0.12)) for text, small in rest]
    total = len(lines) * size * 1.1 - size * (1.1 - letters.cap / letters.em) + sum(small * 1.9 for _, small in rest)
    baseline = block.top + (block.height - total) / 2 + size * letters.cap / letters.em
    for line in lines:
        _set(canvas, (line, letters, size, tracking), (block, baseline, left), colour)
        baseline += size * 1.1
    baseline -= size * 1.1
    for text, small in rest:
        baseline += small * 1.9
        _set(canvas, (text, face("sans"), small, 0.12), (block, baseline, left), colour)


def _set(canvas: Canvas, line: tuple[str, Face, float, float], place: tuple[Block, float, bool], colour: str) -> None:
    text, letters, size, tracking = line
    block, baseline, left = place
    start = block.left if left else block.left + (block.width - letters.width(text, size, tracking)) / 2
    for path, transform in letters.outline(text, start, baseline, size, tracking):
        canvas.path(path, colour, transform=transform)


def _face(brief: Brief) -> Face:
    """Serif for plants, cups and quiet things, sans for the rest; the other one when a character is missing."""
    first: FaceName = "serif" if brief.motif in {"botanical", "flowers", "cup", "sea", "forest"} else "sans"
    return face(first) if face(first).knows(brief.texts[0]) else face("sans")
