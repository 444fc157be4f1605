"""Which part of a picture stays: cuts that keep what is looked at, and never a face in two."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from PIL import Image

from troth.gateway.studio.subject import found_faces, interest, subject
from troth.kernel.errors import Invalid
from troth.redact.pictures.geometry import Box

_MAP: Final = 96
_LEAST_AROUND: Final = 0.35  # of the largest possible cut: nearer would show coarse pixels


class Cut(NamedTuple):
    """Left, top, right and bottom in pixels, as Pillow crops."""

    left: int
    top: int
    right: int
    bottom: int


def cropped(image: Image.Image, width: int, height: int) -> Image.Image:
    """The RGB or RGBA picture scaled to cover `width` x `height`, cut where least is lost."""
    if abs(image.width * height - image.height * width) > max(image.size):  # more than rounding
        image = image.crop(best_cut(image, width / height))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def best_cut(image: Image.Image, ratio: float, *, share: float = 1.0) -> Cut:
    """The cut of `ratio` (width by height), `share` of the largest one, with most of what is looked at."""
    width, height = _largest(image.size, ratio)
    plain, boxes = image.convert("RGB"), found_faces(image.convert("RGB"))
    return _placed(image.size, (width * share, height * share), interest(plain, boxes), boxes)


def around(image: Image.Image, ratio: float) -> Cut:
    """The cut of `ratio` around the subject: faces with their shoulders, else what stands out.

    Raises `Invalid` (`no-subject`).
    """
    plain = image.convert("RGB")
    boxes = found_faces(plain)
    region = _people(boxes, image.size) if boxes else _covered(subject(plain).alpha)
    wide, high = region.right - region.left, region.bottom - region.top
    largest = _largest(image.size, ratio)
    if wide > largest[0] * 1.05 or high > largest[1] * 1.05:  # not all of it fits: the cut with most of it
        return best_cut(image, ratio)
    height = max(high, wide / ratio, largest[1] * _LEAST_AROUND)
    size = (min(height * ratio, largest[0]), min(height, largest[1]))
    x, y = (region.left + region.right - size[0]) / 2, (region.top + region.bottom - size[1]) / 2
    return _cut(min(max(0, x), image.width - size[0]), min(max(0, y), image.height - size[1]), size, image.size)


def closer(image: Image.Image) -> Cut:
    """Three quarters of the width and height, where most is to be seen."""
    return best_cut(image, image.width / image.height, share=0.75)


def _largest(size: tuple[int, int], ratio: float) -> tuple[float, float]:
    return (size[1] * ratio, size[1]) if size[0] / size[1] > ratio else (size[0], size[0] / ratio)


def _placed(size: tuple[int, int], cut: tuple[float, float], wanted: Any, boxes: list[Box]) -> Cut:
    """The place with most interest; a face that is cut costs more than anything else can bring."""
    import numpy as np  # noqa: PLC0415  an extra

    table = np.pad(wanted, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    wide, high = (max(1, min(_MAP, round(_MAP * side / whole))) for side, whole in zip(cut, size, strict=True))
    sums = table[high:, wide:] - table[:-high, wide:] - table[high:, :-wide] + table[:-high, :-wide]
    rows, columns = np.ogrid[0 : sums.shape[0], 0 : sums.shape[1]]
    x, y = columns * size[0] / _MAP, rows * size[1] / _MAP
    for box in boxes:
        across = np.clip(np.minimum(box.right, x + cut[0]) - np.maximum(box.left, x), 0, None) / (box.right - box.left)
        down = np.clip(np.minimum(box.bottom, y + cut[1]) - np.maximum(box.top, y), 0, None) / (box.bottom - box.top)
        seen = across * down
        sums = sums - ((seen > 0.02) & (seen < 0.98)) * (1 + seen)
    middle = np.hypot(rows - (_MAP - high) / 2, columns - (_MAP - wide) / 2) / _MAP
    top, left = np.unravel_index(int(np.argmax(sums - 0.02 * middle)), sums.shape)
    return _cut(min(left * size[0] / _MAP, size[0] - cut[0]), min(top * size[1] / _MAP, size[1] - cut[1]), cut, size)


def _cut(left: float, top: float, cut: tuple[float, float], size: tuple[int, int]) -> Cut:
    wide, high = (max(1, min(round(side), whole)) for side, whole in zip(cut, size, strict=True))
    x, y = min(max(0, round(left)), size[0] - wide), min(max(0, round(top)), size[1] - high)
    return Cut(x, y, x + wide, y + high)


def _people(boxes: list[Box], size: tuple[int, int]) -> Box:
    """All larger faces with hair, neck and shoulders."""
    large = [box for box in boxes if box.area * 9 >= boxes[0].area]
    high = max(box.bottom - box.top for box in large)
    left, right = min(box.left for box in large) - 0.9 * high, max(box.right for box in large) + 0.9 * high
    top, bottom = min(box.top for box in large) - 0.75 * high, max(box.bottom for box in large) + 1.3 * high
    return Box(max(0, round(left)), max(0, round(top)), min(size[0], round(right)), min(size[1], round(bottom)))


def _covered(alpha: Any) -> Box:
    """The box of a mask and a tenth of air. Raises `Invalid` (`no-subject`)."""
    import numpy as np  # noqa: PLC0415  an extra

    rows, columns = np.flatnonzero((alpha > 0.5).any(1)), np.flatnonzero((alpha > 0.5).any(0))
    if not len(rows):
        raise Invalid("Nothing stands out of the picture; crop without around.", code="no-subject", field="image")
    air = round(0.1 * max(np.ptp(rows), np.ptp(columns)))
    high, wide = alpha.shape
    return Box(max(0, int(columns[0]) - air), max(0, int(rows[0]) - air), min(wide, int(columns[-1]) + air),
               min(high, int(rows[-1]) + air))  # fmt: skip
