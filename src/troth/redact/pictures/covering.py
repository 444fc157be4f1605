"""Makes an area of a picture unknowable. Works in place on RGB pixels (uint8, height x width x 3)."""

from __future__ import annotations

from typing import Any

from troth.redact.picture_rules import Covering
from troth.redact.pictures.geometry import box_of
from troth.redact.pictures.libraries import opencv

COLOUR = (40, 40, 44)
_CELLS = 4  # means along the longer side of an area: a face needs some 20 to be known to people or programs
_STEPS = 16  # between two values of brightness that are kept
_LARGEST_PAINTED = 320  # pixels: larger areas are painted over at a smaller size and brought back
_AROUND = 0.5


def cover(pixels: Any, quad: Any, how: Covering) -> None:
    """Cover the area within `quad` (four corners, float32)."""
    box = _within(quad, pixels)
    if box is None:
        return
    if how == "fill":
        opencv().fillPoly(pixels, [quad.round().astype("int32")], COLOUR)
    elif how == "blur":
        _blur(pixels, quad, box)
    else:
        _paint(pixels, quad, box)


def _within(quad: Any, pixels: Any) -> tuple[int, int, int, int] | None:
    box = box_of(quad)
    left, top = max(0, box.left), max(0, box.top)
    right, bottom = min(pixels.shape[1], box.right), min(pixels.shape[0], box.bottom)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _mask(quad: Any, left: int, top: int, shape: tuple[int, int]) -> Any:
    import numpy as np  # noqa: PLC0415  an extra

    mask = np.zeros(shape, np.uint8)
    opencv().fillPoly(mask, [(quad - (left, top)).round().astype("int32")], 255)
    return mask


def _blur(pixels: Any, quad: Any, box: tuple[int, int, int, int]) -> None:
    """A few coarse means, in steps, and what lies between them: finer things are gone before the blur begins."""
    cv = opencv()
    left, top, right, bottom = box
    part = pixels[top:bottom, left:right]
    height, width = part.shape[:2]
    longest = max(height, width)
    cells = max(1, round(width * _CELLS / longest)), max(1, round(height * _CELLS / longest))
    few = cv.resize(part, cells, interpolation=cv.INTER_AREA) // _STEPS * _STEPS + _STEPS // 2
    soft = cv.resize(few, (width, height), interpolation=cv.INTER_LINEAR)
    mask = _mask(quad, left, top, (height, width))
    part[mask > 0] = soft[mask > 0]


def _paint(pixels: Any, quad: Any, box: tuple[int, int, int, int]) -> None:
    """Telea's inpainting (J. Graphics Tools 9, 2004), over what was filled first: of the old pixels nothing is used."""
    cv = opencv()
    left, top, right, bottom = box
    around = round(max(right - left, bottom - top) * _AROUND) + 2
    left, top = max(0, left - around), max(0, top - around)
    right, bottom = min(pixels.shape[1], right + around), min(pixels.shape[0], bottom + around)
    part = pixels[top:bottom, left:right]
    mask = _mask(quad, left, top, part.shape[:2])
    part[mask > 0] = COLOUR
    factor = min(1.0, _LARGEST_PAINTED / max(part.shape[:2]))
    size = max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor))
    hole = (cv.resize(mask, size, interpolation=cv.INTER_AREA) > 0).astype("uint8")
    painted = cv.inpaint(cv.resize(part, size, interpolation=cv.INTER_AREA), hole, 3, cv.INPAINT_TELEA)
    whole = cv.resize(painted, (part.shape[1], part.shape[0]), interpolation=cv.INTER_LINEAR)
    part[mask > 0] = whole[mask > 0]
