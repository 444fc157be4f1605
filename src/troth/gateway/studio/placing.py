"""Words on a picture: on its quiet side, in sizes of one scale, with a contrast that is measured in the pixels."""

from __future__ import annotations

import io
from typing import Any, Final, Literal

from PIL import Image

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.compose import render
from troth.gateway.studio.subject import found_faces, interest
from troth.gateway.studio.typesetting import Align, Block, Column, Style, column, put

READABLE: Final = 4.5
"""WCAG 2.2, 1.4.3: contrast of text with what lies behind it."""

Place = Literal["top", "middle", "bottom", "auto"]
Side = Literal["left", "right", "centre"]
_LIGHT, _DARK = "#fdfbf7", "#15151b"
_TITLE, _BELOW = Style("sans", leading=1.06), Style("text", leading=1.3)
_VEILS: Final = (0.0, 0.3, 0.45, 0.6, 0.72, 0.84, 0.94)  # how strong the veil is, step by step
_STRIP: Final = 128  # rows that are measured at once
_WORST: Final = 0.02  # of the pixels around the letters may be worse: single specks are no background


def lettered(image: Image.Image, texts: tuple[str, ...], place: Place, side: Side) -> Image.Image:
    """The texts on an RGB or RGBA picture. A veil comes in where the contrast would be under 4.5."""
    where = _quiet(image) if place == "auto" else place
    block, at = _block(image.size, where)
    least = max(9.0, min(image.size) * 0.03)
    made = column(texts, (_TITLE, _BELOW), block, largest=min(image.width * 0.11, image.height * 0.16), least=least)
    align: Align = side
    layers = {colour: _drawn(image.size, made, (block, at, align), colour) for colour in (_LIGHT, _DARK)}
    for strength in _VEILS:
        for colour in _order(image, layers[_LIGHT]):
            behind = _veiled(image, (where, made, block, at), colour, strength)
            if measured(behind, layers[colour], colour) >= READABLE:
                return _joined(behind, layers[colour], image.mode)
    return _joined(behind, layers[colour], image.mode)


def measured(behind: Image.Image, layer: Image.Image, colour: str) -> float:
    """The contrast of `colour` with the pixels next to and under the letters of `layer`, the worst but a few."""
    import numpy as np  # noqa: PLC0415  an extra

    near, own = np.asarray(layer.getchannel("A")), _luminances(Image.new("RGB", (1, 1), colour))[0, 0]
    ratios = []
    for top in range(0, behind.height, _STRIP):
        bottom = min(behind.height, top + _STRIP)
        letters = near[top:bottom] > 8
        if letters.any():
            shades = _luminances(behind.crop((0, top, behind.width, bottom)))[letters]
            ratios.append((np.maximum(shades, own) + 0.05) / (np.minimum(shades, own) + 0.05))
    return float(np.quantile(np.concatenate(ratios), _WORST)) if ratios else 21.0


def _luminances(image: Image.Image) -> Any:
    """Relative luminance (WCAG 2.2) of every pixel; transparent ones count as white."""
    import numpy as np  # noqa: PLC0415  an extra

    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    coded = np.arange(256, dtype=np.float32) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return linear[np.asarray(flat.convert("RGB"))] @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def _quiet(image: Image.Image) -> Literal["top", "bottom"]:
    """Where less is to be seen; the bottom when both are alike."""
    plain = image.convert("RGB")
    wanted = interest(plain, found_faces(plain))
    third = wanted.shape[0] // 3
    return "top" if float(wanted[:third].sum()) < 0.8 * float(wanted[-third:].sum()) else "bottom"


def _block(size: tuple[int, int], place: Place) -> tuple[Block, float]:
    """Where the words go, and whether they stand at its top or its bottom."""
    margin = min(size) * 0.07
    top, at = {"top": (margin, 0.0), "middle": (size[1] * 0.3, 0.5)}.get(place, (size[1] * 0.6 - margin, 1.0))
    return Block(margin, top, size[0] - 2 * margin, size[1] * 0.4), at


def _drawn(size: tuple[int, int], made: Column, place: tuple[Block, float, Align], colour: str) -> Image.Image:
    canvas, (block, at, align) = Canvas(*size), place
    put(canvas, made, block, colour, align=align, at=at)
    with Image.open(io.BytesIO(render(canvas.svg()))) as layer:
        return layer.convert("RGBA")


def _order(image: Image.Image, layer: Image.Image) -> tuple[str, str]:
    """Which of the two inks is tried first: the one that has more contrast as it is."""
    return (_LIGHT, _DARK) if measured(image, layer, _LIGHT) >= measured(image, layer, _DARK) else (_DARK, _LIGHT)


def _veiled(image: Image.Image, place: tuple[str, Column, Block, float], colour: str, strength: float) -> Image.Image:
    """A veil of the other ink behind the words, fading out towards the rest of the picture."""
    if not strength:
        return image
    import numpy as np  # noqa: PLC0415  an extra

    where, made, block, at = place
    top = block.top + (block.height - made.height) * at
    rows = np.arange(image.height, dtype=np.float32)
    fade, air = image.height * 0.22, made.height * 0.25
    start, end = top - air, top + made.height + made.hang + air
    if where == "top":
        start = -fade
    elif where == "bottom":
        end = image.height + fade
    share = np.clip(np.minimum((rows - start + fade) / fade, (end + fade - rows) / fade), 0, 1)
    smooth = share * share * (3 - 2 * share)
    column_ = (255 * strength * smooth).astype(np.uint8)
    veil = Image.fromarray(np.repeat(column_[:, None], image.width, axis=1), "L")
    sheet = Image.new("RGB", image.size, _DARK if colour == _LIGHT else _LIGHT)
    if image.mode == "RGBA":
        sheet.putalpha(veil)
        return Image.alpha_composite(image, sheet)
    return Image.composite(sheet, image, veil)


def _joined(behind: Image.Image, layer: Image.Image, mode: str) -> Image.Image:
    return Image.alpha_composite(behind.convert("RGBA"), layer).convert(mode)
