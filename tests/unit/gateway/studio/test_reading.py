from __future__ import annotations

import pytest

from troth.gateway.studio.palettes import PALETTES
from troth.gateway.studio.reading import read


@pytest.mark.parametrize(
    ("prompt", "motif", "palette"),
    [
        ("a calm sea at sunset", "sea", "sunset"),
        ("Berlin skyline, neon", "city", "neon"),
        ("winter forest with snow", "forest", "winter"),
        ("aurora over the mountains", "mountains", "aurora"),
        ("coffee", "cup", "earth"),
        ("bauhaus tiles", "geometric", "bauhaus"),
        ("botanical pattern in spring", "pattern", "spring"),
        ("palette of warm autumn colours", "palette", "autumn"),
        ("teal and coral ribbons", "waves", "custom"),
    ],
)
def test_words_choose_motif_and_palette(prompt: str, motif: str, palette: str) -> None:
    brief = read(prompt, 512, 512, 0)
    assert (brief.motif, brief.palette.name, brief.named) == (motif, palette, True)


@pytest.mark.parametrize(
    ("prompt", "size", "layout"),
    [
        ("sea", (512, 512), "full"),
        ("poster of the sea", (512, 768), "framed"),
        ("botanical poster", (512, 768), "arch"),
        ("desert arch", (512, 512), "arch"),
        ("mountain logo", (512, 512), "round"),
        ("banner 'Hello there' city", (900, 300), "full"),
        ('city "Hello"', (512, 512), "framed"),
        ('coffee banner "Hello"', (900, 300), "split"),
        ('banner "Hello"', (900, 300), "split"),
        ('logo "Kruste"', (512, 512), "monogram"),
        ('wedding invitation "Anna and Max"', (512, 384), "card"),
        ('newsletter "May" botanical', (512, 768), "page"),
        ('minimal poster "Less"', (512, 768), "swiss"),
        ('minimal banner "Less"', (900, 300), "split"),
    ],
)
def test_words_and_shape_choose_the_layout(prompt: str, size: tuple[int, int], layout: str) -> None:
    assert read(prompt, *size, 0).layout == layout


@pytest.mark.parametrize(
    ("prompt", "texts"),
    [
        ("poster \"One\" 'Two three' “Four”", ("One", "Two three", "Four")),
        ("the artist's view of the sailor's sea", ()),
        ('"" sea', ()),
        ("«  Bon   jour » sea", ("Bon jour",)),
    ],
)
def test_quotes_are_words_to_set(prompt: str, texts: tuple[str, ...]) -> None:
    assert read(prompt, 512, 512, 0).texts == texts


def test_quoted_words_do_not_choose_the_motif() -> None:
    assert read('forest poster "City Sea Space Desert"', 512, 512, 0).motif == "forest"


def test_unknown_words_still_give_a_brief() -> None:
    brief = read("qwertz", 512, 512, 3)
    assert not brief.named
    assert brief == read("qwertz", 512, 512, 3)


def test_named_colour_of_flowers_is_the_petals() -> None:
    brief = read("purple flowers", 512, 512, 0)
    assert brief.palette.sky == PALETTES["spring"].sky
    assert brief.palette.accent != PALETTES["spring"].accent


def test_parts_draw_from_their_own_chances() -> None:
    brief = read("sea", 512, 512, 0)
    assert brief.rng("sky").random() == brief.rng("sky").random() != brief.rng("sea").random()


def test_words_without_letters_are_left_out_and_said() -> None:
    brief = read('sea poster "\u6f22\u5b57" "Hello"', 512, 512, 0)
    assert brief.texts == ("Hello",)
    assert "left out" in brief.sentence()
