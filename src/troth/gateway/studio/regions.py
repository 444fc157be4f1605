"""Changes that depend on the place: turns, a border, what shows through a mask."""

from __future__ import annotations

from PIL import Image, ImageFilter, ImageOps

from troth.gateway.studio.framing import cropped


def left(image: Image.Image) -> Image.Image:
    """Turned counter-clockwise by a quarter."""
    return image.transpose(Image.Transpose.ROTATE_90)


def right(image: Image.Image) -> Image.Image:
    """Turned clockwise by a quarter."""
    return image.transpose(Image.Transpose.ROTATE_270)


def over(image: Image.Image) -> Image.Image:
    """Turned by half."""
    return image.transpose(Image.Transpose.ROTATE_180)


def bordered(image: Image.Image, colour: str) -> Image.Image:
    """A margin of paper inside the old size."""
    margin = max(2, min(image.size) // 16)
    inner = cropped(image, image.width - 2 * margin, image.height - 2 * margin)
    return ImageOps.expand(inner, margin, colour)


def placed(image: Image.Image, other: Image.Image, opened: Image.Image) -> Image.Image:
    """`other` shown through the hole, with a soft edge."""
    return Image.composite(other, image, opened.filter(ImageFilter.GaussianBlur(max(image.size) / 500)))
