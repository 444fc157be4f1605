"""Changes of tone: each takes an RGB picture and gives one of the same size."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from troth.gateway.studio.colour import channels, polar
from troth.gateway.studio.palettes import Palette

Adjust = Callable[[Image.Image], Image.Image]


def balanced(image: Image.Image) -> Image.Image:
    """Contrast stretched without shifting colours."""
    return ImageOps.autocontrast(image, cutoff=0.5, preserve_tone=True)


def grey(image: Image.Image) -> Image.Image:
    """Black and white with a little more contrast than a plain conversion."""
    return ImageEnhance.Contrast(ImageOps.autocontrast(image.convert("L"), cutoff=0.5)).enhance(1.08).convert("RGB")


def warmer(image: Image.Image) -> Image.Image:
    """Towards amber."""
    return _scaled(image, (1.09, 1.01, 0.86))


def cooler(image: Image.Image) -> Image.Image:
    """Towards blue."""
    return _scaled(image, (0.88, 0.99, 1.1))


def brighter(image: Image.Image) -> Image.Image:
    """Middle tones up, white stays white."""
    return image.point(_curve(0.72))


def darker(image: Image.Image) -> Image.Image:
    """Middle tones down, white stays white."""
    return image.point(_curve(1.4))


def contrasty(image: Image.Image) -> Image.Image:
    """More contrast."""
    return ImageEnhance.Contrast(image).enhance(1.3)


def vivid(image: Image.Image) -> Image.Image:
    """More colour."""
    return ImageEnhance.Color(image).enhance(1.45)


def muted(image: Image.Image) -> Image.Image:
    """Less colour."""
    return ImageEnhance.Color(image).enhance(0.5)


def blurred(image: Image.Image) -> Image.Image:
    """Out of focus; the radius grows with the picture."""
    return image.filter(ImageFilter.GaussianBlur(max(image.size) / 110))


def sharper(image: Image.Image) -> Image.Image:
    """Crisper edges."""
    return image.filter(ImageFilter.UnsharpMask(radius=max(image.size) / 500, percent=130, threshold=2))


def vintage(image: Image.Image) -> Image.Image:
    """An old print: faded blacks, warm lights, darker corners, grain."""
    faded = ImageEnhance.Color(image).enhance(0.6).point([32 + value * 208 // 255 for value in range(256)] * 3)
    toned = Image.blend(faded, ImageOps.colorize(image.convert("L"), "#2a1a12", "#f6e3bd", mid="#a97c50"), 0.45)
    return vignetted(grained(toned))


def grained(image: Image.Image) -> Image.Image:
    """Film grain."""
    noise = Image.effect_noise(image.size, 22).convert("RGB")
    return Image.blend(image, ImageChops.overlay(image, noise), 0.5)


def vignetted(image: Image.Image) -> Image.Image:
    """Darker towards the corners."""
    corners = Image.radial_gradient("L").resize(image.size, Image.Resampling.BICUBIC)
    shade = corners.point([255 - max(0, value - 90) * 130 // 165 for value in range(256)])
    return ImageChops.multiply(image, shade.convert("RGB"))


def sketched(image: Image.Image) -> Image.Image:
    """Pencil on paper: the picture divided by its own blur."""
    plain = image.convert("L")
    soft = ImageOps.invert(plain).filter(ImageFilter.GaussianBlur(max(image.size) / 90))
    lines = ImageChops.add(plain, soft)  # additive dodge: only edges stay darker than paper
    return ImageOps.colorize(lines.point(_curve(1.8)[:256]), "#26221f", "#f7f3ea").convert("RGB")


def pixelated(image: Image.Image) -> Image.Image:
    """Large square pixels, about fifty across."""
    longest = max(image.size)
    across, down = (max(1, side * 48 // longest) for side in image.size)
    small = image.resize((across, down), Image.Resampling.BOX)
    return small.resize(image.size, Image.Resampling.NEAREST)


def duotone(image: Image.Image, palette: Palette) -> Image.Image:
    """Two inks: the palette's dark for shadows, its loud colour between, its paper for lights."""
    plain = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    return ImageOps.colorize(plain, palette.near, palette.paper, mid=palette.accent, midpoint=118).convert("RGB")


def poster(image: Image.Image, palette: Palette) -> Image.Image:
    """A screen print: the tones in five flat inks of the palette, edges smoothed."""
    smooth = ImageOps.autocontrast(image.convert("L"), cutoff=1).filter(ImageFilter.MedianFilter(5))
    smooth = smooth.filter(ImageFilter.GaussianBlur(max(image.size) / 400))
    inks = [palette.near, palette.sky[0], palette.accent, palette.sky[2], palette.paper]
    inks.sort(key=lambda ink: sum(channels(ink)))
    steps = [inks[min(4, value * 5 // 256)] for value in range(256)]
    bands = [smooth.point([round(255 * channels(ink)[band]) for ink in steps]) for band in range(3)]
    return Image.merge("RGB", bands)


def tinted(image: Image.Image, hue: float) -> Image.Image:
    """One hue (degrees in OKLCH) from its darkest to its lightest; light and shade stay."""
    dark, mid, light = polar(0.22, 0.06, hue), polar(0.62, 0.15, hue), polar(0.96, 0.03, hue)
    return ImageOps.colorize(ImageOps.autocontrast(image.convert("L"), cutoff=0.5), dark, light, mid=mid).convert("RGB")


def _scaled(image: Image.Image, factors: tuple[float, float, float]) -> Image.Image:
    return image.point([min(255, round(value * factor)) for factor in factors for value in range(256)])


def _curve(gamma: float) -> list[int]:
    return [round(255 * (value / 255) ** gamma) for value in range(256)] * 3
