from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from troth.gateway.studio.framing import around, best_cut, closer, cropped
from troth.gateway.studio.subject import found_faces

PORTRAITS = Path(__file__).parents[3] / "pictures"


def person_at(left: int, size: tuple[int, int] = (900, 300)) -> Image.Image:
    sheet = Image.new("RGB", size, "#5d7a8c")
    with Image.open(PORTRAITS / "hopper.jpg") as image:
        sheet.paste(image.convert("RGB").resize((154, 180)), (left, 90))
    return sheet


@pytest.mark.parametrize("left", [10, 380, 730])
@pytest.mark.parametrize("ratio", [1.0, 9 / 16])
def test_the_whole_face_stays_wherever_it_is(left: int, ratio: float) -> None:
    image = person_at(left)
    (face,) = found_faces(image)
    for cut in (best_cut(image, ratio), around(image, ratio)):
        assert cut.left <= face.left < face.right <= cut.right
        assert cut.top <= face.top < face.bottom <= cut.bottom
        assert (cut.right - cut.left) / (cut.bottom - cut.top) == pytest.approx(ratio, abs=0.02)


def test_around_is_nearer_than_the_largest_cut() -> None:
    image = person_at(380, (1200, 900))
    near, large = around(image, 1.0), best_cut(image, 1.0)
    assert near.right - near.left < 0.6 * (large.right - large.left)


def test_a_group_that_does_not_fit_loses_whole_people_only() -> None:
    sheet = person_at(20)
    sheet.paste(person_at(20).crop((20, 90, 174, 270)), (700, 90))
    faces, cut = found_faces(sheet), around(sheet, 1.0)
    assert len(faces) == 2
    inside = [face.left >= cut.left and face.right <= cut.right for face in faces]
    outside = [face.right <= cut.left or face.left >= cut.right for face in faces]
    assert sorted(inside) == [False, True]
    assert sorted(outside) == [False, True]


def test_a_thing_stays_in() -> None:
    image = Image.new("RGB", (600, 200), "#c9d4dc")
    ImageDraw.Draw(image).ellipse((450, 40, 570, 160), fill="#b03a2e")
    cut = best_cut(image, 1.0)
    assert cut.left <= 450
    assert cut.right >= 570


def test_closer_keeps_the_shape() -> None:
    cut = closer(person_at(380))
    assert (cut.right - cut.left, cut.bottom - cut.top) == (675, 225)


def test_a_picture_of_the_same_shape_is_only_scaled() -> None:
    image = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 9, 9), fill="black")
    assert cropped(image, 150, 100).getpixel((1, 1)) == (0, 0, 0)
