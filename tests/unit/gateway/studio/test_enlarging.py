from __future__ import annotations

import math
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from troth.gateway.studio.enlarging import enlarged

PICTURES = sorted((Path(__file__).parents[3] / "pictures").glob("*.jpg"))


def psnr(one: Image.Image, other: Image.Image) -> float:
    squares = [value**2 for value in ImageStat.Stat(ImageChops.difference(one, other)).rms]
    return 10 * math.log10(255**2 / (sum(squares) / 3))


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_it_beats_bicubic(path: Path) -> None:
    with Image.open(path) as image:
        truth = image.convert("RGB").crop((0, 0, image.width // 2 * 2, image.height // 2 * 2))
    small = truth.resize((truth.width // 2, truth.height // 2), Image.Resampling.BOX)
    plain = small.resize(truth.size, Image.Resampling.BICUBIC)
    ours = psnr(enlarged(small, truth.size), truth)
    assert ours > psnr(plain, truth) + 0.2
    assert ours > psnr(small.resize(truth.size, Image.Resampling.LANCZOS), truth) + 0.1


def test_made_small_again_it_is_what_came() -> None:
    with Image.open(PICTURES[0]) as image:
        small = image.convert("RGB").crop((0, 0, 100, 80))
    back = enlarged(small, (200, 160)).resize(small.size, Image.Resampling.BOX)
    assert psnr(back, small) > 40


def test_transparency_is_enlarged_too() -> None:
    large = enlarged(Image.new("RGBA", (20, 10), (10, 20, 30, 0)), (40, 20))
    assert (large.size, large.mode, large.getpixel((5, 5))) == ((40, 20), "RGBA", (10, 20, 30, 0))
