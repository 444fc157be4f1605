"""Changes that depend on the place: crop, focus, mending a hole, words on a quiet spot."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

from troth.gateway.studio.canvas import Canvas
from troth.gateway.studio.colour import contrast, readable
from troth.gateway.studio.compose import render
from troth.gateway.studio.layouts import Block, words
from troth.gateway.studio.reading import Brief

_MAP: Final = 96
"""Side of the small map on which the detail of a picture is measured."""

READABLE: Final = 4.5
"""WCAG 2.2, 1.4.3: contrast of text with what lies behind it."""


def detail(image: Image.Image) -> Image.Image:
    """A small grey map: where the edges are, a little brighter towards the middle."""
    edges = image.convert("L").resize((_MAP, _MAP), Image.Resampling.BOX).filter(ImageFilter.FIND_EDGES)
    edges.paste(0, (0, 0, _MAP, 1))  # the filter leaves the border as it was
    edges.paste(0, (0, _MAP - 1, _MAP, _MAP))
    middle = ImageOps.invert(Image.radial_gradient("L")).resize((_MAP, _MAP))
    return ImageChops.add(edges.filter(ImageFilter.BoxBlur(3)), middle.point([value // 12 for value in range(256)]))


def cropped(image: Image.Image, width: int, height: int) -> Image.Image:
    """The picture scaled to cover `width` x `height`, cut where it has the least detail."""
    scale = max(width / image.width, height / image.height)
    size = max(width, round(image.width * scale)), max(height, round(image.height * scale))
    scaled = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if size == (width, height):
        return scaled
    across = size[0] > width
    spare = size[0] - width if across else size[1] - height
    kept = round(_MAP * (width / size[0] if across else height / size[1]))
    line = detail(image).resize((_MAP, 1) if across else (1, _MAP), Image.Resampling.BOX).tobytes()
    starts = range(_MAP - kept + 1)
    best = max(starts, key=lambda start: (sum(line[start : start + kept]), -abs(start - (_MAP - kept) / 2)))
    offset = round(spare * best / max(1, _MAP - kept))
    left, top = (offset, 0) if across else (0, offset)
    return scaled.crop((left, top, left + width, top + height))


def closer(image: Image.Image) -> Image.Image:
    """The part with most detail, three quarters as wide and high, at the old size."""
    width, height, kept = image.width * 3 // 4, image.height * 3 // 4, _MAP * 3 // 4
    energy = detail(image)
    across = energy.resize((_MAP, 1), Image.Resampling.BOX).tobytes()
    down = energy.resize((1, _MAP), Image.Resampling.BOX).tobytes()
    starts = range(_MAP - kept + 1)
    left, top = (
        max(starts, key=lambda start: sum(line[start : start + kept])) / (_MAP - kept) for line in (across, down)
    )
    x, y = round((image.width - width) * left), round((image.height - height) * top)
    return image.crop((x, y, x + width, y + height)).resize(image.size, Image.Resampling.LANCZOS)


def bordered(image: Image.Image, colour: str) -> Image.Image:
    """A margin of paper inside the old size."""
    margin = max(2, min(image.size) // 16)
    inner = cropped(image, image.width - 2 * margin, image.height - 2 * margin)
    return ImageOps.expand(inner, margin, colour)


def focused(image: Image.Image) -> Image.Image:
    """Sharp where the detail is, out of focus elsewhere; not a cut-out: no model knows what the subject is."""
    energy = ImageOps.autocontrast(detail(image).filter(ImageFilter.GaussianBlur(9)))
    keep = energy.point([min(255, max(0, (value - 90) * 3)) for value in range(256)])
    keep = keep.resize(image.size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(max(image.size) / 40))
    soft = image.filter(ImageFilter.GaussianBlur(max(image.size) / 70))
    return Image.composite(image, soft, keep)


def hole(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """What a mask opens, as white on black: its transparent area, or its white one when it has no transparency."""
    opened = ImageOps.invert(mask.getchannel("A")) if "A" in mask.getbands() else mask.convert("L")
    return opened.resize(size, Image.Resampling.BILINEAR)


def mended(image: Image.Image, opened: Image.Image) -> Image.Image:
    """The hole filled from its rim inwards (pull-push pyramid, Gortler et al. 1996), with similar grain."""
    wide = opened.filter(ImageFilter.MaxFilter(5)).point([0 if value < 24 else 255 for value in range(256)])
    known = image.convert("RGBA")
    known.putalpha(ImageOps.invert(wide))
    levels = [known]
    while min(levels[-1].size) > 1:
        half = (max(1, levels[-1].width // 2), max(1, levels[-1].height // 2))
        levels.append(levels[-1].resize(half, Image.Resampling.BOX))
    filled = _opaque(levels[-1])
    for level in reversed(levels[:-1]):
        filled = Image.alpha_composite(_opaque(filled.resize(level.size, Image.Resampling.BICUBIC)), level)
    smooth = filled.convert("RGB")
    noise = Image.effect_noise(image.size, _roughness(image, wide)).convert("RGB")
    grainy = ImageChops.add(smooth, noise, 1.0, -128)
    edge = wide.filter(ImageFilter.GaussianBlur(max(1.0, max(image.size) / 400)))
    return Image.composite(grainy, image, edge)


def _opaque(image: Image.Image) -> Image.Image:
    """Colours that are only partly known count in full: their alpha was the weight, not a wish to be seen through."""
    solid = image.copy()
    solid.putalpha(255)
    return solid


def _roughness(image: Image.Image, wide: Image.Image) -> float:
    """The fine texture of the picture outside the hole, as a standard deviation of grey values."""
    plain = image.convert("L")
    fine = ImageChops.subtract(plain, plain.filter(ImageFilter.GaussianBlur(2)), 1.0, 128)
    return min(
        9.0, ImageStat.Stat(fine, ImageOps.invert(wide)).stddev[0] * 0.6 if wide.getextrema() != (255, 255) else 0
    )


def placed(image: Image.Image, other: Image.Image, opened: Image.Image) -> Image.Image:
    """`other` shown through the hole, with a soft edge."""
    return Image.composite(other, image, opened.filter(ImageFilter.GaussianBlur(max(image.size) / 500)))


def lettered(image: Image.Image, brief: Brief) -> Image.Image:
    """The brief's texts on the quieter of top and bottom, over a veil when the contrast would be under 4.5."""
    energy = detail(image)
    third = _MAP // 3
    top, bottom = (
        ImageStat.Stat(energy.crop(box)).sum[0] for box in ((0, 0, _MAP, third), (0, _MAP - third, _MAP, _MAP))
    )
    high = image.height * 0.3
    block = Block(image.width * 0.08, image.height * (0.04 if top < bottom else 0.66), image.width * 0.84, high)
    behind = image.crop((0, round(block.top), image.width, round(block.top + high)))
    light, dark = brief.palette.paper, "#14141a"
    colour = readable(_average(behind), light, dark)
    canvas = Canvas(image.width, image.height)
    if min(contrast(colour, shade) for shade in _extremes(behind)) < READABLE:
        colour = light
        veil = (
            [f"{dark}@0.78", f"{dark}@0.62", f"{dark}@0"]
            if top < bottom
            else [f"{dark}@0", f"{dark}@0.62", f"{dark}@0.78"]
        )
        start = 0.0 if top < bottom else image.height * 0.52
        canvas.rect(0, start, image.width, image.height * 0.48, canvas.linear(veil))
    words(canvas, brief, block, colour)
    with Image.open(io.BytesIO(render(canvas.svg()))) as layer:
        return Image.alpha_composite(image.convert("RGBA"), layer.convert("RGBA")).convert("RGB")


def _average(image: Image.Image) -> str:
    return "#" + "".join(f"{round(value):02x}" for value in ImageStat.Stat(image).mean)


def _extremes(image: Image.Image) -> tuple[str, str]:
    """The darkest and the lightest broad area behind the words."""
    rows = image.resize((12, 4), Image.Resampling.BOX).tobytes()
    shades = [f"#{rows[index : index + 3].hex()}" for index in range(0, len(rows), 3)]
    shades.sort(key=lambda shade: contrast(shade, "#000000"))
    return shades[0], shades[-1]
