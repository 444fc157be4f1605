"""Text in pictures: each line is cut out, turned upright and read by PP-OCRv6, which also says where letters stand.

The weights are those in the wheel of RapidOCR (Apache-2.0); none of its code runs, and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from troth.kernel.errors import Unavailable
from troth.redact.pictures.libraries import damaged, installed, opencv, session
from troth.redact.pictures.regions import SIDE, Regions

VERSION = "pp-ocrv6-small"
VERIFIED_AT = 736  # another size than that of the first look
_FILES = {
    "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "PP-OCRv6_rec_small.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    "ch_ppocr_mobile_v2.0_cls_mobile.onnx": "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
}
_HEIGHT = 48  # of a line, as the models read it
_TURN_WIDTH = 192  # of what is looked at to know which way is up
_UPSIDE_DOWN = 0.9
_UPRIGHT = 1.5  # a region this much taller than wide is a line on its side
_DOUBTFUL = 0.9  # read less surely than this, it is read the other way round too
_BATCH = 8
_LONGEST = 3200  # pixels of a prepared line


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was read. `quad`: its corners; `places`: where along it, from 0 to 1, each character ends and begins.

    `places[i]` and `places[i + 1]` bound character i, from the first corner pair (`quad[0]`, `quad[3]`) to the other;
    `score`: how sure, 0 to 1.
    """

    text: str
    score: float
    quad: Any
    places: tuple[float, ...]

    def part(self, start: int, end: int) -> Any:
        """The corners around the characters [start, end)."""
        import numpy as np  # noqa: PLC0415  an extra

        first, last = self.places[start], self.places[end]
        top, bottom = self.quad[1] - self.quad[0], self.quad[2] - self.quad[3]
        return np.array([self.quad[0] + top * first, self.quad[0] + top * last, self.quad[3] + bottom * last,
                         self.quad[3] + bottom * first], np.float32)  # fmt: skip


class Lines:
    """Reads text. Safe to share between threads."""

    def __init__(self, regions: Any, reading: Any, turning: Any) -> None:
        """The three ONNX sessions. Raises Unavailable (`model-weights`) for a model without its letters."""
        self.regions = Regions(regions)
        self._reading, self._turning = reading, turning
        known = reading.get_modelmeta().custom_metadata_map.get("character", "")
        if not known:
            raise damaged()
        self._letters = ["", *known.splitlines(), " "]

    def find(self, pixels: Any, side: int = SIDE) -> list[Line]:
        """Every line in RGB pixels, in reading order; unread ones with what could be made out, down to nothing.

        Raises Unavailable (`detector-down`).
        """
        try:
            return self.read(pixels, self.regions.find(pixels, side))
        except (RuntimeError, ValueError, opencv().error) as error:
            raise Unavailable("The reader of text in pictures does not work, so the picture was not let through.",
                              code="detector-down") from error  # fmt: skip

    def read(self, pixels: Any, quads: Sequence[Any]) -> list[Line]:
        """The lines in these corners, in the same order."""
        upright = [_begun_at_its_start(quad) for quad in quads]
        crops = [_cut_out(pixels, quad) for quad in upright]
        turned = self._turned(crops)
        upright = [_opposite(quad) if turn else quad for quad, turn in zip(upright, turned, strict=True)]
        crops = [crop[::-1, ::-1] if turn else crop for crop, turn in zip(crops, turned, strict=True)]
        read = self._texts(crops)
        lines = [Line(text, score, quad, places) for quad, (text, score, places) in zip(upright, read, strict=True)]
        doubtful = [n for n, line in enumerate(lines) if line.score < _DOUBTFUL]
        for n, (text, score, places) in zip(doubtful, self._texts([crops[n][::-1, ::-1] for n in doubtful]),
                                            strict=True):  # fmt: skip
            if score > lines[n].score:
                lines[n] = Line(text, score, _opposite(upright[n]), places)
        return lines

    def _turned(self, crops: Sequence[Any]) -> list[bool]:
        """Whether each line stands upside down."""
        import numpy as np  # noqa: PLC0415  an extra

        found: list[bool] = []
        name = self._turning.get_inputs()[0].name
        for at in range(0, len(crops), _BATCH):
            batch = np.stack([_prepared(crop, _TURN_WIDTH) for crop in crops[at : at + _BATCH]])
            found += [bool(row[1] > _UPSIDE_DOWN) for row in self._turning.run(None, {name: batch})[0]]
        return found

    def _texts(self, crops: Sequence[Any]) -> list[tuple[str, float, tuple[float, ...]]]:
        import numpy as np  # noqa: PLC0415  an extra

        order = sorted(range(len(crops)), key=lambda n: crops[n].shape[1] / crops[n].shape[0])
        found: dict[int, tuple[str, float, tuple[float, ...]]] = {}
        name = self._reading.get_inputs()[0].name
        for at in range(0, len(order), _BATCH):
            numbers = order[at : at + _BATCH]
            widths = [_width(crops[n]) for n in numbers]
            batch = np.stack([_prepared(crops[n], max(320, *widths)) for n in numbers])
            for n, width, row in zip(numbers, widths, self._reading.run(None, {name: batch})[0], strict=True):
                found[n] = self._decoded(row, width / batch.shape[3])
        return [found[n] for n in range(len(crops))]

    def _decoded(self, row: Any, used: float) -> tuple[str, float, tuple[float, ...]]:
        """Connectionist temporal classification, read greedily: the text, how sure, and where its letters meet."""
        best, sure = row.argmax(axis=1), row.max(axis=1)
        columns = max(1.0, len(best) * used)
        text, scores, middles, last = "", [], list[float](), 0
        for column, letter in enumerate(best.tolist()):
            if letter and letter != last and letter < len(self._letters):
                text += self._letters[letter]
                scores.append(float(sure[column]))
                middles += [min(1.0, (column + 0.5) / columns)] * len(self._letters[letter])
            last = letter
        if not text:
            return "", 0.0, (0.0, 1.0)
        meet = [(a + b) / 2 for a, b in pairwise(middles)]
        return text, sum(scores) / len(scores), (0.0, *meet, 1.0)


def _width(crop: Any) -> int:
    return int(min(_LONGEST, max(1, round(_HEIGHT * crop.shape[1] / crop.shape[0]))))


def _prepared(crop: Any, width: int) -> Any:
    """A line as the models want it: 48 pixels high, BGR from -1 to 1, channels first, filled up with zeros."""
    import numpy as np  # noqa: PLC0415  an extra

    across = min(width, _width(crop))
    small = opencv().resize(np.ascontiguousarray(crop[:, :, ::-1]), (across, _HEIGHT))
    out = np.zeros((3, _HEIGHT, width), np.float32)
    out[:, :, :across] = ((small.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)
    return out


def _begun_at_its_start(quad: Any) -> Any:
    """The corners in the order of reading: a tall region is a line on its side, read from the bottom up."""
    import numpy as np  # noqa: PLC0415  an extra

    across, down = np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[0] - quad[3])
    return quad if down < across * _UPRIGHT else np.roll(quad, 1, axis=0)


def _opposite(quad: Any) -> Any:
    import numpy as np  # noqa: PLC0415  an extra

    return np.roll(quad, 2, axis=0)


def _cut_out(pixels: Any, quad: Any) -> Any:
    import numpy as np  # noqa: PLC0415  an extra

    cv = opencv()
    across = max(1, round(max(float(np.linalg.norm(quad[0] - quad[1])), float(np.linalg.norm(quad[3] - quad[2])))))
    down = max(1, round(max(float(np.linalg.norm(quad[0] - quad[3])), float(np.linalg.norm(quad[1] - quad[2])))))
    flat = np.array([[0, 0], [across, 0], [across, down], [0, down]], np.float32)
    return cv.warpPerspective(pixels, cv.getPerspectiveTransform(quad.astype(np.float32), flat), (across, down),
                              flags=cv.INTER_CUBIC, borderMode=cv.BORDER_REPLICATE)  # fmt: skip


@lru_cache(maxsize=1)
def lines() -> Lines:
    """The one of this process. Raises Unavailable: `extra-missing`, `model-weights`."""
    return Lines(*(session(installed("rapidocr", f"models/{name}", digest)) for name, digest in _FILES.items()))
