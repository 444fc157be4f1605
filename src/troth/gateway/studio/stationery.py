"""Card, monogram and the front page of a newsletter."""

from __future__ import annotations

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import mix
from troth.gateway.studio.inks import CAPS, ITALIC, SANS, SERIF, TEXT, ink_on, least, rule, washed
from troth.gateway.studio.reading import Brief
from troth.gateway.studio.typesetting import Align, Block, Column, column, put, suited
from troth.gateway.studio.windows import window


def card(canvas: Canvas, brief: Brief) -> None:
    """Words in the middle within a fine frame, as on an invitation."""
    palette, margin = brief.palette, canvas.unit * 6
    ink = ink_on(palette.paper, brief)
    washed(canvas, palette.paper)
    line = mix(palette.accent, ink, 0.25)
    for inset, wide in ((margin, 0.45), (margin * 1.28, 0.18)):
        _frame(canvas, inset, canvas.unit * wide, line)
    inner = Block(margin * 3.2, margin * 2.8, canvas.width - margin * 6.4, canvas.height - margin * 5.6)
    air = canvas.unit * 8
    title = column(brief.texts[:1], (SERIF, ITALIC), inner._replace(height=inner.height * 0.55),
                   largest=canvas.width * 0.12, least=least(canvas) * 1.5)  # fmt: skip
    below = [_middle(text, inner.width, title, canvas) for text in brief.texts[1:]]
    ornament = air if below else 0.0
    total = title.height + ornament * 1.1 + sum(one.height + one.lines[0].size for one in below)
    top = inner.top + (inner.height - total) / 2
    put(canvas, title, inner._replace(top=top, height=title.height), ink, align="centre")
    top += title.height + title.hang * 0.6 + ornament * 0.5
    if below:
        _ornament(canvas, top, line)
        top += ornament * 0.5
    for one in below:
        top += one.lines[0].size * 0.35
        put(canvas, one, inner._replace(top=top, height=one.height), ink, align="centre")
        top += one.height + one.lines[0].size * 0.6


def _middle(text: str, width: float, title: Column, canvas: Canvas) -> Column:
    size = max(title.lines[0].size / 2.4, least(canvas) * 1.15)
    return column([text], (ITALIC, ITALIC), Block(0, 0, width, canvas.height * 0.2), largest=size, least=least(canvas))


def _frame(canvas: Canvas, inset: float, width: float, colour: str) -> None:
    x, y = canvas.width - inset, canvas.height - inset
    canvas.line(f"M{inset:.1f} {inset:.1f}L{x:.1f} {inset:.1f}L{x:.1f} {y:.1f}L{inset:.1f} {y:.1f}Z", colour, width)


def _ornament(canvas: Canvas, y: float, colour: str) -> None:
    middle, reach, size = canvas.width / 2, canvas.unit * 9, canvas.unit * 1.1
    for side in (-1, 1):
        canvas.line(f"M{middle + side * size * 2.2:.1f} {y:.1f}L{middle + side * reach:.1f} {y:.1f}", colour,
                    canvas.unit * 0.3)  # fmt: skip
    canvas.path(
        f"M{middle:.1f} {y - size:.1f}l{size:.1f} {size:.1f}l{-size:.1f} {size:.1f}l{-size:.1f} {-size:.1f}Z", colour
    )


def monogram(canvas: Canvas, brief: Brief) -> None:
    """A first letter in a shape, and the name below it."""
    rng, palette = brief.rng("monogram"), brief.palette
    if not brief.bare:
        washed(canvas, palette.paper)
    shape = rng.choice((palette.near, mix(palette.accent, palette.near, 0.15)))
    letter = next((sign for sign in brief.texts[0] if sign.isalnum()), brief.texts[0][0]).upper()
    radius, x = canvas.unit * 24, canvas.width / 2
    place = Block(0, 0, canvas.width * 0.8, canvas.height * 0.26)
    voices = CAPS._replace(face="sans"), CAPS
    name = column(brief.texts, voices, place, largest=canvas.unit * 9.5, least=least(canvas))
    gap = canvas.unit * 8
    top = (canvas.height - 2 * radius - gap - name.height) / 2
    rng.choice((_round_badge, _arch_badge, _leaf_badge))(canvas, (x, top + radius, radius), shape)
    style = suited(rng.choice((SERIF, SANS)), letter)
    size = radius * 1.15 / (style.letters.cap / style.letters.em)
    made = column([letter], (style, style), Block(0, 0, canvas.width, canvas.height), largest=size, least=1)
    put(canvas, made, Block(x - radius, top, 2 * radius, 2 * radius), ink_on(shape, brief), align="centre", at=0.5)
    put(canvas, name, Block(canvas.width * 0.1, top + 2 * radius + gap, canvas.width * 0.8, name.height),
        ink_on(palette.paper, brief), align="centre")  # fmt: skip


_Badge = tuple[float, float, float]


def _round_badge(canvas: Canvas, place: _Badge, colour: str) -> None:
    canvas.circle(*place, colour)


def _arch_badge(canvas: Canvas, place: _Badge, colour: str) -> None:
    x, y, r = place
    bow = f"A{r:.1f} {r:.1f} 0 0 1 {x + r:.1f} {y:.1f}"
    canvas.path(f"M{x - r:.1f} {y + r:.1f}V{y:.1f}{bow}V{y + r:.1f}Z", colour)


def _leaf_badge(canvas: Canvas, place: _Badge, colour: str) -> None:
    """Two round corners, two sharp ones."""
    x, y, r = place
    bows = [f"A{r:.1f} {r:.1f} 0 0 1 {end:.1f} {y:.1f}" for end in (x + r, x - r)]
    canvas.path(f"M{x - r:.1f} {y - r:.1f}H{x:.1f}{bows[0]}V{y + r:.1f}H{x:.1f}{bows[1]}Z", colour)


def page(canvas: Canvas, brief: Brief) -> None:
    """The front of a newsletter: masthead, picture, and lines where the text will stand."""
    palette, margin, unit = brief.palette, canvas.unit * 8, canvas.unit
    ink = ink_on(palette.paper, brief)
    wide = canvas.width - 2 * margin
    washed(canvas, palette.paper)
    head = column(brief.texts[:1], (SERIF, TEXT), Block(0, 0, wide, canvas.height * 0.2), largest=canvas.width * 0.14,
                  least=least(canvas) * 1.5, rows=2)  # fmt: skip
    put(canvas, head, Block(margin, margin, wide, head.height), ink)
    top = margin + head.height + unit * 4
    rule(canvas, margin, top, wide, ink)
    top += unit * 2.6
    sides: tuple[tuple[Align, float], ...] = (("left", margin), ("right", margin + wide * 0.52))
    for text, (side, x) in zip(brief.texts[1:], sides, strict=False):
        place = Block(x, top, wide * 0.48, unit * 12)
        made = column([text], (CAPS, CAPS), place, largest=least(canvas), least=unit * 2.4)
        put(canvas, made, place, ink, align=side)
    top += unit * (6 if brief.texts[1:] else 1)
    high = canvas.height * 0.36
    window(canvas, brief, Block(margin, top, wide, high))
    below = Block(margin, top + high + unit * 6, wide, canvas.height - margin)
    _copy(canvas, brief, below, mix(ink, palette.paper, 0.72))


def _copy(canvas: Canvas, brief: Brief, place: Block, colour: str) -> None:
    """Two columns of lines down to `place.height`, in paragraphs; the first begins with a heading."""
    rng, gutter, step = brief.rng("copy"), canvas.unit * 6, canvas.unit * 3
    wide = (place.width - gutter) / 2
    for number in range(2):
        x, y, left = place.left + number * (wide + gutter), place.top, 0
        canvas.rect(x, y, wide * (0.72, 0.55)[number], step * 0.9, brief.palette.accent)
        y += step * 2
        while y < place.height - step * 0.4:
            left = left or rng.randint(4, 6)
            share = rng.uniform(0.45, 0.75) if left == 1 else 1
            canvas.rect(x, y, wide * share, step * 0.36, colour)
            left -= 1
            y += step * (1.7 if left == 0 else 1)
