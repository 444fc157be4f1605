"""Uploads are upright, opaque, and small before anything is done with them."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib import resources

import pytest
from PIL import Image

from troth.gateway.studio.opening import upright


def saved(image: Image.Image, kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def quarters(size: tuple[int, int]) -> Image.Image:
    """Red above left, green above right, blue below left, white below right."""
    made = Image.new("RGB", (2, 2))
    made.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)])
    return made.resize(size, Image.Resampling.NEAREST)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("side", [64, 333, 900])
def test_a_large_picture_is_the_same_in_small(kind: str, side: int) -> None:
    small = upright(saved(quarters((900, 600)), kind), side)
    assert max(small.size) == side
    assert abs(small.width * 2 - small.height * 3) <= 3
    wide, high = small.size
    for place, colour in (((0.25, 0.25), (255, 0, 0)), ((0.75, 0.25), (0, 255, 0)), ((0.25, 0.75), (0, 0, 255))):
        seen = small.getpixel((int(wide * place[0]), int(high * place[1])))
        assert isinstance(seen, tuple)
        assert max(abs(one - other) for one, other in zip(seen, colour, strict=True)) < 12


def test_it_is_turned_as_its_camera_was() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    made = upright(saved(quarters((800, 400)), "JPEG", exif=turned), 200)
    assert made.size == (100, 200)
    corner = made.getpixel((90, 10))
    assert isinstance(corner, tuple)
    assert corner[0] > 240  # what was above left is above right now
    assert not made.info


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
def test_every_kind_of_pixels_becomes_rgb_on_white(mode: str) -> None:
    base = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    image = Image.new(mode, (400, 300)) if mode in {"I;16", "1", "L"} else base.convert(mode)
    made = upright(saved(image, "PNG", **({"transparency": 0} if mode == "P" else {})), 100)
    assert made.mode == "RGB"
    seen = made.getpixel((50, 37))
    assert seen == ((255, 255, 255) if mode in {"RGBA", "LA", "P"} else (0, 0, 0))


def test_it_covers_its_place_and_a_strip_stays_bounded() -> None:
    assert upright(saved(quarters((900, 300)), "PNG"), 100, cover=(100, 100)).size == (300, 100)
    strip = upright(saved(quarters((4000, 40)), "PNG"), 50, cover=(50, 50))
    assert strip.size[0] == 200


_PEAK = """
import io, sys
from PIL import Image
from troth.gateway.studio.edit import apply
def told(name):
    return next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith(name))
picture = io.BytesIO()
Image.open(sys.argv[1]).convert("RGB").resize((1400, 1400)).save(picture, "JPEG")
apply(picture.getvalue(), "blur the background", None)
picture = io.BytesIO()
Image.open(sys.argv[1]).convert("RGB").resize((2048, 2048)).save(picture, "JPEG")
before = told("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
apply(picture.getvalue(), "blur the background", None)
print(told("VmHWM") - before)
"""


def test_the_hungriest_edit_of_the_largest_picture_stays_under_a_quarter_of_a_gigabyte() -> None:
    with resources.as_file(resources.files("troth.gateway.samples").joinpath("photo.jpg")) as photo:
        done = subprocess.run([sys.executable, "-c", _PEAK, str(photo)], capture_output=True, check=True, timeout=300)
    assert int(done.stdout) < 250  # it was 615 before edits worked in strips; some 150 now
