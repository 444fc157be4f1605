"""Several pictures on one sheet: rows of equal height, every picture cut where it has the least detail."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from troth.gateway.studio.compose import check_size
from troth.gateway.studio.framing import cropped
from troth.gateway.studio.opening import upright

_GUTTERS = 64  # of the shorter side


def collage(pictures: Sequence[bytes], width: int, height: int) -> bytes:
    """A PNG of `width` x `height` of at least two clean pictures. Raises `Invalid` (unsupported-size)."""
    check_size(width, height)
    gutter = max(1, min(width, height) // _GUTTERS)
    sheet = Image.new("RGB", (width, height), "white")
    rows = _rows(len(pictures), wide=width >= height)
    left_over, top = iter(pictures), 0
    for number, count in enumerate(rows):
        bottom = round((height + gutter) * (number + 1) / len(rows)) - gutter
        left = 0
        for place in range(count):
            right = round((width + gutter) * (place + 1) / count) - gutter
            room = max(1, right - left), max(1, bottom - top)
            sheet.paste(cropped(upright(next(left_over), max(room), cover=room), *room), (left, top))
            left = right + gutter
        top = bottom + gutter
    out = io.BytesIO()
    sheet.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _rows(count: int, *, wide: bool) -> list[int]:
    """How many pictures stand in each row: two side by side or one above the other, then as square as can be."""
    if count == 2:
        return [2] if wide else [1, 1]
    rows = max(1, round(count**0.5)) if wide else max(1, -(-count // max(1, round(count**0.5))))
    return [count // rows + (number < count % rows) for number in range(rows)]
