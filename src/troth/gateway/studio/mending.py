"""What a mask covers is taken away: the hole is filled with patches from around it, so that textures go on.

Exemplar-based filling (Criminisi, Perez, Toyama 2004): the place on the rim that is best known and where edges run into
the hole is filled first, with the patch from outside that fits what is known there. It is done on a small copy; the
large picture takes its own pixels from where the small one took its. Without enough picture around the hole, or when
the hole is so large that the search would take seconds, Navier-Stokes inpainting (Bertalmio et al. 2001) of the small
copy goes on with its colours.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, Final, NamedTuple

from PIL import Image, ImageOps

from troth.redact.pictures.libraries import opencv

_HALF: Final = 4  # of a patch of 9 x 9
_PATCH: Final = 2 * _HALF + 1
_WORK, _LARGE_WORK = 180, 120  # longest side that is searched for patches; around a hole of over a third of it
_STEPS: Final = 600  # patches at most, of some 3 to 5 ms of one core each; what is then open gets colours alone
_NEAR: Final = 0.15  # how much dearer a patch at the other end of the picture is
_STRIP: Final = 64  # rows that are filled at once
_OPEN: Final = 24  # of 255: from here a mask's pixel counts as open


class _Part(NamedTuple):
    """The part of a picture around its hole."""

    top: int
    bottom: int
    left: int
    right: int


def hole(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """What a mask opens, as white on black: its transparent area, or its white one when it has no transparency."""
    opened = ImageOps.invert(mask.getchannel("A")) if "A" in mask.getbands() else mask.convert("L")
    return opened.resize(size, Image.Resampling.BILINEAR)


def mended(image: Image.Image, opened: Image.Image) -> Image.Image:
    """The RGB picture with the hole filled; only a soft rim changes besides. Raises Unavailable (`extra-missing`)."""
    import numpy as np  # noqa: PLC0415  an extra

    cv, pixels = opencv(), np.asarray(image)
    gap = cv.dilate((np.asarray(opened) >= _OPEN).astype(np.uint8), np.ones((5, 5), np.uint8))
    if gap.all():  # nothing is known of the picture
        return Image.new("RGB", image.size, "#808080")
    filled = pixels.copy()
    part = _around(gap)
    inner = np.s_[part.top : part.bottom, part.left : part.right]
    filled[inner] = _patched(pixels[inner], gap[inner].astype(bool))
    soft = cv.GaussianBlur(gap.astype(np.float32), (0, 0), max(0.8, max(image.size) / 900))
    np.maximum(soft, gap, out=soft)  # softened outwards: of what was covered nothing shines through
    for top in range(0, len(filled), _STRIP):
        rows = slice(top, top + _STRIP)
        share = soft[rows][..., None]
        filled[rows] = filled[rows] * share + pixels[rows] * (1 - share) + np.float32(0.5)
    return Image.fromarray(filled, "RGB")


def _around(gap: Any) -> _Part:
    import numpy as np  # noqa: PLC0415  an extra

    rows, columns = np.flatnonzero(gap.any(1)), np.flatnonzero(gap.any(0))
    margin = max(24, round(0.9 * max(np.ptp(rows), np.ptp(columns))))
    return _Part(max(0, rows[0] - margin), min(gap.shape[0], rows[-1] + margin + 1),
                 max(0, columns[0] - margin), min(gap.shape[1], columns[-1] + margin + 1))  # fmt: skip


def _patched(pixels: Any, gap: Any) -> Any:
    """The part with its gap (bool) filled, at full size."""
    import numpy as np  # noqa: PLC0415  an extra

    cv, (high, wide) = opencv(), gap.shape
    scale = min(1.0, (_LARGE_WORK if gap.mean() > 1 / 3 else _WORK) / max(high, wide))
    size = max(_PATCH, round(wide * scale)), max(_PATCH, round(high * scale))
    small = cv.resize(pixels, size, interpolation=cv.INTER_AREA)
    small_gap = cv.resize(gap.astype(np.uint8) * 255, size, interpolation=cv.INTER_AREA) > 0
    sources = _Filling(cv.cvtColor(small, cv.COLOR_RGB2LAB).astype(np.float32), small_gap).run()
    if sources is None:
        return _blurred(pixels, gap, size)
    filled, bare = pixels.copy(), np.zeros(gap.shape, np.uint8)
    for top in range(0, high, _STRIP):
        rows, columns = np.nonzero(gap[top : top + _STRIP])
        rows += top
        filled[rows, columns], bare[rows, columns] = _taken(pixels, gap, sources, (rows, columns))
    if not bare.any():
        return filled
    return _blurred(filled, bare.astype(bool), size)


def _taken(pixels: Any, gap: Any, sources: tuple[Any, ...], places: tuple[Any, Any]) -> tuple[Any, Any]:
    """The colours (uint8) of some places of the gap, and which of them have none."""
    import numpy as np  # noqa: PLC0415  an extra

    (rows, columns), (high, wide), size = places, gap.shape, sources[0].shape
    low, near = rows * size[0] // high, columns * size[1] // wide
    total, weights = np.zeros((len(rows), 3), np.float32), np.zeros((len(rows), 1), np.float32)
    for down, across in product((-2, -1, 0, 1, 2), repeat=2):  # seams soften where neighbours take from other places
        by_row, by_column = np.clip(low + down, 0, size[0] - 1), np.clip(near + across, 0, size[1] - 1)
        from_rows = rows + np.rint((sources[0][by_row, by_column] - by_row) * high / size[0]).astype(int)
        from_columns = columns + np.rint((sources[1][by_row, by_column] - by_column) * wide / size[1]).astype(int)
        inside = (from_rows >= 0) & (from_rows < high) & (from_columns >= 0) & (from_columns < wide)
        known = from_rows[inside], from_columns[inside]
        weight = np.zeros((len(rows), 1), np.float32)
        weight[inside, 0] = math.exp(-(down**2 + across**2) / 4) * ~gap[known]  # rounding may lead into the hole
        total[inside] += weight[inside] * pixels[known]
        weights += weight
    return (total / np.maximum(weights, 1e-6) + 0.5).astype(np.uint8), weights[:, 0] < 1e-6


def _blurred(pixels: Any, gap: Any, size: tuple[int, int]) -> Any:
    """The gap filled with colours from its rim, in a copy of `size`: at full size this takes 10 s of one core."""
    import numpy as np  # noqa: PLC0415  an extra

    cv, filled, (high, wide) = opencv(), pixels.copy(), gap.shape
    small = cv.resize(pixels, size, interpolation=cv.INTER_AREA)
    small_gap = cv.resize(gap.astype(np.uint8) * 255, size, interpolation=cv.INTER_AREA) > 0
    if small_gap.all():  # what is known is lost in so small a copy
        filled[gap] = (pixels[~gap].mean(0) + 0.5).astype(np.uint8)
        return filled
    rough = cv.inpaint(small, small_gap.astype(np.uint8), 5, cv.INPAINT_NS)
    filled[gap] = cv.resize(rough, (wide, high), interpolation=cv.INTER_CUBIC)[gap]
    return filled


class _Filling:
    """One run over a small part: LAB pixels (float32) and what is missing of them (bool)."""

    def __init__(self, pixels: Any, gap: Any) -> None:
        import numpy as np  # noqa: PLC0415  an extra

        self._cv = opencv()
        self._high, self._wide = gap.shape
        edge = (_HALF, _HALF, _HALF, _HALF)
        self._original = self._cv.copyMakeBorder(pixels, *edge, self._cv.BORDER_REFLECT)
        self._work = self._original.copy()
        self._todo = np.pad(gap, _HALF)
        self._inside = np.pad(np.ones_like(gap), _HALF)
        self._trust = np.pad((~gap).astype(np.float32), _HALF)
        known = self._cv.erode((self._inside & ~self._todo).astype(np.uint8), np.ones((_PATCH, _PATCH), np.uint8))
        self._whole = known[_HALF:-_HALF, _HALF:-_HALF].astype(bool)  # by the corner of the patch
        self._rows, self._columns = np.mgrid[-_HALF : self._high + _HALF, -_HALF : self._wide + _HALF]
        self._grid = np.ogrid[0 : self._high, 0 : self._wide]

    def run(self) -> tuple[Any, ...] | None:
        """From which row and column each pixel is taken; None where too little is known around the hole."""
        if self._whole.sum() < _PATCH * _PATCH:
            return None
        for _ in range(_STEPS):
            if not self._todo.any():
                break
            self._step()
        return tuple(one[_HALF:-_HALF, _HALF:-_HALF] for one in (self._rows, self._columns))

    def _step(self) -> None:
        """Fills the patch around the best place of the rim: at least that one pixel, so the end is certain."""
        import numpy as np  # noqa: PLC0415  an extra

        row, column, trust = self._best()
        place = np.s_[row - _HALF : row + _HALF + 1, column - _HALF : column + _HALF + 1]
        top, left = self._match(place, row, column)
        source = np.s_[top : top + _PATCH, left : left + _PATCH]
        put = self._todo[place]
        self._work[place][put] = self._original[source][put]
        grid = np.mgrid[top : top + _PATCH, left : left + _PATCH] - _HALF
        self._rows[place][put], self._columns[place][put] = grid[0][put], grid[1][put]
        self._trust[place][put] = trust * 0.97
        self._todo[place] = False

    def _best(self) -> tuple[int, int, float]:
        import numpy as np  # noqa: PLC0415  an extra

        cv, three = self._cv, np.ones((3, 3), np.uint8)
        done = (self._inside & ~self._todo).astype(np.uint8)
        rows, columns = np.nonzero(self._todo & (cv.dilate(done, three) > 0))
        trust = cv.blur(self._trust, (_PATCH, _PATCH))[rows, columns]
        sure = (cv.dilate(self._todo.astype(np.uint8), three) == 0).astype(np.float32)
        grey, soft = self._work[..., 0], cv.GaussianBlur(self._todo.astype(np.float32), (0, 0), 1.5)
        patch = np.ones((_PATCH, _PATCH), np.uint8)
        across, down = (cv.dilate(np.abs(cv.Sobel(grey, cv.CV_32F, *way)) * sure, patch) for way in ((1, 0), (0, 1)))
        out_x, out_y = (np.abs(cv.Sobel(soft, cv.CV_32F, *way)) for way in ((1, 0), (0, 1)))
        running = (down * out_x + across * out_y) / (np.hypot(out_x, out_y) + 1e-6)  # along the edges, into the hole
        best = int(np.argmax(trust * (running[rows, columns] / 1020 + 0.02)))
        return int(rows[best]), int(columns[best]), float(trust[best])

    def _match(self, place: Any, row: int, column: int) -> tuple[int, int]:
        """The corner of the whole patch outside that fits what is known at `place`."""
        import numpy as np  # noqa: PLC0415  an extra

        have = (self._inside & ~self._todo)[place].astype(np.float32)
        wanted = np.ascontiguousarray(self._work[place])
        unlike = self._cv.matchTemplate(self._original, wanted, self._cv.TM_SQDIFF, mask=np.dstack([have] * 3))
        away = np.hypot(self._grid[0] - row + _HALF, self._grid[1] - column + _HALF) / max(self._high, self._wide)
        unlike = np.where(self._whole, np.maximum(unlike, 0) * (1 + _NEAR * away), np.inf)
        top, left = np.unravel_index(int(np.argmin(unlike)), unlike.shape)
        return int(top), int(left)
