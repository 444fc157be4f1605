from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from troth.gateway.studio.compose import Wish, compose, render
from troth.gateway.studio.grain import papered


def sheet(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "#807060").save(out, "PNG")
    return out.getvalue()


def pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB")).astype(float)


def test_grain_is_as_strong_on_small_sheets_as_on_large_and_leaves_the_colour() -> None:
    for side in (200, 900):
        off = pixels(papered(sheet(side), "a")) - np.array([0x80, 0x70, 0x60])
        assert abs(off.mean()) < 0.6
        assert 3 < off.std() < 5
        assert (off[..., 0] == off[..., 1]).all()


def test_the_same_seed_gives_the_same_grain() -> None:
    assert papered(sheet(64), "a") == papered(sheet(64), "a") != papered(sheet(64), "b")


@pytest.mark.parametrize(
    ("prompt", "wish", "grained"),
    [
        ("pattern of dots", Wish(), True),
        ('poster "Open day"', Wish(), True),
        ("palette of the ocean", Wish(), False),
        ("the sea", Wish(), False),
        ('logo "Nord"', Wish(bare=True), False),
    ],
)
def test_flat_sheets_have_it_and_palettes_and_bare_ones_do_not(prompt: str, wish: Wish, grained: bool) -> None:
    picture = compose(prompt, 128, 128, 1, wish=wish)
    assert (picture.png != render(picture.svg)) is grained
