from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from troth.gateway.studio.colour import contrast, to_lab
from troth.gateway.studio.compose import compose
from troth.gateway.studio.reading import read
from troth.gateway.studio.scenes.swatches import palette_of

KINDS = ("stripes", "dots", "checks", "scallops", "terrazzo", "zigzag", "triangles", "petals", "botanical")


def picture(prompt: str, size: tuple[int, int] = (200, 200)) -> np.ndarray:
    with Image.open(io.BytesIO(compose(prompt, *size, 3).png)) as image:
        return np.asarray(image.convert("L")).astype(float)


def test_every_pattern_is_another_one() -> None:
    made = [picture(f"{kind} pattern retro") for kind in KINDS]
    for number, one in enumerate(made):
        assert one.std() > 10
        assert all(np.abs(one - other).mean() > 8 for other in made[:number])


@pytest.mark.parametrize("kind", ["dots", "checks", "zigzag", "petals"])
def test_a_pattern_repeats(kind: str) -> None:
    """Some shift of it along the row gives nearly the same picture again."""
    image = picture(f"{kind} pattern retro", (240, 240))
    off = [np.abs(image[:, :-shift] - image[:, shift:]).mean() for shift in range(16, 121)]
    assert min(off) < 0.35 * max(off)


def test_the_pattern_fills_the_sheet() -> None:
    for kind in KINDS:
        image = picture(f"{kind} pattern retro", (300, 120))
        assert all(image[:, start : start + 100].std() > 6 for start in (0, 100, 200)), kind


@pytest.mark.parametrize("words", ["ocean", "autumn", "neon", "mono", "teal and coral", "green"])
def test_a_palette_has_five_colours_that_differ(words: str) -> None:
    colours = palette_of(read(f"palette {words}", 300, 200, 0))
    lights = [to_lab(colour).light for colour in colours]
    assert len(colours) == len(set(colours)) == 5
    assert lights == sorted(lights)
    assert contrast(colours[0], colours[-1]) >= 7


@pytest.mark.parametrize("size", [(512, 300), (300, 512)])
def test_a_palette_shows_its_colours(size: tuple[int, int]) -> None:
    brief = read("palette of the ocean", *size, 0)
    with Image.open(io.BytesIO(compose("palette of the ocean", *size, 0).png)) as image:
        seen = {colour for _, colour in image.convert("RGB").getcolors(1_000_000) or []}
    assert all(tuple(int(code[at : at + 2], 16) for at in (1, 3, 5)) in seen for code in palette_of(brief))
