from __future__ import annotations

import builtins
import io
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageStat

from troth.gateway.studio.compose import MAX_SIDE, MIN_SIDE, compose, render
from troth.gateway.studio.layouts import draw
from troth.gateway.studio.reading import read
from troth.gateway.studio.scenes import SCENES
from troth.kernel.errors import Invalid, Unavailable

PROMPTS = {
    "botanical": "botanical leaves",
    "city": "city skyline at night",
    "cup": "a cup of coffee",
    "desert": "desert with cacti",
    "flowers": "red tulips in a garden",
    "forest": "pine forest",
    "geometric": "bauhaus pattern",
    "palette": "palette of warm autumn colours",
    "pattern": "pattern of dots",
    "mountains": "alps with a lake and balloons",
    "sea": "the sea with a lighthouse and birds",
    "space": "a planet and a rocket",
    "sunburst": "retro festival",
    "waves": "abstract ribbons",
}


def _svg(prompt: str, width: int = 300, height: int = 300, seed: int = 1) -> str:
    return draw(width, height, read(prompt, width, height, seed))


def test_every_scene_has_a_prompt() -> None:
    assert set(PROMPTS) == set(SCENES)


@pytest.mark.parametrize(("motif", "prompt"), PROMPTS.items())
def test_every_motif_gives_a_picture_with_contrast(motif: str, prompt: str) -> None:
    picture = compose(prompt, 256, 320, 4)
    assert motif in picture.description
    assert "not by a model" in picture.description
    with Image.open(io.BytesIO(picture.png)) as image:
        assert (image.format, image.size) == ("PNG", (256, 320))
        assert max(ImageStat.Stat(image.convert("RGB")).stddev) > 12


def test_same_arguments_give_the_same_bytes() -> None:
    assert compose("sea at dusk", 256, 256, 7) == compose("sea at dusk", 256, 256, 7)


def test_seed_and_prompt_change_the_picture() -> None:
    assert len({_svg("sea"), _svg("sea", seed=2), _svg("the sea")}) == 3


@pytest.mark.parametrize("size", [(MIN_SIDE, MIN_SIDE), (MAX_SIDE, 300), (300, 1024), (1536, 512)])
def test_sizes(size: tuple[int, int]) -> None:
    picture = compose('"Hello" mountains', *size, 0)
    with Image.open(io.BytesIO(picture.png)) as image:
        assert image.size == size


@pytest.mark.parametrize("size", [(63, 300), (300, 2049), (0, 0)])
def test_sizes_out_of_bounds_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(Invalid) as refusal:
        compose("sea", *size, 0)
    assert refusal.value.code == "unsupported-size"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "&lt;b&gt;", "]]>", "a\"b' onload=x"])
def test_prompt_never_becomes_markup(text: str) -> None:
    svg = _svg(f"poster “{text}” of the sea")
    assert not re.search(r"<(script|image|text|a|foreignObject|use|style|b)\b|on\w+=|href", svg)
    assert set(re.findall(r"<(\w+)", svg)) <= {
        "svg", "defs", "g", "path", "rect", "circle", "ellipse", "stop", "clipPath", "linearGradient", "radialGradient",
    }  # fmt: skip


def test_words_are_outlines() -> None:
    plain, lettered = _svg("poster of the sea"), _svg('poster of the sea "Private by design"')
    assert lettered.count("<path") >= plain.count("<path") + len("Privatebydesign")


@settings(max_examples=40, deadline=None)
@given(
    prompt=st.text(max_size=80), seed=st.integers(0, 2**32), ratio=st.sampled_from([(64, 300), (300, 300), (900, 300)])
)
def test_any_prompt_can_be_drawn(prompt: str, seed: int, ratio: tuple[int, int]) -> None:
    svg = _svg(prompt, *ratio, seed)
    assert render(svg).startswith(b"\x89PNG")


def test_missing_renderer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name == "resvg_py":
            raise ImportError
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Unavailable, match=r"troth\[studio\]") as refusal:
        compose("sea", 256, 256, 0)
    assert refusal.value.code == "studio-missing"
