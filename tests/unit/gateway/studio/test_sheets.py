from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from troth.gateway.studio.colour import contrast
from troth.gateway.studio.compose import render
from troth.gateway.studio.inks import clear_of, ink_on
from troth.gateway.studio.layouts import draw
from troth.gateway.studio.palettes import PALETTES
from troth.gateway.studio.reading import Brief, read
from troth.gateway.studio.sheets import SHEETS

SIZES = ((300, 400), (300, 300), (600, 200), (64, 300))
TEXTS = ("Open day", "Saturday 14 May, 10 to 16", "Municipal library")
LONG = "Donaudampfschifffahrtsgesellschaft", "Data protection in the age of machine learning and of us", "?"
_LETTER = re.compile(r'transform="translate\(([-\d.]+) ([-\d.]+)\) scale\(([\d.]+)\)"/>')


def brief_of(layout: Any, texts: tuple[str, ...], seed: int = 1) -> Brief:
    return replace(read("poster", 300, 400, seed), layout=layout, texts=texts, motif="pattern")


def letters(layout: str, size: tuple[int, int], texts: tuple[str, ...] = TEXTS) -> list[tuple[float, float, float]]:
    """Left end, baseline and scale of every letter."""
    found = _LETTER.findall(draw(*size, brief_of(layout, texts)))
    return [(float(x), float(y), float(scale)) for x, y, scale in found]


@pytest.mark.parametrize("layout", list(SHEETS))
@pytest.mark.parametrize("size", SIZES)
def test_every_letter_is_set_and_none_leaves_the_sheet(layout: str, size: tuple[int, int]) -> None:
    found = letters(layout, size)
    assert len(found) >= sum(not sign.isspace() for sign in "".join(TEXTS))
    assert all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y, _ in found)


@pytest.mark.parametrize("layout", list(SHEETS))
@pytest.mark.parametrize("title", LONG)
def test_long_titles_and_long_words_fit(layout: str, title: str) -> None:
    found = letters(layout, (300, 400), (title, "Vienna", "Free"))
    assert all(0 <= x <= 300 and 0 <= y <= 400 for x, y, _ in found)


@pytest.mark.parametrize("layout", ["swiss", "stack", "block", "card", "split"])
def test_the_title_is_twice_as_large_as_what_stands_below(layout: str) -> None:
    sizes = {scale for _, _, scale in letters(layout, (600, 800))}
    assert max(sizes) >= 1.9 * min(sizes)


@pytest.mark.parametrize("name", list(PALETTES))
def test_inks_read_on_their_ground_and_on_the_shape(name: str) -> None:
    palette = PALETTES[name]
    brief = replace(brief_of("swiss", TEXTS), palette=palette)
    for ground in (palette.paper, palette.near, palette.accent, *palette.sky):
        ink = ink_on(ground, brief)
        assert contrast(ink, ground) >= 4.5
        assert contrast(clear_of(palette.accent, ink, ground), ink) >= 4.5


@pytest.mark.parametrize("seed", range(6))
def test_words_are_readable_in_the_pixels(seed: int) -> None:
    with Image.open(io.BytesIO(render(draw(300, 400, brief_of("swiss", ("HHHH",), seed))))) as image:
        rows = np.asarray(image.convert("RGB"))[30:50, 20:280].reshape(-1, 3)
    shades, counts = np.unique(rows, axis=0, return_counts=True)
    first, second = (f"#{bytes(shades[place].astype(np.uint8)).hex()}" for place in np.argsort(counts)[-2:])
    assert contrast(first, second) >= 4.5


def test_the_same_words_are_not_always_set_alike() -> None:
    assert {read('poster "Open day"', 300, 400, seed).layout for seed in range(20)} == {"swiss", "block", "stack"}


def test_words_stand_beside_the_picture_of_a_banner() -> None:
    assert max(x for x, _, _ in letters("split", (600, 200), (LONG[1],))) < 600 * 0.56
