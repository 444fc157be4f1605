from __future__ import annotations

import pytest

from troth.gateway.studio.backgrounds import named_background
from troth.gateway.studio.palettes import PALETTES


@pytest.mark.parametrize(
    ("words", "kind", "colours"),
    [
        ("white", "colour", ("#ffffff",)),
        ("#204060", "colour", ("#204060",)),
        ("a #fff sheet", "colour", ("#ffffff",)),
        ("warm gradient", "gradient", PALETTES["sunset"].sky),
        ("a beach", "scene", ()),
        ("sunset", "scene", ()),
        ("winter", "scene", ()),
        ("a gradient from white to #000000", "gradient", ("#ffffff", "#000000")),
        ("romantic", "gradient", PALETTES["sunset"].sky),
    ],
)
def test_words_name_a_background(words: str, kind: str, colours: tuple[str, ...]) -> None:
    background = named_background(words)
    assert background is not None
    assert (background.kind, background.colours) == (kind, colours)


def test_dark_and_light_shades_of_a_named_colour() -> None:
    dark, plain, light = (named_background(f"{word} blue") for word in ("dark", "plain", "light"))
    assert dark is not None
    assert plain is not None
    assert light is not None
    assert dark.colours < plain.colours < light.colours


def test_other_words_name_none() -> None:
    assert named_background("something dragonish") is None
