"""Sets up to three lines of words in a column: one scale of sizes, even lines, no word alone where it can be helped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Final, Literal, NamedTuple

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.lettering import Face, FaceName, face

Align = Literal["left", "centre", "right"]
_STEP: Final = 2.4  # between a title and what stands below it
_DEARER: Final = 1.16
# Ways to break a text that are tried, 80 us each for each size and row; beyond, lines are filled one after the other.
_MOST_BREAKS: Final = 60


class Style(NamedTuple):
    """How words look: typeface, capitals, extra space between letters and distance of lines, in em."""

    face: FaceName
    caps: bool = False
    tracking: float = 0.0
    leading: float = 1.12

    @property
    def letters(self) -> Face:
        """The typeface."""
        return face(self.face)

    def width(self, text: str, size: float) -> float:
        """Pixels."""
        return self.letters.width(text, size, self.tracking)


class Block(NamedTuple):
    """Where words go, in pixels: left edge, top, width, height."""

    left: float
    top: float
    width: float
    height: float


class Line(NamedTuple):
    """One line at its place; `baseline` from the top of the column."""

    text: str
    style: Style
    size: float
    baseline: float

    @property
    def width(self) -> float:
        """Pixels."""
        return self.style.width(self.text, self.size)


class Column(NamedTuple):
    """Lines from the top of the first capital to the last baseline (`height`)."""

    lines: tuple[Line, ...]
    height: float
    width: float

    @property
    def title_rows(self) -> int:
        """How many lines the title takes."""
        return sum(line.style == self.lines[0].style and line.size == self.lines[0].size for line in self.lines)

    @property
    def hang(self) -> float:
        """How far the last line's tails reach below the column."""
        last = self.lines[-1]
        return last.size * last.style.letters.descent / last.style.letters.em


def suited(style: Style, text: str) -> Style:
    """The style, or the one next to it that has every letter of the text."""
    if style.letters.knows(text):
        return style
    other: FaceName = "sans" if style.face == "serif" else "text"
    return style._replace(face=other)


def column(
    texts: Sequence[str], styles: tuple[Style, Style], block: Block, *, largest: float, least: float, rows: int = 4
) -> Column:
    """Title and up to two more lines, as large as `block` holds.

    `largest` and `least`: pixels of the title's em, and of the smallest line's. What stands below the title has one
    size: that of the title / 2.4, never under `least` unless the block is too small for anything.
    """
    title = _cased(texts[0], styles[0])
    voices = suited(styles[0], title), styles[1]
    while True:
        made = [_largest(texts, title, voices, block, (largest, least, count)) for count in range(1, rows + 1)]
        fits = [one for one in made if one is not None]
        if fits:  # one line more must bring a title that is clearly larger
            return max(
                fits, key=lambda one: one.lines[0].size * _DEARER ** -sum(line.style == voices[0] for line in one.lines)
            )
        largest, least, rows = min(largest, least), least * 0.94, 12


def _largest(
    texts: Sequence[str], title: str, styles: tuple[Style, Style], block: Block, sizes: tuple[float, float, int]
) -> Column | None:
    size, least, rows = sizes
    while size >= least:
        made = _tried(texts, title, styles, block, (size, least, rows))
        if made is not None:
            return made
        size *= 0.94
    return None


def _tried(
    texts: Sequence[str], title: str, styles: tuple[Style, Style], block: Block, sizes: tuple[float, float, int]
) -> Column | None:
    size, least, rows = sizes
    head = styles[0]
    lines = broken(title, head, block.width, size, rows)
    if lines is None:
        return None
    cap = head.letters.cap / head.letters.em
    baseline, placed = size * cap, list[Line]()
    for number, text in enumerate(lines):
        placed.append(Line(text, head, size, baseline + number * size * head.leading))
    below = max(min(size / _STEP, block.width / 14), least)
    for text in texts[1:]:
        style = suited(styles[1], text)
        shown = _cased(text, style)
        parts = broken(shown, style, block.width, below, 4)
        if parts is None:
            return None
        gap = placed[-1].baseline + max(below * 1.5 + size * 0.14, below * style.leading) if len(placed) == len(lines) \
            else placed[-1].baseline + below * 1.55  # fmt: skip
        placed += [Line(part, style, below, gap + number * below * style.leading) for number, part in enumerate(parts)]
    height, wide = placed[-1].baseline, max(line.width for line in placed)
    return Column(tuple(placed), height, wide) if height <= block.height else None


def broken(text: str, style: Style, limit: float, size: float, rows: int) -> list[str] | None:
    """The text in as few lines as fit, evenly filled, a single short word never alone on the last one of many.

    None where a word is wider than `limit`, or more than `rows` lines are needed.
    """
    words = text.split()
    if not words or max(style.width(word, size) for word in words) > limit:
        return None
    for count in range(1, min(rows, len(words)) + 1):
        best = _evenest(words, style, size, count)
        if max(style.width(line, size) for line in best) <= limit:
            return best
    return None


def _evenest(words: list[str], style: Style, size: float, count: int) -> list[str]:
    if math.comb(len(words) - 1, count - 1) > _MOST_BREAKS:
        return _filled(words, style, size, count)
    wholes = []
    for cuts in combinations(range(1, len(words)), count - 1):
        wholes.append([" ".join(words[start:end]) for start, end in pairwise((0, *cuts, len(words)))])
    return min(wholes, key=lambda lines: _unevenness(lines, style, size))


def _unevenness(lines: list[str], style: Style, size: float) -> float:
    """Squares of what is missing of the widest line; an orphan, or a line that ends with a small word, costs more."""
    widths = [style.width(line, size) for line in lines]
    widest = max(widths)
    uneven = sum(((widest - width) / widest) ** 2 for width in widths)
    orphan = len(lines) > 1 and " " not in lines[-1] and widths[-1] < 0.45 * widest
    weak = sum(len(line.rsplit(" ", 1)[-1]) <= 2 for line in lines[:-1] if " " in line)
    return widest / size / 40 + uneven + 0.5 * orphan + 0.06 * weak


def _filled(words: list[str], style: Style, size: float, count: int) -> list[str]:
    target = style.width(" ".join(words), size) / count * 1.06
    lines: list[list[str]] = [[]]
    for word in words:
        if lines[-1] and len(lines) < count and style.width(" ".join([*lines[-1], word]), size) > target:
            lines.append([])
        lines[-1].append(word)
    return [" ".join(line) for line in lines]


def _cased(text: str, style: Style) -> str:
    return text.upper() if style.caps else text


def put(canvas: Canvas, made: Column, block: Block, colour: str, *, align: Align = "left", at: float = 0.0) -> None:
    """Draws a column in its block; `at` 0 stands at the top, 0.5 in the middle, 1 at the bottom."""
    top = block.top + (block.height - made.height) * at
    for line in made.lines:
        share = {"left": 0.0, "centre": 0.5, "right": 1.0}[align]
        start = block.left + (block.width - line.width) * share
        if align == "left":
            start -= line.size * 0.035  # optical: letters have air at their left
        draw_line(canvas, line, start, top + line.baseline, colour)


def draw_line(canvas: Canvas, line: Line, x: float, baseline: float, colour: str) -> None:
    """One line of outlines."""
    for path, transform in line.style.letters.outline(line.text, x, baseline, line.size, line.style.tracking):
        canvas.path(path, colour, transform=transform)


def single(canvas: Canvas, text: str, style: Style, place: tuple[float, float, float], colour: str) -> float:
    """One line at (x, baseline, size); its width in pixels."""
    x, baseline, size = place
    line = Line(_cased(text, style), suited(style, text), size, 0)
    draw_line(canvas, line, x, baseline, colour)
    return line.width if math.isfinite(line.width) else 0.0
