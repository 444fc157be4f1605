"""Faces by YuNet (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023), at several sizes and turns.

The model finds faces of some 10 to 300 pixels. A picture is therefore looked at at several sizes, and turned, since a
face upside down is one for a person and none for the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Any

from troth.kernel.errors import Unavailable
from troth.redact.pictures.geometry import Box, merged
from troth.redact.pictures.libraries import checked, opencv

VERSION = "yunet-2023mar"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
SIZES = (320, 640, 1280)  # longest side in pixels that a picture is brought to
VERIFIED_AT = (*SIZES, 448, 896)  # and at others than those of the first look
FAST = (416,)  # for frames of a video
FAST_AGAIN = (480,)
_SCORE = 0.6
DOUBTFUL = 0.45  # for the second look, which is stricter than the first
_SCORE_TURNED = 0.75  # turned, textures look like faces more often
_TURNED_AT = 512
_LARGEST_FACTOR = 3.0  # enlarging more shows nothing new
_FEWEST = 16  # pixels of a side: below, nobody is to be known


class Faces:
    """Finds faces. Safe to share between threads: the model keeps its input size, so it is used by one at a time."""

    def __init__(self, weights: bytes) -> None:
        """Raises Unavailable: `extra-missing`, `model-weights`."""
        import numpy as np  # noqa: PLC0415  an extra

        self._cv, self._lock = opencv(), Lock()
        empty, model = np.empty(0, np.uint8), np.frombuffer(weights, np.uint8)
        try:
            self._model = self._cv.FaceDetectorYN.create("onnx", model, empty, (320, 320), DOUBTFUL, 0.3, 5000)
        except self._cv.error as error:
            raise Unavailable("The face detector cannot be loaded; install the extra vision again.",
                              code="model-weights") from error  # fmt: skip

    def find(
        self, pixels: Any, sizes: Sequence[int] = SIZES, *, turned: bool = True, score: float = _SCORE
    ) -> list[Box]:
        """Faces in RGB pixels (uint8, height x width x 3), one box each. Raises Unavailable (`detector-down`)."""
        if min(pixels.shape[:2]) < _FEWEST:
            return []
        found = [box for size in dict.fromkeys(_useful(sizes, max(pixels.shape[:2]))) for box in self._at(pixels, size)]
        found = [box for box in found if box.score >= score]
        if turned:
            found += self._turned(pixels)
        return merged(found)

    def _at(self, pixels: Any, size: int) -> Iterator[Box]:
        height, width = pixels.shape[:2]
        factor = size / max(height, width)
        small = self._cv.resize(pixels, (max(1, round(width * factor)), max(1, round(height * factor))),
                                interpolation=self._cv.INTER_AREA if factor < 1 else self._cv.INTER_LINEAR)  # fmt: skip
        for row in self._run(self._cv.cvtColor(small, self._cv.COLOR_RGB2BGR)):
            x, y, across, down = (float(one) / factor for one in row[:4])
            box = Box(max(0, int(x)), max(0, int(y)), min(width, int(x + across) + 1), min(height, int(y + down) + 1),
                      float(row[14]))  # fmt: skip
            if box.area:
                yield box

    def _run(self, pixels: Any) -> list[Any]:
        try:
            with self._lock:
                self._model.setInputSize((pixels.shape[1], pixels.shape[0]))
                rows = self._model.detect(pixels)[1]
        except self._cv.error as error:
            raise Unavailable("The face detector does not work, so the picture was not let through.",
                              code="detector-down") from error  # fmt: skip
        return [] if rows is None else list(rows)

    def _turned(self, pixels: Any) -> Iterator[Box]:
        import numpy as np  # noqa: PLC0415  an extra

        height, width = pixels.shape[:2]
        for quarter in (1, 2, 3):
            for box in self._at(np.ascontiguousarray(np.rot90(pixels, quarter)), _TURNED_AT):
                if box.score >= _SCORE_TURNED:
                    yield _back(box, quarter, width, height)


def _useful(sizes: Sequence[int], longest: int) -> Iterator[int]:
    for size in sizes:
        yield min(size, round(longest * _LARGEST_FACTOR))


def _back(box: Box, quarter: int, width: int, height: int) -> Box:
    """Where a box of the picture turned by so many quarters (counter-clockwise) lies in the upright one."""
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    if quarter == 1:
        left, top, right, bottom = width - bottom, left, width - top, right
    elif quarter == 2:
        left, top, right, bottom = width - right, height - bottom, width - left, height - top
    else:
        left, top, right, bottom = top, height - right, bottom, height - left
    return Box(left, top, right, bottom, box.score)


@lru_cache(maxsize=1)
def faces() -> Faces:
    """The one of this process. Raises Unavailable: `extra-missing`, `model-weights`."""
    with resources.as_file(resources.files("troth.redact.pictures").joinpath("weights")) as folder:
        return Faces(checked(Path(folder, "face_detection_yunet_2023mar.onnx.xz"), SHA256))
