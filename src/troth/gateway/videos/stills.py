"""The two pictures of a video: a thumbnail and a sheet of frames, each with a mark of its own.

A frame of a marked film is no marked picture: three of four carry no mark, and what is left of it is made small here.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from PIL import Image

from troth.gateway.pictures import Marker
from troth.gateway.provenance.watermark import SMALLEST_SIDE
from troth.kernel.errors import UnsupportedMedia

_THUMBNAIL: Final = 512  # longer side, pixels
_SPRITE: Final = 256
_ON_SHEET: Final = 8


class Still(NamedTuple):
    """A picture in its format; `marked`: whether it carries the watermark."""

    content: bytes
    marked: bool


def thumbnail(looks: Sequence[bytes], marker: Marker | None) -> Still:
    """A WebP of a frame of the first half; of another one where that holds no mark. `looks`: JPEG, at least one."""
    first = len(looks) // 3
    made = _finished(_small(looks[first], _THUMBNAIL, marker), "WEBP", marker)
    for place in () if made.marked or marker is None else sorted({len(looks) // 2, len(looks) - 1} - {first}):
        other = _finished(_small(looks[place], _THUMBNAIL, marker), "WEBP", marker)
        if other.marked:
            return other
    return made


def spritesheet(looks: Sequence[bytes], marker: Marker | None) -> Still:
    """A JPEG of at most eight frames in rows of four. `looks`: JPEG, at least one, all of one size."""
    chosen = looks[:: -(-len(looks) // _ON_SHEET)]
    small = [_small(look, _SPRITE, marker) for look in chosen]
    wide, high = small[0].size
    columns = 4 if len(small) > 4 else len(small)
    sheet = Image.new("RGB", (wide * columns, high * -(-len(small) // columns)))
    for number, one in enumerate(small):
        sheet.paste(one, (number % columns * wide, number // columns * high))
    return _finished(sheet, "JPEG", marker)


def encoded(image: Image.Image, kind: str) -> bytes:
    """The picture as a file of this kind, without transparency."""
    out = io.BytesIO()
    image.convert("RGB").save(out, kind, quality=85)
    return out.getvalue()


def _small(look: bytes, most: int, marker: Marker | None) -> Image.Image:
    """At most so large, but no smaller than a mark needs where the film itself is large enough for one."""
    with Image.open(io.BytesIO(look)) as opened:
        least = max(opened.size) * SMALLEST_SIDE / min(opened.size)
        side = max(most, math.ceil(least)) if marker and min(opened.size) >= SMALLEST_SIDE else most
        opened.thumbnail((side, side))
        return opened.copy()


def _finished(image: Image.Image, kind: str, marker: Marker | None) -> Still:
    if marker is not None:
        try:
            return Still(encoded(marker.mark(image), kind), marked=True)
        except UnsupportedMedia:
            pass  # too small, or too little in it: its credentials say what it is
    return Still(encoded(image, kind), marked=False)
