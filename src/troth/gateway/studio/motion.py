"""Animates a composition: its planes at their depths under one slow camera, what drifts, sways and flies, and words.

Drawn by rules like the pictures: the same prompt, size and seed give the same film.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from typing import Any, Final

from PIL import Image

from troth.gateway.studio.canvas import Canvas, Plane
from troth.gateway.studio.compose import check_size, render
from troth.gateway.studio.framing import cropped
from troth.gateway.studio.layouts import words
from troth.gateway.studio.opening import upright
from troth.gateway.studio.reading import Brief, read
from troth.gateway.studio.scenes import SCENES
from troth.gateway.studio.scenes.sky import snowfall
from troth.gateway.studio.typesetting import Block
from troth.kernel.errors import Unavailable

_ZOOM: Final = 1.09
"""What the camera keeps outside the frame, so that no plane shows its edge."""
_PAN: Final = 0.026
"""How far the nearest plane travels to each side, of the frame's width."""
_TURN: Final = 2 * math.pi
_MARGIN: Final = 2  # pixels round what is drawn of a plane


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A rendered plane, cut to what is drawn: premultiplied RGBA, its left and top, depth and motion."""

    pixels: Any
    left: int
    top: int
    depth: float
    motion: str


class Animation:
    """One film. `picture` is a clean picture to begin with, in place of a composition."""

    def __init__(self, prompt: str, width: int, height: int, seed: int, picture: bytes | None = None) -> None:
        """Raises `Invalid` (unsupported-size), `Unavailable` (vision-missing, studio-missing)."""
        check_size(width, height)
        self._cv, self._np = _libraries()
        self._width, self._height = width, height
        self._brief = read(prompt, width, height, seed)
        self._sheets = self._photo(picture) if picture else [self._sheet(plane) for plane in self._scene()]
        self._words = self._lettering() if self._brief.texts else None

    @property
    def description(self) -> str:
        """What was understood, for the answer."""
        return self._brief.sentence().replace("Drawn by rules", "Drawn and animated by rules")

    def frame(self, share: float, *, loop: bool = False) -> Any:
        """The picture at `share` (0 to 1) of the film, as RGB bytes of height x width x 3; a loop ends as it began."""
        np = self._np
        travel = math.sin(_TURN * share) if loop else 1 - 2 * _eased(share)
        out = np.zeros((self._height, self._width, 3), np.uint8)
        for sheet in self._sheets:
            self._lay(out, sheet, self._move(sheet, share, travel))
        if self._words is not None:
            self._write(out, self._words, 1.0 if loop else share)
        return out

    def _scene(self) -> list[Plane]:
        brief: Brief = replace(self._brief, layout="full", texts=())
        canvas = Canvas(self._width, self._height)
        SCENES[brief.motif](canvas, brief)
        if not brief.extras.isdisjoint({"snow", "snowy"}):
            snowfall(canvas, brief.rng("snow"))
        return canvas.planes()

    def _sheet(self, plane: Plane) -> _Sheet:
        with Image.open(io.BytesIO(render(plane.svg))) as opened:
            drawn = opened.convert("RGBA")
        left, top, right, bottom = drawn.getbbox() or (0, 0, 1, 1)
        box = (max(0, left - _MARGIN), max(0, top - _MARGIN), right + _MARGIN, bottom + _MARGIN)
        box = (*box[:2], min(self._width, box[2]), min(self._height, box[3]))
        pixels = self._np.asarray(drawn.crop(box).convert("RGBa"))
        return _Sheet(pixels, box[0], box[1], plane.depth, plane.motion)

    def _photo(self, picture: bytes) -> list[_Sheet]:
        size = self._width, self._height
        fitted = cropped(upright(picture, max(size), cover=size), *size).convert("RGBA")
        return [_Sheet(self._np.asarray(fitted.convert("RGBa")), 0, 0, 0.9, "")]

    def _move(self, sheet: _Sheet, share: float, travel: float) -> Any:
        """The affine map of a plane: the camera's zoom about the middle, its pan, and the plane's own motion."""
        width, height, wave = self._width, self._height, math.sin(_TURN * share + 5 * sheet.depth)
        zoom = _ZOOM + (0.0 if len(self._sheets) == 1 else 0.03 * sheet.depth) * (1 - abs(travel))
        if len(self._sheets) == 1:  # one flat picture: the camera goes in
            zoom = 1.02 + 0.1 * (1 - travel) / 2
        across = _PAN * width * travel * sheet.depth * (0.3 if len(self._sheets) == 1 else 1.0)
        down = skew = 0.0
        match sheet.motion:
            case "drift":
                across += 0.018 * width * travel
            case "fly":
                across -= 0.05 * width * travel
                down += 0.01 * height * travel + 0.002 * height * wave
            case "bob" | "float":
                down += (0.004 if sheet.motion == "bob" else 0.012) * height * wave
            case "swell":
                across += 0.006 * width * wave
            case "sway":
                skew = 0.014 * wave
            case "fall":
                down += 0.03 * height * -travel
        middle_x, middle_y = width / 2, height / 2
        # x' = zoom * (x - middle) + middle + shift; a sheet's own left and top are part of the map
        shift_x = middle_x - zoom * (middle_x - sheet.left) + across - skew * (height - sheet.top) * zoom
        shift_y = middle_y - zoom * (middle_y - sheet.top) + down
        return self._np.array([[zoom, skew, shift_x], [0.0, zoom, shift_y]])

    def _lay(self, out: Any, sheet: _Sheet, move: Any) -> None:
        """One plane over what lies there, in the rows and columns that it can reach."""
        cv, np = self._cv, self._np
        high, wide = sheet.pixels.shape[:2]
        corners = move @ np.array([[0, wide, 0, wide], [0, 0, high, high], [1, 1, 1, 1]], float)
        left, top = (max(0, math.floor(value)) for value in corners.min(axis=1))
        right = min(self._width, math.ceil(corners[0].max()) + 1)
        bottom = min(self._height, math.ceil(corners[1].max()) + 1)
        if right <= left or bottom <= top:
            return
        local = move.copy()
        local[:, 2] -= (left, top)
        whole = high >= self._height and wide >= self._width  # a backdrop reaches beyond the frame
        border = cv.BORDER_REPLICATE if whole else cv.BORDER_CONSTANT
        laid = cv.warpAffine(
            sheet.pixels, local, (right - left, bottom - top), flags=cv.INTER_LINEAR, borderMode=border
        )
        self._over(out[top:bottom, left:right], laid)

    def _over(self, below: Any, laid: Any) -> None:
        cv = self._cv
        rest = cv.bitwise_not(laid[:, :, 3])
        kept = cv.multiply(below, cv.merge((rest, rest, rest)), scale=1 / 255)
        cv.add(kept, laid[:, :, :3], dst=below)

    def _lettering(self) -> Any:
        """The words on a veil over the lower part, premultiplied."""
        canvas, height = Canvas(self._width, self._height), self._height
        dark = "#14141a"
        veil = canvas.linear([f"{dark}@0", f"{dark}@0.62", f"{dark}@0.8"])
        canvas.rect(0, height * 0.52, self._width, height * 0.48, veil)
        block = Block(self._width * 0.08, height * 0.64, self._width * 0.84, height * 0.3)
        words(canvas, self._brief, block, self._brief.palette.paper)
        with Image.open(io.BytesIO(render(canvas.svg()))) as opened:
            return self._np.asarray(opened.convert("RGBa"))

    def _write(self, out: Any, words: Any, share: float) -> None:
        """The words appear from left to right in the film's second sixth, and rise a little."""
        np = self._np
        shown = _eased(min(1.0, max(0.0, (share - 0.08) / 0.22)))
        if shown <= 0:
            return
        soft = 0.25 * self._width
        edge = shown * (self._width + soft)
        alpha = np.clip((edge - np.arange(self._width)) / soft, 0, 1)
        lift = round((1 - shown) * self._height * 0.012)
        layer = words[: self._height - lift]
        faded = layer if shown >= 1 else (layer * alpha[None, :, None]).astype(np.uint8)
        self._over(out[lift:], np.ascontiguousarray(faded))


def _eased(share: float) -> float:
    """Slow at both ends (smoothstep)."""
    return share * share * (3 - 2 * share)


def _libraries() -> tuple[Any, Any]:
    try:
        import cv2  # noqa: PLC0415  heavy: only who makes films loads it
        import numpy  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable(
            "Films need an extra: pip install 'troth[vision]', then start the server again.", code="vision-missing"
        ) from error
    return cv2, numpy
