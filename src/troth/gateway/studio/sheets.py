"""Sheets that live from their words: poster, stacked type, block, card, banner, monogram, page of a newsletter.

One margin all round, one scale of sizes (title, and its size / 2.4 below), few colours: a ground, an ink that reads on
it with at least 4.5 (WCAG 2.2), a shape that the ink reads on as well, so that words may cross it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import mix
from troth.gateway.studio.inks import SANS, SERIF, TEXT, clear_of, ink_on, least, margin_of, rule, washed
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.stationery import card, monogram, page
from troth.gateway.studio.typesetting import Block, Column, Line, broken, column, draw_line, put, suited
from troth.gateway.studio.windows import window


class _Inks(NamedTuple):
    """Colours of a sheet: what it is printed on, with, and the one shape."""

    ground: str
    ink: str
    shape: str


def _inks(brief: Brief, rng: random.Random) -> _Inks:
    palette = brief.palette
    ground, shape = rng.choice((
        (palette.paper, palette.accent),
        (palette.near, mix(palette.sky[0], palette.near, 0.35)),
        (mix(palette.sky[2], palette.paper, 0.45), palette.accent),
        (palette.accent, mix(palette.accent, palette.paper, 0.55)),
    ))  # fmt: skip
    ink = ink_on(ground, brief)
    return _Inks(ground, ink, clear_of(shape, ink, ground))


def _footer(canvas: Canvas, brief: Brief, colour: str) -> float:
    """What stands below the title, at the foot of the sheet under a rule; where the rule is."""
    texts, margin = brief.texts[1:], margin_of(canvas)
    if not texts:
        return canvas.height - margin
    wide, size = canvas.width - 2 * margin, canvas.unit * 4.6
    made = column(
        texts, (TEXT, TEXT), Block(0, 0, wide, canvas.height * 0.3), largest=size, least=least(canvas), rows=2
    )
    lines = made.lines
    if len(texts) == 2 and len(lines) == 2 and sum(_wide(line, lines[0].size) for line in lines) < wide * 0.88:
        top = canvas.height - margin - lines[0].baseline
        put(canvas, Column(lines[:1], lines[0].baseline, lines[0].width), Block(margin, top, wide, 0), colour)
        second = lines[1]._replace(baseline=lines[0].baseline, size=lines[0].size)
        put(
            canvas, Column((second,), second.baseline, second.width), Block(margin, top, wide, 0), colour, align="right"
        )
    else:
        even = tuple(
            line._replace(size=lines[0].size, baseline=lines[0].baseline + number * lines[0].size * TEXT.leading)
            for number, line in enumerate(lines)
        )
        top = canvas.height - margin - even[-1].baseline
        put(canvas, Column(even, even[-1].baseline, made.width), Block(margin, top, wide, 0), colour)
    line = top - canvas.unit * 3.6
    rule(canvas, margin, line, wide, colour)
    return line


def _wide(line: Line, size: float) -> float:
    return line.style.width(line.text, size)


def swiss(canvas: Canvas, brief: Brief) -> None:
    """Large words flush left at the top, one great shape that leaves the sheet, facts at the foot."""
    rng, margin = brief.rng("swiss"), margin_of(canvas)
    inks = _inks(brief, rng)
    washed(canvas, inks.ground)
    foot = _footer(canvas, brief, inks.ink)
    foot = foot if brief.texts[1:] else canvas.height
    with canvas.clipped(f'<rect x="0" y="0" width="{canvas.width:.1f}" height="{foot:.1f}"/>'):
        rng.choice((_disc, _quarter, _bars, _arcs))(canvas, inks, foot)
    block = Block(margin, margin, canvas.width - 2 * margin, min(canvas.height * 0.5, foot - 2 * margin))
    made = column(brief.texts[:1], (SANS, TEXT), block, largest=canvas.width * 0.25, least=least(canvas) * 1.6)
    put(canvas, made, block, inks.ink)


def _disc(canvas: Canvas, inks: _Inks, foot: float) -> None:
    canvas.circle(canvas.width * 0.68, foot - canvas.unit * 22, canvas.unit * 46, inks.shape)


def _quarter(canvas: Canvas, inks: _Inks, foot: float) -> None:
    side, x = min(canvas.unit * 86, foot * 0.62), canvas.width
    canvas.path(
        f"M{x:.1f} {foot - side:.1f}A{side:.1f} {side:.1f} 0 0 0 {x - side:.1f} {foot:.1f}H{x:.1f}Z", inks.shape
    )


def _bars(canvas: Canvas, inks: _Inks, foot: float) -> None:
    """Five bars that grow towards the right, with a rhythm of halves."""
    x = canvas.width - margin_of(canvas)
    for number, wide in enumerate((18, 13, 9, 6, 4)):
        x -= canvas.unit * wide
        high = foot * (0.6 - 0.1 * number)
        canvas.rect(x, foot - high, canvas.unit * wide, high, inks.shape)
        x -= canvas.unit * 3


def _arcs(canvas: Canvas, inks: _Inks, foot: float) -> None:
    """Half rings that rise from the rule."""
    for number in range(5, 0, -1):
        colour = inks.shape if number % 2 else inks.ground
        canvas.circle(canvas.width * 0.62, foot, canvas.unit * 10.5 * number, colour)


def stack(canvas: Canvas, brief: Brief) -> None:
    """The title fills the sheet, every line as wide as the margins allow; what is left over is a pattern."""
    rng, margin = brief.rng("stack"), margin_of(canvas)
    inks = _inks(brief, rng)
    washed(canvas, inks.ground)
    foot = _footer(canvas, brief, inks.ink)
    wide, gap = canvas.width - 2 * margin, canvas.unit * 4.4
    title = brief.texts[0].upper()
    style = suited(SANS, title)
    words = title.split()
    lines = words if len(words) <= 4 else broken(title, style, wide, canvas.width * 0.12, 6) or words
    cap = style.letters.cap / style.letters.em
    sizes = [min(wide / style.width(line, 1), canvas.width * 0.8) for line in lines]
    high = foot - (2 if brief.texts[1:] else 1) * margin - gap * (len(lines) - 1)
    scale = min(1.0, high / (sum(sizes) * cap))
    baseline = margin - gap
    for line, size in zip(lines, sizes, strict=True):
        baseline += gap + size * scale * cap
        tail = (
            size * scale * 0.13 if set(line) & set(",;Q\u00c7") else 0.0
        )  # what hangs below the line keeps clear of the next
        draw_line(canvas, Line(line, style, size * scale, 0), margin - size * scale * 0.035, baseline, inks.ink)
        baseline += tail
    left = foot - baseline - 2 * gap
    if left > canvas.unit * 14:
        window(canvas, brief, Block(margin, baseline + gap * 1.2, wide, left - (0 if brief.texts[1:] else gap * 0.2)))


def block(canvas: Canvas, brief: Brief) -> None:
    """A pattern above, a field of one colour below, with everything that is to be read."""
    rng, margin = brief.rng("block"), margin_of(canvas)
    ground = rng.choice((brief.palette.near, brief.palette.paper))
    ink = ink_on(ground, brief)
    place = Block(margin, 0, canvas.width - 2 * margin, canvas.height * 0.5)
    made = column(brief.texts, (SANS, TEXT), place, largest=canvas.width * 0.15, least=least(canvas))
    high = max(canvas.height * 0.4, made.height + 2.2 * margin)
    washed(canvas, ground)
    window(canvas, brief, Block(0, 0, canvas.width, canvas.height - high))
    put(canvas, made, Block(margin, canvas.height - high + margin, place.width, high - 2 * margin), ink, at=0.5)


def split(canvas: Canvas, brief: Brief) -> None:
    """A banner: words on a colour at the left, the picture beside them and not behind them."""
    rng, margin = brief.rng("split"), canvas.unit * 11
    ground = rng.choice((brief.palette.near, brief.palette.paper, brief.palette.near))
    ink = ink_on(ground, brief)
    wide = canvas.width * 0.56
    washed(canvas, ground)
    window(canvas, brief, Block(wide, 0, canvas.width - wide, canvas.height))
    place = Block(margin, margin, wide - 2 * margin, canvas.height - 2 * margin)
    head = SERIF if brief.motif in {"botanical", "flowers", "cup"} else SANS
    made = column(brief.texts, (head, TEXT), place, largest=canvas.height * 0.26, least=canvas.unit * 5.5, rows=3)
    put(canvas, made, place, ink, at=0.5)


SHEETS: Final[Mapping[str, Callable[[Canvas, Brief], None]]] = {
    "swiss": swiss, "stack": stack, "block": block, "card": card, "split": split, "monogram": monogram, "page": page,
}  # fmt: skip
"""By the name that `reading` gives a layout."""
