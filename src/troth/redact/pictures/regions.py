"""Where text stands in a picture: the detector of PP-OCRv6 with the box finding of DB (Liao et al., AAAI 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from troth.redact.pictures.geometry import Box, box_of
from troth.redact.pictures.libraries import opencv

SIDE = 960  # pixels of a tile's longer side, as the model sees it
MOST_TILES = 16  # of one picture, after the whole of it was looked at once
_MULTIPLE = 32  # the network halves its input five times
_SURE_PIXEL, _SURE_REGION = 0.3, 0.5
_UNCLIP = 1.6  # the network marks shrunken regions: they grow back by area * this / circumference
_MOST_REGIONS = 600
_FEWEST = 3  # pixels of a side of a region
_OVERLAP = 96  # pixels that neighbouring tiles share: more than the height of a line that is read in tiles


class Regions:
    """Finds lines of text. `model`: an ONNX session, which may be run by several threads at once."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._input = model.get_inputs()[0].name

    def find(self, pixels: Any, side: int = SIDE) -> list[Any]:
        """Four corners (float32, 4 x 2, clockwise from the top left) of each line in RGB pixels, in reading order.

        The picture is looked at whole, brought down to `side`, and what is larger in tiles as well, up to 16: so are
        large and small letters found.
        """
        import numpy as np  # noqa: PLC0415  an extra

        found: list[Any] = []
        for tile in tiles(pixels.shape[1], pixels.shape[0], side):
            part = pixels[tile.top : tile.bottom, tile.left : tile.right]
            corner = np.array([tile.left, tile.top], np.float32)
            found += [quad + corner for quad in self._in(part, side)]
        return _in_order(_apart(found))

    def _in(self, pixels: Any, side: int) -> Iterator[Any]:
        import numpy as np  # noqa: PLC0415  an extra

        height, width = pixels.shape[:2]
        factor = min(side / max(height, width), 2.0)
        across, down = _multiple(width * factor), _multiple(height * factor)
        small = opencv().resize(pixels[:, :, ::-1], (across, down))
        prepared = ((small.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
        likely = self._model.run(None, {self._input: prepared})[0][0, 0]
        for quad in _regions(likely):
            yield quad * (width / across, height / down)


def tiles(width: int, height: int, side: int) -> list[Box]:
    """The whole picture, and its parts where it is more than a third larger than `side`."""
    found = [Box(0, 0, width, height)]
    step = side
    while max(width, height) > side * 1.34:
        columns, rows = -(-(width - _OVERLAP) // (step - _OVERLAP)), -(-(height - _OVERLAP) // (step - _OVERLAP))
        columns, rows = max(1, columns), max(1, rows)
        if columns * rows <= MOST_TILES:
            return found + list(_grid(width, height, columns, rows))
        step = round(step * 1.25)
    return found


def _grid(width: int, height: int, columns: int, rows: int) -> Iterator[Box]:
    for row in range(rows):
        for column in range(columns):
            left, right = column * width // columns, (column + 1) * width // columns
            top, bottom = row * height // rows, (row + 1) * height // rows
            yield Box(max(0, left - _OVERLAP // 2), max(0, top - _OVERLAP // 2), min(width, right + _OVERLAP // 2),
                      min(height, bottom + _OVERLAP // 2))  # fmt: skip


def _multiple(size: float) -> int:
    return max(_MULTIPLE, round(size / _MULTIPLE) * _MULTIPLE)


def _regions(likely: Any) -> Iterator[Any]:
    """Corners of what is text in a map of likelihoods, grown back to its size."""
    import numpy as np  # noqa: PLC0415  an extra

    cv = opencv()
    mask = cv.dilate((likely > _SURE_PIXEL).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv.findContours(mask, cv.RETR_LIST, cv.CHAIN_APPROX_SIMPLE)[0]
    for contour in sorted(contours, key=cv.contourArea, reverse=True)[:_MOST_REGIONS]:
        (x, y), (across, down), angle = cv.minAreaRect(contour)
        if min(across, down) < _FEWEST or _mean(likely, contour) < _SURE_REGION:
            continue
        grow = 2 * across * down * _UNCLIP / (2 * (across + down))
        yield _clockwise(cv.boxPoints(((x, y), (across + grow, down + grow), angle)))


def _mean(likely: Any, contour: Any) -> float:
    """How likely the pixels within a contour are text."""
    import numpy as np  # noqa: PLC0415  an extra

    cv = opencv()
    left, top, across, down = cv.boundingRect(contour)
    mask = np.zeros((down, across), np.uint8)
    cv.fillPoly(mask, [contour.reshape(-1, 2) - (left, top)], 1)
    return float(cv.mean(likely[top : top + down, left : left + across], mask)[0])


def _clockwise(quad: Any) -> Any:
    """The corners from the top left on, as a person would name them."""
    import numpy as np  # noqa: PLC0415  an extra

    by_x = quad[np.argsort(quad[:, 0])]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1])]
    top_right, bottom_right = right[np.argsort(right[:, 1])]
    return np.array([top_left, top_right, bottom_right, bottom_left], np.float32)


def _apart(quads: list[Any]) -> list[Any]:
    """Without those that several tiles found: the widest stays."""
    if len(quads) < 2:
        return quads
    kept: list[tuple[Box, Any]] = []
    for box, quad in sorted(((box_of(q), q) for q in quads), key=lambda one: -one[0].area):
        if not any(box.overlap(other) > 0.5 or box.covered_by(other) > 0.85 for other, _ in kept):
            kept.append((box, quad))
    return [quad for _, quad in kept]


def _in_order(quads: list[Any]) -> list[Any]:
    """From the top down, and from the left within a line."""
    rows: list[list[Any]] = []
    for quad in sorted(quads, key=lambda one: float(one[:, 1].mean())):
        middle, height = float(quad[:, 1].mean()), float(quad[:, 1].max() - quad[:, 1].min())
        if rows and middle - float(rows[-1][0][:, 1].mean()) < height / 2:
            rows[-1].append(quad)
        else:
            rows.append([quad])
    return [quad for row in rows for quad in sorted(row, key=lambda one: float(one[:, 0].min()))]
