"""Opens uploads at the size that the studio works with: what is larger is made smaller before anything is copied."""

from __future__ import annotations

import io
import math
from typing import Final

from PIL import Image, ImageOps

_ORIENTATION: Final = 0x0112  # of Exif
_ON_ITS_SIDE: Final = 5  # from here on an orientation changes width and height
_LONGEST: Final = 4  # times its place: a still longer strip is shown a little coarser
_FINE: Final = 1.5  # so many times the wished size are left for the last, smooth step
_ROWS: Final = 512  # of a strip, in rows of the picture as it came
_DECODERS: Final = ("PNG", "JPEG", "WEBP")


def upright(content: bytes, side: int, *, cover: tuple[int, int] | None = None) -> Image.Image:
    """The picture upright as RGB, transparency on white, of at most `side` pixels a side. Metadata stays behind.

    `cover`: of what is larger, so much stays that it covers a place of this width and height. Memory: the decoded
    picture and little more. Raises OSError, ValueError or SyntaxError for what cannot be read.
    """
    with Image.open(io.BytesIO(content), formats=_DECODERS) as image:
        turned = image.getexif().get(_ORIENTATION, 1)
        if cover is not None:
            wide, high = image.size if turned < _ON_ITS_SIDE else image.size[::-1]
            needed = math.ceil(max(wide, high) * max(cover[0] / wide, cover[1] / high))
            side = max(side, min(needed, _LONGEST * max(cover)))
        image.draft("RGB", (side, side))  # of JPEG (ITU-T T.81): decoded at a half, a quarter or an eighth
        image.load()
        reduced = _reduced(image if image.mode in {"RGB", "L", "RGBA"} else image.convert("RGBA"), side)
    plain = _on_white(_fitted(reduced, side))
    plain.getexif()[_ORIENTATION] = turned
    plain = ImageOps.exif_transpose(plain)
    plain.info.clear()
    return plain


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """Averaged in strips to somewhat over `side` pixels; a copy."""
    factor = int(max(image.size) / (side * _FINE))
    if factor <= 1:
        return image.copy()
    size = (-(-image.width // factor), -(-image.height // factor))
    reduced, high = Image.new(image.mode, size), max(1, _ROWS // factor)
    for top in range(0, size[1], high):
        box = (0, top * factor, image.width, min(image.height, (top + high) * factor))
        reduced.paste(image.crop(box).reduce(factor), (0, top))
    return reduced


def _fitted(image: Image.Image, side: int) -> Image.Image:
    if max(image.size) > side:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    plain = Image.new("RGB", image.size, "white")
    plain.paste(image, mask=image.getchannel("A"))
    return plain
