"""Several pictures on one sheet."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from gateway_world import drawing
from troth.gateway.studio.collage import collage


@pytest.mark.parametrize("count", [2, 3, 4, 5, 16])
@pytest.mark.parametrize("size", [(300, 200), (200, 300)])
def test_every_picture_is_on_the_sheet(count: int, size: tuple[int, int]) -> None:
    def plain(number: int) -> bytes:
        out = io.BytesIO()
        Image.new("RGB", (90, 70), (10 * number + 5, 40, 200)).save(out, "PNG")
        return out.getvalue()

    with Image.open(io.BytesIO(collage([plain(number) for number in range(count)], *size))) as sheet:
        assert sheet.size == size
        colours = {colour for _, colour in sheet.getcolors(1 << 16) or []}
    assert {(10 * number + 5, 40, 200) for number in range(count)} <= colours


def test_two_stand_where_there_is_room() -> None:
    with Image.open(io.BytesIO(collage([drawing(90, 90), drawing(90, 90, 99)], 200, 400))) as sheet:
        assert sheet.getpixel((190, 150)) != sheet.getpixel((190, 350))
