from __future__ import annotations

from itertools import product
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import troth.gateway.studio.mending as module
from troth.gateway.studio.mending import hole, mended

MAGENTA = (255, 0, 255)


def gap(box: tuple[int, int, int, int], size: tuple[int, int] = (160, 120)) -> Image.Image:
    opened = Image.new("L", size, 0)
    opened.paste(255, box)
    return opened


def stripes() -> Any:
    columns = np.where((np.arange(160) // 8) % 2, 200, 60).astype(np.uint8)
    return np.repeat(np.broadcast_to(columns, (120, 160))[..., None], 3, 2).copy()


def test_nothing_of_what_was_covered_is_left_and_nothing_else_changes() -> None:
    before = stripes()
    before[40:80, 60:110] = MAGENTA
    after = np.asarray(mended(Image.fromarray(before), gap((60, 40, 110, 80)))).astype(int)
    assert int((after[..., 0] - after[..., 1]).max()) < 8
    changed = np.abs(after - before).sum(2) > 0
    changed[32:88, 52:118] = False
    assert not changed.any()


def test_a_texture_goes_on_through_the_hole() -> None:
    truth = stripes()
    before = truth.copy()
    before[40:80, 60:110] = MAGENTA
    after = np.asarray(mended(Image.fromarray(before), gap((60, 40, 110, 80)))).astype(int)
    off = np.abs(after[44:76, 64:106] - truth[44:76, 64:106]).mean()
    assert off < 25  # a plain mean of the surroundings is off by 70


def test_a_smooth_ground_stays_smooth() -> None:
    rows = np.linspace(40, 220, 120).astype(np.uint8)
    truth = np.repeat(np.repeat(rows[:, None], 160, 1)[..., None], 3, 2)
    after = np.asarray(mended(Image.fromarray(truth.copy()), gap((60, 40, 100, 80)))).astype(int)
    assert np.abs(after - truth).max() < 24


def test_a_hole_without_surroundings_is_filled_all_the_same() -> None:
    image = Image.fromarray(stripes())
    assert mended(image, gap((3, 3, 157, 117))).size == image.size
    whole = np.asarray(mended(image, gap((0, 0, 160, 120))))
    assert whole.std() == 0


def test_a_hole_at_the_edge_is_filled() -> None:
    before = stripes()
    before[:30, :40] = MAGENTA
    after = np.asarray(mended(Image.fromarray(before), gap((0, 0, 40, 30)))).astype(int)
    assert int((after[..., 0] - after[..., 1]).max()) < 8


def test_scattered_pixels_are_gone_on_from_in_a_small_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """No whole patch is known; at full size the colours alone take 10 s of one core for 2048 pixels."""
    sides, inpaint = [], cv2.inpaint

    def watched(pixels: Any, *rest: Any) -> Any:
        sides.append(max(pixels.shape))
        return inpaint(pixels, *rest)

    monkeypatch.setattr(cv2, "inpaint", watched)
    mask = np.full((400, 400), 255, np.uint8)
    for row, column in product(range(0, 400, 50), repeat=2):
        mask[row : row + 12, column : column + 12] = 0
    before = np.full((400, 400, 3), 90, np.uint8)
    before[mask > 0] = MAGENTA
    after = np.asarray(mended(Image.fromarray(before), Image.fromarray(mask))).astype(int)
    assert sides
    assert max(sides) <= 180
    assert np.abs(after[..., 0] - after[..., 1]).mean() < 60  # of magenta it is 255


def test_a_speck_that_a_small_copy_loses_gives_its_colour() -> None:
    mask = np.full((600, 600), 255, np.uint8)
    mask[300:306, 300:306] = 0
    before = np.full((600, 600, 3), 90, np.uint8)
    assert np.abs(np.asarray(mended(Image.fromarray(before), Image.fromarray(mask))).astype(int) - 90).max() <= 1


def test_a_large_hole_is_filled_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, step = [], module._Filling._step

    def counted(self: Any) -> None:
        steps.append(1)
        step(self)

    monkeypatch.setattr(module._Filling, "_step", counted)
    before = np.random.default_rng(1).integers(0, 200, (300, 300, 3), np.uint8)
    before[..., 1] = before[..., 0]
    opened = np.full((300, 300), 255, np.uint8)
    opened[120:180, 120:180] = 0
    before[opened > 0] = MAGENTA
    after = np.asarray(mended(Image.fromarray(before), Image.fromarray(opened))).astype(int)
    assert 0 < len(steps) <= 600
    assert int((after[..., 0] - after[..., 1]).max()) < 8


def test_what_the_last_step_leaves_open_is_filled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STEPS", 3)
    before = stripes()
    before[40:80, 60:110] = MAGENTA
    after = np.asarray(mended(Image.fromarray(before), gap((60, 40, 110, 80)))).astype(int)
    assert int((after[..., 0] - after[..., 1]).max()) < 8


@pytest.mark.parametrize("mode", ["RGBA", "L"])
def test_masks_with_and_without_alpha(mode: str) -> None:
    mask = Image.new("RGBA", (10, 10), (0, 0, 0, 255)) if mode == "RGBA" else Image.new("L", (10, 10), 0)
    mask.paste((0, 0, 0, 0) if mode == "RGBA" else 255, (0, 0, 5, 10))
    opened = hole(mask, (20, 20))
    assert opened.getpixel((2, 10)) == 255
    assert opened.getpixel((18, 10)) == 0
