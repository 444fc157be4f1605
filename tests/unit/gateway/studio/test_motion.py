"""Films: the same twice, moving, ending loops where they began, words that appear; sheets of several pictures."""

from __future__ import annotations

import io

import av
import pytest
from PIL import Image

from gateway_world import drawing
from troth.gateway.studio.compose import Wish, compose, render, stages
from troth.gateway.studio.film import animated, film
from troth.gateway.studio.motion import Animation
from troth.gateway.studio.scenes import SCENES
from troth.kernel.errors import Invalid


@pytest.mark.parametrize("motif", SCENES)
def test_every_scene_moves_and_covers_its_frame(motif: str) -> None:
    animation = Animation(motif, 96, 64, 1)
    first, later = animation.frame(0.0), animation.frame(0.6)
    assert first.shape == (64, 96, 3)
    assert (first != later).any()
    assert first.any(axis=2).mean() > 0.97, "no black edge"


def test_a_film_is_the_same_twice_and_a_loop_ends_where_it_began() -> None:
    one, two = Animation("the sea", 96, 64, 1), Animation("the sea", 96, 64, 1)
    assert (one.frame(0.3) == two.frame(0.3)).all()
    assert (one.frame(0.0, loop=True) == one.frame(1.0, loop=True)).all()


def test_words_appear() -> None:
    animation = Animation('waves "SALT"', 96, 64, 1)
    before, after = animation.frame(0.0)[50:], animation.frame(0.5)[50:]
    assert int(after.max()) >= int(before.max())
    assert abs(int(before.mean()) - int(after.mean())) > 5


def test_a_film_of_a_picture() -> None:
    made = film("x", (96, 64), 1, seed=1, picture=drawing(200, 100), told=lambda _: None)
    with av.open(io.BytesIO(made)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height, stream.frames) == ("h264", 96, 64, 24)


def test_progress_is_told_and_can_stop_it() -> None:
    heard: list[int] = []

    def told(percent: int) -> None:
        heard.append(percent)
        if percent > 20:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        film("waves", (64, 64), 2, seed=1, picture=None, told=told)
    assert heard == sorted(heard)
    assert heard[0] == 0


@pytest.mark.parametrize(("size", "seconds"), [((97, 64), 1), ((96, 64), 0), ((96, 64), 13), ((32, 32), 1)])
def test_films_have_bounds(size: tuple[int, int], seconds: int) -> None:
    with pytest.raises(Invalid):
        film("waves", size, seconds, seed=1, picture=None, told=lambda _: None)


def test_a_loop_as_gif() -> None:
    made, said = animated("mountains", (96, 64), 1, frames=4, milliseconds=70)
    with Image.open(io.BytesIO(made)) as opened:
        assert (getattr(opened, "n_frames", 0), opened.info["duration"], opened.info["loop"]) == (4, 70, 0)
    assert "not by a model" in said


def test_stages_are_whole_documents_that_grow() -> None:
    svg = compose('a lighthouse, poster "SUMMER"', 96, 96, 1).svg
    parts = stages(svg, 3)
    assert [len(one) for one in parts] == sorted(len(one) for one in parts)
    assert all(one.count("<g ") == one.count("</g>") for one in parts)
    assert len({render(one) for one in [*parts, svg]}) == 4


@pytest.mark.parametrize("prompt", ["a forest", 'logo "TROTH"', "a poster of an arch"])
def test_a_bare_picture_has_no_paper(prompt: str) -> None:
    with Image.open(io.BytesIO(compose(prompt, 96, 96, 1, wish=Wish(bare=True)).png)) as picture:
        assert picture.convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)
