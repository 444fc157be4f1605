"""The subject without its background, and in front of another one."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final, Literal

from PIL import Image, ImageFilter

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import mix
from troth.gateway.studio.compose import compose, render
from troth.redact.pictures.libraries import opencv

Ground = Literal["transparent", "colour", "gradient", "scene", "blurred"]
_CLEAN: Final = (1 / 12, 1 / 160)  # radii of the two passes, of the longer side


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

    front = foreground(np.asarray(image, np.float32) / 255, alpha)
    if background.kind == "transparent":
        layers = np.dstack([front, alpha])
        return Image.fromarray((layers * 255 + 0.5).astype(np.uint8), "RGBA")
    behind = np.asarray(_behind(image, alpha, background), np.float32) / 255
    joined = front * alpha[..., None] + behind * (1 - alpha[..., None])
    return Image.fromarray((joined * 255 + 0.5).astype(np.uint8), "RGB")


def foreground(pixels: Any, alpha: Any) -> Any:
    """The subject's own colours where old background shines through its edge (Forte 2021, blur fusion in two passes).

    `pixels`: float32, height x width x 3, 0 to 1. So hair before a new ground has no rim of the old one.
    """
    import numpy as np  # noqa: PLC0415  an extra

    cv, share = opencv(), alpha[..., None]
    front = behind = pixels
    for part in _CLEAN:
        size = (max(3, round(max(alpha.shape) * part)) | 1,) * 2
        solid, open_ = share**3, (1 - share) ** 3  # where both are mixed says little of either
        near = cv.blur(front * solid, size) / (cv.blur(solid, size)[..., None] + 1e-4)
        behind = cv.blur(behind * open_, size) / (cv.blur(open_, size)[..., None] + 1e-4)
        front = np.clip(near + share * (pixels - share * near - (1 - share) * behind), 0, 1)
    return front


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

    wide = 1 - opencv().dilate(alpha, np.ones((7, 7), np.uint8))
    radius = max(image.size) / 45
    layers = np.dstack([np.asarray(image, np.float32) * wide[..., None], wide * 255])
    soft = Image.fromarray(layers.astype(np.uint8), "RGBA").filter(ImageFilter.GaussianBlur(radius))
    wider = Image.fromarray(layers.astype(np.uint8), "RGBA").filter(ImageFilter.GaussianBlur(radius * 6))
    near, far = (np.asarray(one, np.float32) for one in (soft, wider))
    share = np.clip(near[..., 3:] / 40, 0, 1)
    filled = [one[..., :3] / np.maximum(one[..., 3:] / 255, 1e-2) for one in (near, far)]
    return Image.fromarray(np.clip(filled[0] * share + filled[1] * (1 - share), 0, 255).astype(np.uint8), "RGB")
