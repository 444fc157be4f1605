"""The list of take-downs against pictures: every frame, bare colours too, and nothing for what shows nothing."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from troth.gateway.moderation import hashes, pictures
from troth.gateway.moderation.takedowns import Takedowns
from troth.kernel.errors import Invalid
from worlds import MovableClock, sqlite

FRAMES = {"png": "PNG", "webp": "WEBP", "gif": "GIF"}


def saved(picture: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def picture(seed: int) -> Image.Image:
    """Shapes of its own for each seed; those of two seeds are far apart."""
    chance, drawn = random.Random(seed), Image.new("RGB", (160, 128), "white")
    for _ in range(30):
        x, y, size = chance.randrange(140), chance.randrange(110), chance.randrange(10, 40)
        ImageDraw.Draw(drawn).ellipse((x, y, x + size, y + size), fill=tuple(chance.choices(range(256), k=3)))
    return drawn


def film(kind: str, *frames: Image.Image) -> bytes:
    lossless = {"lossless": True} if kind == "WEBP" else {}
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **lossless)


LISTED = picture(3)


@pytest.fixture
def listed(tmp_path: Path) -> Takedowns:
    takedowns = Takedowns(sqlite(tmp_path), MovableClock())
    first = next(hashes.of_picture(saved(LISTED)))[0]
    (entry,) = takedowns.propose([(first, False, "src", "why")], "opr_a")
    takedowns.approve(entry.id, "opr_b")
    return takedowns


@pytest.mark.parametrize("kind", FRAMES.values())
def test_every_frame_is_looked_at(listed: Takedowns, kind: str) -> None:
    match = listed.match(film(kind, picture(5), picture(6), LISTED, picture(8)))
    assert match is not None
    assert match.look == 2
    assert listed.match(film(kind, picture(5), picture(6), picture(8))) is None


def test_what_is_nearly_transparent_is_looked_at(listed: Takedowns) -> None:
    faint = LISTED.copy()
    faint.putalpha(1)
    match = listed.match(saved(faint))
    assert match is not None
    assert match.look == 1


def test_the_case_shows_the_look_that_was_found() -> None:
    small = pictures.thumbnail(film("PNG", Image.new("RGB", (90, 90), "red"), Image.new("RGB", (90, 90), "blue")), 1)
    with Image.open(io.BytesIO(small)) as shown:
        assert shown.convert("RGB").getpixel((5, 5)) == pytest.approx((0, 0, 255), abs=6)


def test_too_many_frames() -> None:
    frames = [Image.new("RGB", (8, 8), (n, 0, 0)) for n in range(65)]
    assert len(list(pictures.looks(film("GIF", *frames[:64])))) == 64
    with pytest.raises(Invalid) as refusal:
        list(pictures.looks(film("GIF", *frames)))
    assert refusal.value.code == "too-many-frames"


def test_a_cut_off_film_is_no_picture() -> None:
    whole = film("WEBP", picture(1), picture(2))
    with pytest.raises(Invalid):
        list(pictures.looks(whole[: len(whole) // 2]))


@pytest.mark.parametrize("colour", ["white", "black", "red"])
def test_what_shows_nothing_has_no_hash(colour: str) -> None:
    assert list(hashes.of_picture(saved(Image.new("RGB", (200, 200), colour)))) == [()]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_model_judges_every_frame(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A model that knows red stands in for the real one, which needs pictures that may not be kept here."""

    class Reddest:
        def score(self, look: Image.Image) -> float:
            pixel: Any = look.getpixel((0, 0))
            return float(pixel[0]) / 255

    monkeypatch.setattr(pictures, "_loaded", Reddest)
    tones = [Image.new("RGB", (64, 64), (red, 0, 0)) for red in (0, 40, 255, 80)]
    assert pictures.highest(film(kind, *tones)) == (pytest.approx(1.0, abs=0.02), 2)
