from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from troth.gateway.studio.placing import Place, Side, lettered
from unit.gateway.intake import pictures

INKS = {"light": (253, 251, 247), "dark": (21, 21, 27)}


def grounds() -> dict[str, Image.Image]:
    noise = np.random.default_rng(4).integers(0, 256, (200, 300, 1)).astype(np.uint8).repeat(3, 2)
    halves = Image.new("RGB", (300, 200), "white")
    halves.paste("black", (0, 0, 150, 200))
    with Image.open(pictures.SAMPLE) as photo:
        return {
            "noise": Image.fromarray(noise),
            "halves": halves,
            "photo": photo.convert("RGB"),
            "grey": Image.new("RGB", (300, 200), "#777777"),
            "clear": Image.new("RGBA", (300, 200), (0, 0, 0, 0)),
        }


def luminances(pixels: Any) -> Any:
    linear = np.where(pixels <= 10, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("name", list(grounds()))
@pytest.mark.parametrize("place", ["top", "bottom", "middle"])
def test_the_contrast_measured_in_the_pixels_is_enough(name: str, place: Place) -> None:
    """Letters are found by their ink; what stands within three pixels of them is their background."""
    made = lettered(grounds()[name], ("Open day", "Saturday at noon"), place, "centre")
    flat = Image.alpha_composite(Image.new("RGBA", made.size, "white"), made.convert("RGBA")).convert("RGB")
    pixels = np.asarray(flat).astype(float)
    ink = max(INKS.values(), key=lambda one: int((np.abs(pixels - one).sum(2) == 0).sum()))
    letters = Image.fromarray(((np.abs(pixels - ink).sum(2) <= 3) * 255).astype(np.uint8))
    solid = letters.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(3))
    near = (np.asarray(solid.filter(ImageFilter.MaxFilter(9))) > 0) & ~(
        np.asarray(solid.filter(ImageFilter.MaxFilter(5))) > 0
    )
    assert near.sum() > 300
    own, behind = float(luminances(np.array(ink, float))), luminances(pixels[near])
    ratios = (np.maximum(own, behind) + 0.05) / (np.minimum(own, behind) + 0.05)
    assert float(np.quantile(ratios, 0.1)) >= 4.5


@pytest.mark.parametrize(("place", "rows"), [("top", slice(0, 100)), ("bottom", slice(100, 200))])
def test_words_stand_where_they_are_wished(place: Place, rows: slice) -> None:
    before = Image.new("RGB", (300, 200), "#224466")
    changed = np.asarray(lettered(before, ("Hello",), place, "left")) != np.asarray(before)
    assert changed[rows].any()
    changed[rows] = False
    assert not changed.any()


@pytest.mark.parametrize(("side", "columns"), [("left", slice(0, 150)), ("right", slice(150, 300))])
def test_words_stand_at_their_side(side: Side, columns: slice) -> None:
    before = Image.new("RGB", (300, 200), "#224466")
    changed = (np.asarray(lettered(before, ("Hello",), "top", side)) != np.asarray(before)).any(2)
    assert changed[:, columns].sum() > 0.9 * changed.sum() > 0


def test_words_go_to_the_quiet_side() -> None:
    before = np.full((200, 300, 3), 40, np.uint8)
    before[140:, ::4] = 200
    changed = np.asarray(lettered(Image.fromarray(before), ("Hello",), "auto", "centre")) != before
    assert changed[:100].any()
    assert not changed[120:].any()
