"""Faces are found large and small, upright and turned; nothing is found where nobody is."""

import lzma

import numpy as np
import pytest

from picture_world import portrait, written
from troth.kernel.errors import Unavailable
from troth.redact.pictures.faces import SHA256, Faces, faces
from troth.redact.pictures.geometry import Box
from troth.redact.pictures.libraries import checked, opencv

FACE_OF_ASTRONAUT = Box(110, 42, 169, 112)  # by eye, in 320 x 320


@pytest.mark.parametrize("name", ["astronaut", "hopper"])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_face_whichever_way_it_is_up(name: str, quarters: int) -> None:
    found = faces().find(np.ascontiguousarray(np.rot90(portrait(name), quarters)))
    assert found
    assert len(found) <= 2  # turned, a fold of cloth once looks like one


def test_where_it_is() -> None:
    (found,) = faces().find(portrait())
    assert found.overlap(FACE_OF_ASTRONAUT) > 0.5


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_face_is_found_at_its_place(quarters: int) -> None:
    turned = np.ascontiguousarray(np.rot90(portrait(), quarters))
    found = max(faces().find(turned), key=lambda box: box.score)
    mask = np.zeros((320, 320), bool)
    mask[FACE_OF_ASTRONAUT.top : FACE_OF_ASTRONAUT.bottom, FACE_OF_ASTRONAUT.left : FACE_OF_ASTRONAUT.right] = True
    there = np.rot90(mask, quarters)
    assert there[found.top : found.bottom, found.left : found.right].sum() > 0.7 * mask.sum()


def test_a_small_face_in_a_large_picture_and_a_face_that_fills_it() -> None:
    large = np.full((1400, 2000, 3), 120, np.uint8)
    small = opencv().resize(portrait(), (130, 130), interpolation=opencv().INTER_AREA)
    large[900:1030, 1500:1630] = small
    assert any(box.left >= 1500 and box.right <= 1640 for box in faces().find(large))
    assert faces().find(portrait()[30:125, 95:185].copy())


def test_nobody() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (240, 320, 3), np.uint8)
    assert not faces().find(noise)
    assert not faces().find(written())
    assert not faces().find(np.zeros((4, 900, 3), np.uint8))


def test_weights_that_are_not_ours_are_not_loaded(tmp_path) -> None:  # type: ignore[no-untyped-def]
    other = tmp_path / "w.onnx"
    other.write_bytes(b"x")
    with pytest.raises(Unavailable, match="install the extra again") as refusal:
        checked(other, SHA256)
    assert refusal.value.code == "model-weights"
    packed = tmp_path / "w.onnx.xz"
    for content in (b"x", lzma.compress(b"x"), lzma.compress(b"x" * 999)[:-9]):
        packed.write_bytes(content)
        with pytest.raises(Unavailable, match="install the extra again"):
            checked(packed, SHA256)
    with pytest.raises(Unavailable):
        Faces(b"no model")
