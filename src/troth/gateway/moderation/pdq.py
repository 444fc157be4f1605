"""PDQ, the perceptual hash that take-down lists are exchanged in: 256 bits and a quality of 0 to 100 for one look.

Facebook 2019, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", sections 4 and 5:
luminance, two rounds of box filters (Jarosz), 64 x 64 points, the 16 x 16 lowest frequencies of a cosine transform,
each compared with their median. Written here, for the library has no ready package for Linux and would ask every
installation for a compiler (decision 0106); tests/conformance compares with what that library says.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Bits = NDArray[np.bool_]

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, of red, green and blue
_POINTS = 64
_KEPT = 16  # lowest frequencies each way, without the mean


def hashes(picture: NDArray[np.uint8]) -> tuple[list[Bits], int]:
    """The hashes of `picture` (height x width x 3) and of its seven turned and mirrored forms, the first as it is, each
    256 bits in the order that PDQ writes them; and the quality, 0 to 100.
    """
    small = _smaller(picture)
    table = _cosines()
    waves = table @ small @ table.T
    return [_bits(form) for form in _turned(waves)], _quality(small)


def _smaller(picture: NDArray[np.uint8]) -> Floats:
    """64 x 64 points of the smoothed luminance."""
    luma = picture.astype(np.float32) @ np.array(_LUMA, dtype=np.float32)
    rows, columns = (_sampled(side) for side in luma.shape)
    return rows @ luma @ columns.T


@lru_cache(maxsize=32)
def _sampled(length: int) -> Floats:
    """64 x length: two rounds of means of neighbours, of which 64 are taken. Windows are cut off at the edges."""
    window = (length + 2 * _POINTS - 1) // (2 * _POINTS)
    half = (window + 2) // 2
    at, place = np.arange(length), np.arange(length)[:, None]
    box = ((at >= place - window + half) & (at < place + half)).astype(np.float64)
    box /= box.sum(axis=1, keepdims=True)
    taken = ((np.arange(_POINTS) + 0.5) * length / _POINTS).astype(np.intp)
    return (box[taken] @ box).astype(np.float32)


@cache
def _cosines() -> Floats:
    wave, point = np.arange(1, _KEPT + 1)[:, None], 2 * np.arange(_POINTS) + 1
    table: Floats = (np.sqrt(2 / _POINTS) * np.cos(np.pi / 2 / _POINTS * wave * point)).astype(np.float32)
    return table


def _quality(small: Floats) -> int:
    """How much there is to see: a sum of steep places, as the paper's own programs count it."""
    steps = sum(int(np.abs(np.trunc(np.diff(small, axis=axis) * 100 / 255)).sum()) for axis in (0, 1))
    return min(100, steps // 90)


def _turned(waves: Floats) -> tuple[Floats, ...]:
    """A picture turned or mirrored has the same frequencies, transposed and with other signs: no second transform."""
    odd = np.where(np.arange(_KEPT) % 2 == 0, -1, 1).astype(np.float32)  # wave 1 is the first: it turns its sign
    turned = waves.T
    return (
        waves,
        turned * odd[:, None],
        waves * odd * odd[:, None],
        turned * odd,
        waves * odd[:, None],
        waves * odd,
        turned,
        turned * odd * odd[:, None],
    )


def _bits(waves: Floats) -> Bits:
    """Each frequency against the median; the last comes first."""
    flat = waves.ravel()
    median = np.partition(flat, flat.size // 2 - 1)[flat.size // 2 - 1]  # the lower of the two, as the paper's programs
    above: Bits = flat > median
    return above[::-1]
