"""Colour arithmetic in OKLab (B. Ottosson, 2020), where equal steps look equal, and contrast after WCAG 2.2."""

from __future__ import annotations

import math
from typing import NamedTuple


class Lab(NamedTuple):
    """OKLab: `light` 0 to 1, `green_red` and `blue_yellow` about -0.4 to 0.4."""

    light: float
    green_red: float
    blue_yellow: float


def to_lab(colour: str) -> Lab:
    """OKLab of `#rrggbb`."""
    red, green, blue = (_linear(value) for value in channels(colour))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return Lab(
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def from_lab(lab: Lab) -> str:
    """The nearest `#rrggbb`; what the screen cannot show is clipped."""
    long = (lab.light + 0.3963377774 * lab.green_red + 0.2158037573 * lab.blue_yellow) ** 3
    medium = (lab.light - 0.1055613458 * lab.green_red - 0.0638541728 * lab.blue_yellow) ** 3
    short = (lab.light - 0.0894841775 * lab.green_red - 1.2914855480 * lab.blue_yellow) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _encoded(value)):02x}" for value in linear)


def polar(light: float, chroma: float, hue: float) -> str:
    """`#rrggbb` of an OKLCH colour; `hue` in degrees."""
    angle = math.radians(hue)
    return from_lab(Lab(light, chroma * math.cos(angle), chroma * math.sin(angle)))


def mix(first: str, second: str, share: float) -> str:
    """`share` 0 gives the first colour, 1 the second."""
    start, end = to_lab(first), to_lab(second)
    return from_lab(Lab(*(a + (b - a) * share for a, b in zip(start, end, strict=True))))


def ramp(first: str, second: str, count: int) -> list[str]:
    """`count` colours from the first to the second, both included."""
    return [mix(first, second, step / max(1, count - 1)) for step in range(count)]


def contrast(first: str, second: str) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, 1.4.3 wants 4.5 for text, 3 for large text)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(background: str, *candidates: str) -> str:
    """The candidate with the most contrast on `background`."""
    return max(candidates, key=lambda colour: contrast(background, colour))


def channels(colour: str) -> tuple[float, float, float]:
    """Red, green and blue of `#rrggbb`, 0 to 1."""
    value = int(colour[1:], 16)
    return (value >> 16 & 255) / 255, (value >> 8 & 255) / 255, (value & 255) / 255


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value) for value in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encoded(value: float) -> float:
    if value <= 0.0031308:
        return max(0.0, 12.92 * value)
    return min(1.0, 1.055 * float(value ** (1 / 2.4)) - 0.055)
