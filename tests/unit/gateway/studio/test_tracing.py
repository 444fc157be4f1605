from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

import troth.gateway.studio.tracing as module
from troth.gateway import vector
from troth.gateway.studio.compose import render
from troth.gateway.studio.tracing import traced
from troth.kernel.errors import Invalid
from unit.gateway.intake import pictures


def photo() -> Image.Image:
    with Image.open(pictures.SAMPLE) as image:
        return image.convert("RGB").resize((256, 300))


def test_the_shapes_look_like_the_picture() -> None:
    image = photo()
    with Image.open(io.BytesIO(render(traced(image)))) as drawn:
        flat = Image.alpha_composite(Image.new("RGBA", drawn.size, "black"), drawn.convert("RGBA")).convert("RGB")
    assert flat.size == image.size
    assert sum(ImageStat.Stat(ImageChops.difference(flat, image)).mean) / 3 < 13


def test_the_document_has_paths_and_nothing_else() -> None:
    document = traced(photo())
    assert set(re.findall(r"<(\w+)", document)) == {"svg", "defs", "path"}
    assert not re.search(r"script|href|http(?!://www.w3.org/2000/svg)|style|on\w+=|url\(", document)
    rebuilt, size, text = vector.inert(document.encode())
    assert rebuilt.count(b"<path") == document.count("<path") > 20
    assert (size, text) == ((256, 300), "")


def test_transparent_parts_stay_open() -> None:
    image = Image.new("RGBA", (80, 80), (0, 0, 0, 0))
    image.paste((200, 30, 30, 255), (20, 20, 60, 60))
    with Image.open(io.BytesIO(render(traced(image)))) as drawn:
        assert drawn.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]
        assert drawn.convert("RGBA").getpixel((40, 40))[3] == 255  # type: ignore[index]


@pytest.mark.parametrize("colours", [((0, 0, 0), (90, 90, 90)), ((200, 0, 0), (0, 102, 0))])
def test_what_is_busy_by_brightness_or_by_colour_alone_is_traced_small(colours: tuple[Any, Any]) -> None:
    """The second pair has one brightness (59.8 and 59.9 of 255); at full size it takes 8 s of one core."""
    speckled = np.array(colours, np.uint8)[np.random.default_rng(2).integers(0, 2, (500, 500))]
    box = re.search(r'viewBox="0 0 (\d+) ', traced(Image.fromarray(speckled)))
    assert box is not None
    assert int(box[1]) == 480


def test_a_calm_picture_is_traced_as_it_is() -> None:
    calm = Image.new("RGB", (500, 500), (200, 0, 0))
    calm.paste((0, 102, 0), (100, 100, 300, 300))
    assert 'viewBox="0 0 500 500"' in traced(calm)


def test_too_much_detail_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 2000)
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    with pytest.raises(Invalid) as refusal:
        traced(Image.fromarray(noise))
    assert refusal.value.code == "too-detailed"
