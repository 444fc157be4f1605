"""Opens uploads at the size that the studio works with: what is larger is made smaller before anything is copied."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageOps

_ORIENTATION: Final = 0x0112  # of Exif
_FINE: Final = 1.5  # so many times the wished size are left for the last, smooth step
_ROWS: Final = 512  # of a strip, in rows of the picture as it came
_DECODERS: Final = ("PNG", "JPEG", "WEBP")


def upright(content: bytes, side: int) -> Image.Image:
    """The picture upright as RGB, transparency on white, of at most `side` pixels a side. Metadata stays behind.

    Memory: the decoded picture and little more. Raises OSError, ValueError or SyntaxError for what cannot be read.
    """
    with Image.open(io.BytesIO(content), formats=_DECODERS) as image:
        turned = image.getexif().get(_ORIENTATION, 1)
        image.draft("RGB", (side, side))  # of JPEG (ITU-T T.81): decoded at a half, a quarter or an eighth
        image.load()
        small = _smaller(image if image.mode in {"RGB", "L", "RGBA"} else image.convert("RGBA"), side)
    plain = _on_white(small)
    plain.getexif()[_ORIENTATION] = turned
    plain = ImageOps.exif_transpose(plain)
    plain.info.clear()
    return plain


def _smaller(image: Image.Image, side: int) -> Image.Image:
    """At most `side` pixels a side: averaged in strips, then by Lanczos."""
    factor = int(max(image.size) / (side * _FINE))
    if factor > 1:
        size = (-(-image.width // factor), -(-image.height // factor))
        reduced, high = Image.new(image.mode, size), max(1, _ROWS // factor)
        for top in range(0, size[1], high):
            box = (0, top * factor, image.width, min(image.height, (top + high) * factor))
            reduced.paste(image.crop(box).reduce(factor), (0, top))
        image = reduced
    if max(image.size) > side:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    plain = Image.new("RGB", image.size, "white")
    plain.paste(image, mask=image.getchannel("A"))
    return plain
