"""A vendor's file is looked through to its end, whatever it says of itself; what is broken is refused by name."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import pytest
from PIL import Image

from troth.gateway.videos.clips import clip
from troth.kernel.errors import VendorFailed

RATE = 24
RED = (200, 0, 0)


def film(frames: int, colour: Callable[[int], tuple[int, int, int]], **options: str) -> bytes:
    """An MP4 of 64 x 48 pixels."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"preset": "ultrafast", "threads": "1"}
        for number in range(frames):
            image = Image.new("RGB", (64, 48), colour(number))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode())
    return out.getvalue()


def reds(views: tuple[bytes, ...]) -> list[bool]:
    found = []
    for view in views:
        with Image.open(io.BytesIO(view)) as opened:
            red = opened.convert("RGB").getpixel((32, 24))
            assert isinstance(red, tuple)
            found.append(red[0] > 120)
    return found


@pytest.mark.parametrize("options", [{}, {"movflags": "frag_keyframe+empty_moov"}], ids=["whole", "in pieces"])
def test_looks_cover_the_whole_length(options: dict[str, str]) -> None:
    made = clip(film(30 * RATE, lambda at: RED if at >= 28 * RATE else (0, 0, at % 200), **options), None)
    seen = reds(made.views)
    assert 32 <= len(seen) <= 64
    assert any(seen), "the last two seconds"
    assert not any(seen[: len(seen) * 28 // 30])
    assert (made.width, made.height, round(made.seconds)) == (64, 48, 30)


def test_a_short_film_is_seen_more_often_than_once_a_second() -> None:
    made = clip(film(RATE, lambda at: (0, 0, 8 * at)), None)
    assert len(made.views) == 8
    with Image.open(io.BytesIO(made.spritesheet.content)) as sheet:
        assert sheet.size == (4 * 64, 2 * 48)


@pytest.mark.parametrize("codec", [b"xxxx", b"\0\0\0\0", b"mp4a"])
def test_a_codec_that_nobody_knows_is_a_broken_file(codec: bytes) -> None:
    good = film(3, lambda _: RED)
    assert good.count(b"avc1") >= 1
    with pytest.raises(VendorFailed) as refused:
        clip(good.replace(b"avc1", codec), None)
    assert refused.value.code == "vendor-bad-video"


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(VendorFailed) as refused:
        clip(film(63 * RATE, lambda _: RED), None)
    assert refused.value.code == "vendor-bad-video"
