"""What is shown of a video carries a mark of its own, wherever it is large enough for one."""

from __future__ import annotations

import io
from importlib import resources

import pytest
from PIL import Image, ImageDraw

from troth.gateway.provenance.watermark import Watermark
from troth.gateway.videos.clips import clip
from troth.gateway.videos.stills import encoded, spritesheet, thumbnail
from troth.kernel.errors import UnsupportedMedia

from .test_clips import RED, film

OURS = Watermark(b"7" * 32)


@pytest.fixture(scope="module")
def looks() -> list[bytes]:
    """Three frames of a scene, narrower than a thumbnail of the usual size could be marked at."""
    with resources.files("troth.gateway.samples").joinpath("photo.jpg").open("rb") as file, Image.open(file) as opened:
        photo = opened.convert("RGB").resize((250, 750))
    return [encoded(photo.crop((0, top, 250, 700 + top)), "JPEG") for top in (0, 20, 40)]


def test_both_pictures_carry_the_mark(looks: list[bytes]) -> None:
    for made, kind in ((thumbnail(looks, OURS), "WEBP"), (spritesheet(looks, OURS), "JPEG")):
        assert made.marked
        with Image.open(io.BytesIO(made.content)) as opened:
            assert opened.format == kind
            assert OURS.find(opened).sure


def test_nobody_marks_without_a_marker(looks: list[bytes]) -> None:
    made = thumbnail(looks, None)
    assert not made.marked
    with Image.open(io.BytesIO(made.content)) as opened:
        assert max(opened.size) == 512
        assert not OURS.find(opened).sure


class Choosy:
    """Marks the third picture that it is shown, in blue."""

    def __init__(self) -> None:
        self.seen = 0

    def mark(self, image: Image.Image) -> Image.Image:
        self.seen += 1
        if self.seen < 3:
            raise UnsupportedMedia("Too plain.", code="watermark-no-hold")
        ImageDraw.Draw(image).rectangle((0, 0, *image.size), fill="blue")
        return image

    def mark_frames(self, frames, every: int = 4):
        return frames


def test_a_frame_that_holds_no_mark_is_followed_by_another(looks: list[bytes]) -> None:
    marker = Choosy()
    made = thumbnail(looks * 3, marker)
    assert made.marked
    assert marker.seen == 3


def test_a_film_with_an_unmarked_picture_is_not_marked_as_a_whole() -> None:
    made = clip(film(3, lambda _: RED), Choosy())
    assert made.film_marked
    assert not made.thumbnail.marked
    assert not made.marked  # where marks are required it is withheld
