"""What a picture shows: people (a small model), else the thing that stands out by colour (GrabCut from a saliency map).

MediaPipe's selfie segmentation sees the whole picture at 256 x 256, and once more around each face, so that people who
are small in a group are found too. Without people, GrabCut (Rother et al. 2004) is seeded by spectral residual saliency
(Hou and Zhang 2007) and the middle; it works where the thing differs in colour from what surrounds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal

from PIL import Image

from troth.kernel.errors import Invalid, Unavailable
from troth.redact.pictures.faces import Faces, faces
from troth.redact.pictures.geometry import Box
from troth.redact.pictures.libraries import checked, damaged, opencv

PERSON_SHA256: Final = "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27"
_SIDE: Final = 256  # of what the model reads
_GRAB: Final = 240  # longest side that GrabCut works on
_MAP: Final = 96  # side of the saliency map
_MOST_FACES: Final = 8
_STEEP, _FOLLOWED = 40, 0.9  # a step of 10 grey values, along so much of the rim
_LEAST_PERSON, _LEAST, _MOST = 0.015, 0.005, 0.97  # shares of the picture that a subject may take


@dataclass(frozen=True, slots=True)
class Subject:
    """Who or what the picture shows. `alpha`: float32, height x width, 0 to 1; `kind`: how it was found."""

    alpha: Any
    kind: Literal["person", "front", "colour"]


class People:
    """The model. Used by one thread at a time."""

    def __init__(self, weights: bytes) -> None:
        """Raises Unavailable: `extra-missing`, `model-weights`."""
        import numpy as np  # noqa: PLC0415  an extra

        self._cv, self._lock = opencv(), Lock()
        try:
            self._net = self._cv.dnn.readNetFromTFLite(np.frombuffer(weights, np.uint8))
        except self._cv.error as error:
            raise damaged() from error

    def find(self, pixels: Any, around: list[Box]) -> Any:
        """Likelihood of a person at each of the RGB pixels (uint8), float32. Raises Unavailable (`detector-down`)."""
        import numpy as np  # noqa: PLC0415  an extra

        height, width = pixels.shape[:2]
        found = self._look(pixels)
        for face in around[:_MOST_FACES]:
            left, top, right, bottom = _body(face, width, height)
            if (right - left) * (bottom - top) < 0.6 * width * height:
                part = self._look(np.ascontiguousarray(pixels[top:bottom, left:right]))
                found[top:bottom, left:right] = np.maximum(found[top:bottom, left:right], part * _window(part.shape))
        return found

    def _look(self, pixels: Any) -> Any:
        try:
            with self._lock:
                self._net.setInput(self._cv.dnn.blobFromImage(pixels, 1 / 255, (_SIDE, _SIDE)))
                seen = self._net.forward().reshape(_SIDE, _SIDE)
        except self._cv.error as error:
            raise Unavailable("The model that finds people does not work; try again later.",
                              code="detector-down") from error  # fmt: skip
        return self._cv.resize(seen, (pixels.shape[1], pixels.shape[0]), interpolation=self._cv.INTER_LINEAR)


@lru_cache(maxsize=1)
def people() -> People:
    """The one of this process. Raises Unavailable: `extra-missing`, `model-weights`."""
    with resources.as_file(resources.files("troth.gateway.studio").joinpath("weights")) as folder:
        return People(checked(Path(folder, "selfie_segmentation.tflite.xz"), PERSON_SHA256))


def subject(image: Image.Image) -> Subject:
    """The people in an RGB picture, or else what stands out, with an edge that follows the picture's.

    Raises `Invalid` (`no-subject`), `Unavailable` (`extra-missing`, `model-weights`, `detector-down`).
    """
    import numpy as np  # noqa: PLC0415  an extra

    pixels = np.asarray(image)
    known = found_faces(image)
    seen = people().find(pixels, known)
    if _LEAST_PERSON <= float((seen > 0.5).mean()) <= _MOST:
        return Subject(_refined(pixels, _firm(seen)), "person" if known else "front")
    cut = _grabbed(image)
    if not (_LEAST <= float(cut.mean()) <= _MOST and _on_edges(pixels, cut)):
        raise Invalid("Nobody is seen in the picture, and nothing stands out of it; send a mask of what is to change.",
                      code="no-subject", field="image")  # fmt: skip
    return Subject(_refined(pixels, cut), "colour")


def found_faces(image: Image.Image) -> list[Box]:
    """Faces in an RGB picture, the largest first. Raises `Unavailable`."""
    import numpy as np  # noqa: PLC0415  an extra

    seer: Faces = faces()
    return sorted(seer.find(np.asarray(image), (320, 640), turned=False), key=lambda box: -box.area)


def interest(image: Image.Image, boxes: list[Box]) -> Any:
    """Where a viewer looks: saliency, edges and the middle, with faces above all; float32, 96 x 96, sum 1."""
    import numpy as np  # noqa: PLC0415  an extra

    cv = opencv()
    grey = np.asarray(image.convert("L").resize((_MAP, _MAP), Image.Resampling.BOX), np.float32) / 255
    edges = np.hypot(cv.Sobel(grey, cv.CV_32F, 1, 0), cv.Sobel(grey, cv.CV_32F, 0, 1))
    rows, columns = np.mgrid[0:_MAP, 0:_MAP].astype(np.float32) / (_MAP - 1) - 0.5
    middle = np.exp(-(rows**2 + columns**2) / 0.18)
    wanted = _scaled(saliency(image)) + 0.7 * _scaled(cv.GaussianBlur(edges, (0, 0), 2)) + 0.25 * middle
    for box in boxes:
        left, right = (round(side * _MAP / image.width) for side in (box.left, box.right))
        top, bottom = (round(side * _MAP / image.height) for side in (box.top, box.bottom))
        wanted[top : bottom + 1, left : right + 1] += 6
    return wanted / wanted.sum()


def saliency(image: Image.Image) -> Any:
    """Spectral residual of luminance and both colour differences, float32, 96 x 96: how unlike the rest a place is."""
    import numpy as np  # noqa: PLC0415  an extra

    cv = opencv()
    small = np.asarray(image.convert("YCbCr").resize((_MAP, _MAP), Image.Resampling.BOX), np.float32)
    total = np.zeros((_MAP, _MAP), np.float32)
    for band in range(3):
        spectrum = np.fft.fft2(small[..., band])
        log = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
        residual = log - cv.blur(log, (3, 3))
        back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
        total += _scaled(cv.GaussianBlur(back.astype(np.float32), (0, 0), 3))
    return total


def _scaled(values: Any) -> Any:
    spread = float(values.max() - values.min())
    return (values - values.min()) / spread if spread else values * 0


def _body(face: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Where the rest of somebody may be, as far as a face tells."""
    across, down = face.right - face.left, face.bottom - face.top
    left, right = face.left - 2.0 * across, face.right + 2.0 * across
    return max(0, round(left)), max(0, round(face.top - 1.2 * down)), min(width, round(right)), min(
        height, round(face.bottom + 4.5 * down))  # fmt: skip


def _window(shape: tuple[int, int]) -> Any:
    """1 in the middle, falling to 0 over the outer twelfth: what a second look cut off is no edge of somebody."""
    import numpy as np  # noqa: PLC0415  an extra

    lines = [np.minimum(1, np.minimum(np.arange(side), np.arange(side)[::-1]) / (side / 12)) for side in shape]
    return (lines[0][:, None] * lines[1][None, :]).astype(np.float32)


def _firm(seen: Any) -> Any:
    """The model's doubt made smaller: below 0.3 is background, above 0.8 is not."""
    import numpy as np  # noqa: PLC0415  an extra

    firm = (seen - np.float32(0.3)) / np.float32(0.5)
    np.clip(firm, 0, 1, out=firm)
    return firm


def _grabbed(image: Image.Image) -> Any:
    """GrabCut's cut, float32 of 0 and 1."""
    import numpy as np  # noqa: PLC0415  an extra

    cv = opencv()
    scale = min(1.0, _GRAB / max(image.size))
    width, height = (max(16, round(side * scale)) for side in image.size)
    small = np.asarray(image.resize((width, height), Image.Resampling.BOX))
    likely = cv.resize(_scaled(_standing_out(image)), (width, height))
    marks = np.where(likely > np.quantile(likely, 0.75), cv.GC_PR_FGD, cv.GC_PR_BGD).astype(np.uint8)
    rim = max(2, min(width, height) // 50)
    marks[:rim], marks[:, :rim], marks[:, -rim:] = (cv.GC_BGD,) * 3
    marks[-rim:] = np.where(marks[-rim:] == cv.GC_PR_FGD, cv.GC_PR_FGD, cv.GC_BGD)  # things stand on the lower edge
    cv.setRNGSeed(7)  # the mixtures begin by chance: the same picture gives the same cut
    try:
        cv.grabCut(cv.cvtColor(small, cv.COLOR_RGB2BGR), marks, None, np.zeros((1, 65)), np.zeros((1, 65)), 5,
                   cv.GC_INIT_WITH_MASK)  # fmt: skip
    except cv.error:  # a picture of one colour has no two mixtures
        return np.zeros((image.height, image.width), np.float32)
    cut = _largest(((marks == cv.GC_FGD) | (marks == cv.GC_PR_FGD)).astype(np.uint8))
    return cv.resize(cut.astype(np.float32), image.size, interpolation=cv.INTER_LINEAR)


def _on_edges(pixels: Any, cut: Any) -> bool:
    """Whether the rim of a cut runs along edges of the picture: through plain sky it is no cut of anything."""
    import numpy as np  # noqa: PLC0415  an extra

    cv, five = opencv(), np.ones((5, 5), np.uint8)
    solid = (cut > 0.5).astype(np.uint8)
    rim = cv.morphologyEx(np.pad(solid, 2, mode="edge"), cv.MORPH_GRADIENT, np.ones((3, 3), np.uint8))[2:-2, 2:-2] > 0
    grey = cv.GaussianBlur(cv.cvtColor(pixels, cv.COLOR_RGB2GRAY), (0, 0), 1).astype(np.float32)
    steep = cv.dilate(np.hypot(cv.Sobel(grey, cv.CV_32F, 1, 0), cv.Sobel(grey, cv.CV_32F, 0, 1)), five)
    return bool(rim.any()) and float((steep[rim] > _STEEP).mean()) >= _FOLLOWED


def _standing_out(image: Image.Image) -> Any:
    """Saliency and the distance of colours from those of the border, weighed by the middle."""
    import numpy as np  # noqa: PLC0415  an extra

    cv = opencv()
    small = np.asarray(image.resize((_MAP, _MAP), Image.Resampling.BOX))
    lab = cv.cvtColor(small, cv.COLOR_RGB2LAB).astype(np.float32)
    border = np.concatenate([lab[:6].reshape(-1, 3), lab[:, :6].reshape(-1, 3), lab[:, -6:].reshape(-1, 3)])
    distance = np.linalg.norm(lab[:, :, None, :] - border[None, None, ::8, :], axis=3)
    unlike = np.partition(distance, 4, axis=2)[..., 4]  # from the nearest few: a border may have several colours
    rows, columns = np.mgrid[0:_MAP, 0:_MAP].astype(np.float32) / (_MAP - 1) - 0.5
    return (_scaled(saliency(image)) * 0.5 + _scaled(unlike)) * np.exp(-(rows**2 + columns**2) / 0.2)


def _largest(cut: Any) -> Any:
    """The largest piece and those at least a fifth as large, holes closed."""
    import numpy as np  # noqa: PLC0415  an extra

    cv = opencv()
    cut = cv.morphologyEx(cut, cv.MORPH_OPEN, np.ones((3, 3), np.uint8))
    cut = cv.morphologyEx(cut, cv.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv.connectedComponentsWithStats(cut)
    areas = stats[1:, cv.CC_STAT_AREA]
    if not len(areas):
        return cut
    return np.isin(labels, 1 + np.flatnonzero(areas * 5 >= areas.max())).astype(np.uint8)


def _refined(pixels: Any, rough: Any) -> Any:
    """A mask whose edge follows that of the picture: a guided filter (He, Sun, Tang 2010) with grey guidance."""
    import numpy as np  # noqa: PLC0415  an extra

    cv, (high, wide) = opencv(), rough.shape
    radius = max(2, round(max(rough.shape) / 90))
    scale = max(1, min(4, radius // 5))  # the filter's lines are fitted in a small copy (He and Sun 2015)
    low, box = (max(1, wide // scale), max(1, high // scale)), (2 * round(radius / scale) + 1,) * 2
    grey = cv.cvtColor(pixels, cv.COLOR_RGB2GRAY)
    guide = cv.resize(grey, low, interpolation=cv.INTER_AREA).astype(np.float32) / 255
    mask = cv.resize(rough, low, interpolation=cv.INTER_AREA)

    def mean(values: Any) -> Any:
        return cv.blur(values, box)

    mean_guide, mean_mask = mean(guide), mean(mask)
    slope = (mean(guide * mask) - mean_guide * mean_mask) / (mean(guide * guide) - mean_guide**2 + 1e-3)
    offset = mean_mask - slope * mean_guide
    fine = cv.resize(mean(slope), (wide, high), interpolation=cv.INTER_LINEAR)
    fine *= grey.astype(np.float32)
    fine /= 255
    fine += cv.resize(mean(offset), (wide, high), interpolation=cv.INTER_LINEAR)
    fine -= 0.08
    fine /= 0.84
    np.clip(fine, 0, 1, out=fine)
    around = np.ones((2 * radius + 1,) * 2, np.uint8)
    fine[cv.erode((rough > 0.9).astype(np.uint8), around) > 0] = 1  # inside, its own edges are no edges of the mask
    fine[cv.dilate((rough >= 0.02).astype(np.uint8), around) == 0] = 0
    return fine
