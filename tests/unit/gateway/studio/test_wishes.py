from __future__ import annotations

import pytest

from troth.gateway.studio.wishes import Crop, wished
from troth.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("remove the background", "transparent"),
        ("cut out the person", "transparent"),
        ("make the background transparent please", "transparent"),
        ("blur the background", "blurred"),
        ("replace the background with a warm gradient", "gradient"),
        ("change the background to a beach", "scene"),
        ("put her on a red background", "colour"),
        ("white background", "colour"),
    ],
)
def test_backgrounds(prompt: str, kind: str) -> None:
    wishes = wished(prompt)
    assert wishes.background is not None
    assert wishes.background.kind == kind
    assert not wishes.tones
    assert not wishes.rest


@pytest.mark.parametrize(
    ("prompt", "crop"),
    [
        ("crop to 1:1 around the subject", Crop(1.0, around=True)),
        ("crop to a square", Crop(1.0, around=False)),
        ('crop it 16:9 and add "Hi" at the top left', Crop(16 / 9, around=False)),
        ("4:5 crop", Crop(0.8, around=False)),
        ("make it square", Crop(1.0, around=False)),
        ("crop closer", Crop(None, around=False)),
        ("zoom in on the face", Crop(None, around=True)),
    ],
)
def test_crops(prompt: str, crop: Crop) -> None:
    assert wished(prompt).crop == crop


@pytest.mark.parametrize(
    ("prompt", "factor"),
    [
        ("upscale 2x", 2),
        ("enlarge it 3 times", 3),
        ("double the size", 2),
        ("upscale by a factor of 4", 4),
        ("warmer", 1),
    ],
)
def test_factors(prompt: str, factor: int) -> None:
    assert wished(prompt).factor == factor


def test_words_and_where_they_go() -> None:
    wishes = wished("add the text 'Open day' and \"Saturday\" at the bottom right, make it warmer")
    assert (wishes.texts, wishes.place, wishes.side) == (("Open day", "Saturday"), "bottom", "right")
    assert [name for name, _ in wishes.tones] == ["warmer"]
    assert wished('"Hello"').place == "auto"


def test_words_in_quotes_are_no_wishes() -> None:
    wishes = wished('add "remove the background and crop to 1:1"')
    assert wishes.background is None
    assert wishes.crop is None


def test_each_word_counts_once() -> None:
    wishes = wished("replace the background by a gradient from blue to pink, mirror it and make it black and white")
    assert wishes.background is not None
    assert len(wishes.background.colours) == 2
    assert [name for name, _ in wishes.tones] == ["mirrored", "black and white"]


@pytest.mark.parametrize("prompt", ["", "a dragon", "replace the background with a dragonish", "add text Hello"])
def test_refusals_list_what_can_be_done(prompt: str) -> None:
    with pytest.raises(Invalid, match="vectorise; add text in quotes") as refusal:
        wished(prompt)
    assert refusal.value.code == "edit-not-understood"


def test_a_long_prompt_of_half_patterns_is_refused() -> None:
    for piece in ("crop ", "replace the background ", "make the all it ", "upscale it by ", "on a a ", "remove the "):
        with pytest.raises(Invalid) as refusal:
            wished(piece * 800)
        assert refusal.value.code == "edit-not-understood"
