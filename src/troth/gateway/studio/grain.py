"""The grain of paper on flat sheets: print looks less like a screen, and a watermark has something to hold on to."""

from __future__ import annotations

import io
import math
import random
from typing import Final

from PIL import Image, ImageChops, ImageFilter

_ACROSS: Final = 220  # grains along the shorter side
_STRENGTH: Final = 4.0  # standard deviation in grey values


def papered(png: bytes, seed: str) -> bytes:
    """The opaque picture with soft grain, the same for the same seed on every machine."""
    with Image.open(io.BytesIO(png)) as opened:
        plain = opened.convert("RGB")
    noise = random.Random(f"{seed}/grain").randbytes(plain.width * plain.height)  # noqa: S311  pictures, not keys
    radius = max(0.8, min(plain.size) / _ACROSS)
    soft = Image.frombytes("L", plain.size, noise).filter(ImageFilter.GaussianBlur(radius))
    gain = _STRENGTH * 2 * math.sqrt(math.pi) * radius / 73.9  # the blur took the rest
    grains = soft.point([min(255, max(0, round(128 + (value - 127.5) * gain))) for value in range(256)])
    out = io.BytesIO()
    ImageChops.add(plain, Image.merge("RGB", (grains,) * 3), 1, -128).save(out, "PNG", compress_level=6)
    return out.getvalue()
