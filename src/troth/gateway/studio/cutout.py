"""The subject without its background, and in front of another one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from PIL import Image, ImageFilter

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import mix
from troth.gateway.studio.compose import compose, render
from troth.redact.pictures.libraries import opencv

Ground = Literal["transparent", "colour", "gradient", "scene", "blurred"]
_CLEAN: Final = (1 / 12, 1 / 160)  # radii of the two passes, of the longer side
_STRIP: Final = 128  # rows that are worked on at once


@dataclass(frozen=True, slots=True)
class Background:
    """What stands behind the subject. `colours`: of a plain or shaded ground, from the top; `prompt`: of a scene."""

    kind: Ground
    colours: tuple[str, ...] = ()
    prompt: str = ""


def replaced(image: Image.Image, alpha: Any, background: Background) -> Image.Image:
    """The subject of an RGB picture before another background: RGBA for a transparent one, else RGB.

    `alpha`: float32, height x width, 0 to 1. Raises `Unavailable` (`studio-missing`) where something is drawn.
    """
    import numpy as np  # noqa: PLC0415  an extra

    pixels = np.asarray(image)
    behind = None if background.kind == "transparent" else np.asarray(_behind(image, alpha, background))
    out = np.empty((*alpha.shape, 4 if behind is None else 3), np.uint8)
    for rows, front in foreground(pixels, alpha):
        share = alpha[rows][..., None]
        if behind is None:
            out[rows] = np.dstack([front, share]) * 255 + 0.5
        else:
            out[rows] = (front * share) * 255 + behind[rows] * (1 - share) + 0.5
    return Image.fromarray(out, "RGBA" if behind is None else "RGB")


def foreground(pixels: Any, alpha: Any) -> Iterator[tuple[slice, Any]]:
    """The subject's own colours where old background shines through its edge (Forte 2021, blur fusion in two passes).

    `pixels`: height x width x 3, of 255. So hair before a new ground has no rim of the old one. It comes in strips
    (float32, 0 to 1) with their rows, so that memory holds few floats at a time; the wide first pass is done on a
    small copy, which loses nothing of what it blurs.
    """
    import numpy as np  # noqa: PLC0415  an extra

    cv, (high, wide) = opencv(), alpha.shape
    scale = max(1, min(4, round(max(alpha.shape) * _CLEAN[0] / 40)))
    low = max(1, wide // scale), max(1, high // scale)
    small = cv.resize(pixels, low, interpolation=cv.INTER_AREA).astype(np.float32) / 255
    solid, open_ = (cv.resize(one, low, interpolation=cv.INTER_AREA) for one in (alpha**3, (1 - alpha) ** 3))
    size = (max(3, round(max(low) * _CLEAN[0])) | 1,) * 2
    # where both are mixed says little of either
    near = cv.blur(small * solid[..., None], size) / (cv.blur(solid, size)[..., None] + 1e-4)
    behind = cv.blur(small * open_[..., None], size) / (cv.blur(open_, size)[..., None] + 1e-4)
    size = (max(3, round(max(alpha.shape) * _CLEAN[1])) | 1,) * 2
    rim = size[0] // 2
    for top in range(0, high, _STRIP):
        first, last = max(0, top - rim), min(high, top + _STRIP + rim)
        share, seen = alpha[first:last, :, None], pixels[first:last].astype(np.float32) / 255
        low_near, low_behind = (_grown(one, alpha.shape, first, last) for one in (near, behind))
        front = np.clip(low_near + share * (seen - share * low_near - (1 - share) * low_behind), 0, 1)
        solid, open_ = share[..., 0] ** 3, (1 - share[..., 0]) ** 3
        close = cv.blur(front * solid[..., None], size) / (cv.blur(solid, size)[..., None] + 1e-4)
        back = cv.blur(low_behind * open_[..., None], size) / (cv.blur(open_, size)[..., None] + 1e-4)
        front = np.clip(close + share * (seen - share * close - (1 - share) * back), 0, 1)
        rows = slice(top, min(high, top + _STRIP))
        yield rows, front[top - first : rows.stop - first]


def _grown(small: Any, shape: tuple[int, int], first: int, last: int) -> Any:
    """The rows `first` to `last` of a small picture made as large as `shape`."""
    import numpy as np  # noqa: PLC0415  an extra

    cv, (high, wide) = opencv(), shape
    down, across = small.shape[0] / high, small.shape[1] / wide
    place = np.array([[across, 0, across / 2 - 0.5], [0, down, (first + 0.5) * down - 0.5]], np.float32)
    flags = cv.INTER_LINEAR | cv.WARP_INVERSE_MAP
    return cv.warpAffine(small, place, (wide, last - first), flags=flags, borderMode=cv.BORDER_REPLICATE)


def _behind(image: Image.Image, alpha: Any, background: Background) -> Image.Image:
    width, height = image.size
    if background.kind == "blurred":
        return _softened(image, alpha)
    if background.kind == "scene":
        drawn = compose(background.prompt, width, height, 0).png
    else:
        canvas, colours = Canvas(width, height), background.colours
        shades = [mix(colours[0], "#ffffff", 0.06), mix(colours[0], "#000000", 0.08)]
        canvas.rect(0, 0, width, height, canvas.linear(colours if background.kind == "gradient" else shades))
        drawn = render(canvas.svg())
    with Image.open(io.BytesIO(drawn)) as layer:
        return layer.convert("RGB")


def _softened(image: Image.Image, alpha: Any) -> Image.Image:
    """The old background out of focus, without the subject's colours bleeding into it."""
    import numpy as np  # noqa: PLC0415  an extra

    cv, radius = opencv(), max(image.size) / 45
    scale = max(1, min(4, round(radius / 8)))  # what is blurred so widely needs no finer pixels
    low = max(1, image.width // scale), max(1, image.height // scale)
    wide = cv.resize(1 - cv.dilate(alpha, np.ones((7, 7), np.uint8)), low, interpolation=cv.INTER_AREA)[..., None]
    small = cv.resize(np.asarray(image), low, interpolation=cv.INTER_AREA)
    layers = Image.fromarray(np.dstack([small * wide, wide * 255]).astype(np.uint8), "RGBA")
    blurs = (ImageFilter.GaussianBlur(one / scale) for one in (radius, radius * 6))
    near, far = (np.asarray(layers.filter(one), np.float32) for one in blurs)
    share = np.clip(near[..., 3:] / 40, 0, 1)
    filled = [one[..., :3] / np.maximum(one[..., 3:] / 255, 1e-2) for one in (near, far)]
    soft = np.clip(filled[0] * share + filled[1] * (1 - share), 0, 255).astype(np.uint8)
    return Image.fromarray(cv.resize(soft, image.size, interpolation=cv.INTER_CUBIC), "RGB")
