"""Areas of a picture, in pixels: upright boxes for faces and codes, four corners for words that lie askew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle, [left, right) by [top, bottom); `score` of its finder, 0 to 1."""

    left: int
    top: int
    right: int
    bottom: int
    score: float = 1.0

    @property
    def area(self) -> int:
        """In pixels."""
        return max(0, self.right - self.left) * max(0, self.bottom - self.top)

    def grown(self, share: float, width: int, height: int) -> Box:
        """Wider by `share` of its size on each side, within a picture of that size."""
        x, y = round((self.right - self.left) * share) + 1, round((self.bottom - self.top) * share) + 1
        return Box(max(0, self.left - x), max(0, self.top - y), min(width, self.right + x),
                   min(height, self.bottom + y), self.score)  # fmt: skip

    def overlap(self, other: Box) -> float:
        """Intersection over union."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        if across <= 0 or down <= 0:
            return 0.0
        return across * down / (self.area + other.area - across * down)

    def covered_by(self, other: Box) -> float:
        """The share of this box that lies in `other`."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, across) * max(0, down) / max(1, self.area)


def merged(boxes: Iterable[Box], overlap: float = 0.4) -> list[Box]:
    """Boxes of one thing become one that holds them all: several scales find the same face a little differently."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda one: -one.score):
        for number, other in enumerate(kept):
            if box.overlap(other) >= overlap or box.covered_by(other) > 0.8 or other.covered_by(box) > 0.8:
                kept[number] = around(box, other)
                break
        else:
            kept.append(box)
    return kept


def around(one: Box, other: Box) -> Box:
    """The smallest box that holds both."""
    return Box(min(one.left, other.left), min(one.top, other.top), max(one.right, other.right),
               max(one.bottom, other.bottom), max(one.score, other.score))  # fmt: skip


def corners(box: Box) -> Any:
    """The corners of a box, clockwise from the top left, float32 of shape (4, 2)."""
    import numpy as np  # noqa: PLC0415  an extra

    return np.array([[box.left, box.top], [box.right, box.top], [box.right, box.bottom], [box.left, box.bottom]],
                    np.float32)  # fmt: skip


def box_of(quad: Any) -> Box:
    """The upright box around corners."""
    (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
    return Box(int(left), int(top), int(right) + 1, int(bottom) + 1)
