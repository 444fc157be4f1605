from __future__ import annotations

import io

import pytest
from PIL import Image

from troth.gateway.studio.colour import contrast
from troth.gateway.studio.compose import render
from troth.gateway.studio.layouts import draw
from troth.gateway.studio.reading import Brief, read


def _picture(brief: Brief, size: tuple[int, int]) -> Image.Image:
    with Image.open(io.BytesIO(render(draw(*size, brief)))) as image:
        return image.convert("RGB")


def _hex(pixel: object) -> str:
    red, green, blue = pixel  # type: ignore[misc]
    return f"#{red:02x}{green:02x}{blue:02x}"


@pytest.mark.parametrize("words", ["", ' "Private by design"', ' "One" "Two" "Three"'])
@pytest.mark.parametrize("prompt", ["sea poster", "desert arch", "mountain logo"])
def test_paper_stands_around_the_scene(prompt: str, words: str) -> None:
    brief = read(prompt + words, 300, 420, 2)
    image = _picture(brief, (300, 420))
    assert {_hex(image.getpixel(place)) for place in ((2, 2), (297, 2), (2, 417), (297, 417))} == {brief.palette.paper}
    assert _hex(image.getpixel((150, 150))) != brief.palette.paper


def test_words_below_the_picture_are_readable() -> None:
    brief = read('sea poster "Troth"', 300, 420, 2)
    lower = _picture(brief, (300, 420)).crop((20, 330, 280, 415))
    shades = [_hex(colour) for _, colour in lower.getcolors(100_000) or []]
    assert max(contrast(shade, brief.palette.paper) for shade in shades) >= 4.5


@pytest.mark.parametrize("size", [(900, 300), (300, 600)])
def test_words_over_a_scene_stay_inside_the_sheet(size: tuple[int, int]) -> None:
    text = "A sentence that is much too long for one line of any banner"
    with_words, without = read(f'city "{text}"', *size, 2), read("city", *size, 2)
    assert with_words.layout in {"full", "framed"}
    svg = draw(*size, with_words)
    letters = sum(not character.isspace() for character in text)
    assert svg.count("scale(") >= letters
    assert draw(*size, without).count("scale(") < letters


def test_wide_banner_sets_light_words_on_a_veil() -> None:
    brief = read('banner "Private by design" sea at noon', 900, 300, 2)
    image = _picture(brief, (900, 300))
    colours = {_hex(colour) for _, colour in image.crop((20, 80, 450, 220)).getcolors(1_000_000) or []}
    assert brief.palette.paper in colours
    assert contrast(_hex(image.getpixel((6, 150))), brief.palette.paper) >= 4.5


def test_snow_falls_when_asked_for() -> None:
    assert draw(300, 300, read("snow on pines in a forest", 300, 300, 2)).count('fill="#ffffff"') > 50
