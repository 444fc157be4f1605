"""Larger pictures: Lanczos, then back-projection until the large picture, made small again, is the one that came.

Irani and Peleg, "Improving resolution by image registration" (1991). No detail is made up.
"""

from __future__ import annotations

from typing import Final

from PIL import Image

from troth.redact.pictures.libraries import opencv

_ROUNDS: Final = 3  # more change less than 0.01 dB


def enlarged(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The RGB or RGBA picture at a larger size (both sides). Raises `Unavailable` (`extra-missing`)."""
    import numpy as np  # noqa: PLC0415  an extra

    opencv()  # says what to install before numpy's absence does
    bands = []
    for band in image.split():
        small = np.asarray(band, np.float32)
        large = np.asarray(Image.fromarray(small).resize(size, Image.Resampling.LANCZOS))
        for _ in range(_ROUNDS):
            off = small - np.asarray(Image.fromarray(large).resize(image.size, Image.Resampling.BOX))
            large = large + np.asarray(Image.fromarray(off).resize(size, Image.Resampling.BICUBIC))
        bands.append(Image.fromarray(np.clip(large + 0.5, 0, 255).astype(np.uint8)))
    return Image.merge(image.mode, bands)
