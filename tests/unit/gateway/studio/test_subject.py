from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from troth.gateway.studio import subject as module
from troth.gateway.studio.subject import People, found_faces, interest, subject
from troth.kernel.errors import Invalid, Unavailable
from troth.redact.pictures import libraries

PORTRAITS = Path(__file__).parents[3] / "pictures"


def portrait(name: str = "astronaut.jpg") -> Image.Image:
    with Image.open(PORTRAITS / name) as image:
        return image.convert("RGB")


def thing() -> tuple[Image.Image, Any]:
    """A red disc with some grain before a grey wall, and its true mask."""
    grain = np.random.default_rng(2).normal(0, 6, (240, 320, 3))
    wall = Image.fromarray(np.clip(np.array([150, 170, 190]) + grain, 0, 255).astype(np.uint8))
    mask = Image.new("L", wall.size, 0)
    ImageDraw.Draw(mask).ellipse((100, 50, 220, 200), fill=255)
    red = Image.fromarray(np.clip(np.array([176, 58, 46]) + grain, 0, 255).astype(np.uint8))
    return Image.composite(red, wall, mask), np.asarray(mask) > 127


def overlap(alpha: Any, truth: Any) -> float:
    found = alpha > 0.5
    return float((found & truth).sum() / (found | truth).sum())


@pytest.mark.parametrize("by_colour", [False, True])
def test_a_thing_is_cut_along_its_true_edge(monkeypatch: pytest.MonkeyPatch, by_colour: bool) -> None:
    if by_colour:
        monkeypatch.setattr(People, "find", lambda _self, pixels, _around: np.zeros(pixels.shape[:2], np.float32))
    image, truth = thing()
    found = subject(image)
    assert found.kind == ("colour" if by_colour else "front")
    assert overlap(found.alpha, truth) > (0.97 if by_colour else 0.8)


def test_a_person_is_found_and_the_flag_behind_is_not() -> None:
    found = subject(portrait())
    assert found.kind == "person"
    assert found.alpha[60, 150] == found.alpha[220, 130] == 1  # face, suit
    assert found.alpha[20, 20] == found.alpha[30, 290] == 0


def test_people_of_a_group_are_found_though_they_are_small() -> None:
    sheet = Image.new("RGB", (1280, 400), "#3d5a6c")
    for number in range(4):
        sheet.paste(portrait("hopper.jpg").resize((128, 150)), (60 + 320 * number, 200))
    boxes = found_faces(sheet)
    assert len(boxes) == 4
    alpha = subject(sheet).alpha
    assert all(alpha[(box.top + box.bottom) // 2, (box.left + box.right) // 2] > 0.9 for box in boxes)


def test_the_same_picture_gives_the_same_cut() -> None:
    image = thing()[0]
    assert np.array_equal(module._grabbed(image), module._grabbed(image))


@pytest.mark.parametrize("kind", ["plain", "noise"])
def test_nothing_that_stands_out_is_refused(kind: str) -> None:
    noise = np.random.default_rng(3).integers(90, 160, (120, 160, 3)).astype(np.uint8)
    with pytest.raises(Invalid) as refusal:
        subject(Image.new("RGB", (160, 120), "#809080") if kind == "plain" else Image.fromarray(noise))
    assert refusal.value.code == "no-subject"


def test_interest_lies_on_the_face() -> None:
    image = portrait()
    (face,) = found_faces(image)
    wanted = interest(image, [face])
    left, right = face.left * 96 // image.width, face.right * 96 // image.width
    top, bottom = face.top * 96 // image.height, face.bottom * 96 // image.height
    assert wanted.sum() == pytest.approx(1, abs=1e-3)
    assert wanted[top:bottom, left:right].sum() > 3 * (right - left) * (bottom - top) / 96**2


def test_other_weights_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERSON_SHA256", "0" * 64)
    module.people.cache_clear()
    with pytest.raises(Unavailable) as refusal:
        module.people()
    assert refusal.value.code == "model-weights"
    with pytest.raises(Unavailable):
        People(b"no model")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise libraries.missing()

    monkeypatch.setattr(module, "opencv", missing)
    module.people.cache_clear()
    with pytest.raises(Unavailable) as refusal:
        module.people()
    assert refusal.value.code == "extra-missing"
    module.people.cache_clear()
