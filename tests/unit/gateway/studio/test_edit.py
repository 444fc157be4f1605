from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageStat

from troth.gateway.intake import admit_image
from troth.gateway.studio.colour import contrast
from troth.gateway.studio.edit import apply, edit
from troth.kernel.errors import Invalid
from unit.gateway.intake import pictures

PHOTO = admit_image(pictures.SAMPLE.read_bytes(), "image/jpeg").content


def _open(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


def _original() -> Image.Image:
    return _open(PHOTO)


def _mask(box: tuple[int, int, int, int], *, alpha: bool = True) -> bytes:
    mask = Image.new("RGBA", (512, 600), (0, 0, 0, 255)) if alpha else Image.new("L", (512, 600), 0)
    ImageDraw.Draw(mask).rectangle(box, fill=(0, 0, 0, 0) if alpha else 255)
    out = io.BytesIO()
    mask.save(out, "PNG")
    return out.getvalue()


def _run(
    prompt: str, mask: bytes | None = None, size: tuple[int, int] = (512, 600)
) -> tuple[Image.Image, tuple[str, ...]]:
    edited = apply(PHOTO, prompt, mask, *size)
    image = _open(edited.png)
    assert image.size == size
    assert all(operation in edited.description for operation in edited.operations)
    return image, edited.operations


def _mean(image: Image.Image) -> list[float]:
    return ImageStat.Stat(image).mean


def test_black_and_white_has_no_colour() -> None:
    image, done = _run("make it black and white")
    red, green, blue = image.split()
    assert ImageChops.difference(red, green).getextrema() == ImageChops.difference(green, blue).getextrema() == (0, 0)
    assert done == ("black and white",)


def test_warmer_and_cooler_move_the_balance() -> None:
    before, warm, cool = _mean(_original()), _mean(_run("warmer")[0]), _mean(_run("a cooler mood")[0])
    assert warm[0] - warm[2] > before[0] - before[2] > cool[0] - cool[2]


def test_brighter_and_darker() -> None:
    assert sum(_mean(_run("brighter please")[0])) > sum(_mean(_original())) > sum(_mean(_run("darker")[0]))


@pytest.mark.parametrize(
    ("prompt", "operation"),
    [
        ("more contrast", "more contrast"),
        ("vivid", "more colour"),
        ("muted", "less colour"),
        ("sharpen", "sharper"),
        ("blurry? blur it", "blurred"),
        ("blur the background", "blurred away from the detail"),
        ("vintage", "vintage print"),
        ("duotone", "duotone"),
        ("as a poster", "screen print"),
        ("pencil sketch", "pencil sketch"),
        ("pixel art", "large pixels"),
        ("add grain", "grain"),
        ("vignette", "vignette"),
        ("mirror it", "mirrored"),
        ("add a border", "border"),
        ("crop closer", "cropped to the part with most detail"),
    ],
)
def test_named_operation_is_done_and_said(prompt: str, operation: str) -> None:
    image, done = _run(prompt)
    assert done == (operation,)
    assert ImageChops.difference(image, _original()).getbbox() is not None


def test_operations_combine() -> None:
    assert _run("warmer, with a border and a vignette")[1] == ("warmer", "vignette", "border")


def test_unknown_wish_is_admitted() -> None:
    assert "names no operation" in _run("turn her into a dragon")[1][0]


def test_poster_has_five_inks() -> None:
    assert len(_run("poster")[0].getcolors(100_000) or []) <= 5


def test_background_blur_keeps_the_face_sharp() -> None:
    image = _run("blur the background")[0]
    face, flag = (180, 130, 360, 330), (0, 400, 60, 600)

    def changed(box: tuple[int, int, int, int]) -> float:
        return sum(_mean(ImageChops.difference(image, _original()).crop(box)))

    assert changed(face) < 0.35 * changed((380, 400, 512, 560))
    assert changed(flag) > 0


def test_words_are_readable() -> None:
    image, done = _run('add the text "Amazing Grace"')
    assert done == ("set the quoted words",)
    changed = ImageChops.difference(image, _original()).convert("L").getbbox()
    assert changed is not None
    lower = image.crop((60, 420, 452, 580))
    colours = sorted(lower.quantize(8).convert("RGB").getcolors(10_000) or [])
    shades = [f"#{red:02x}{green:02x}{blue:02x}" for _, (red, green, blue) in colours]  # type: ignore[misc]
    assert max(contrast(one, other) for one in shades for other in shades) >= 4.5


def test_mask_is_filled_from_its_surroundings_and_nothing_else_changes() -> None:
    box = (400, 40, 480, 120)
    image, done = _run("remove that", _mask(box))
    assert done == ("filled the masked area from its surroundings",)
    outside = ImageChops.difference(image, _original())
    outside.paste((0, 0, 0), (390, 30, 490, 130))
    assert outside.getbbox() is None
    inside, around = _mean(image.crop(box)), _mean(_original().crop((380, 20, 500, 140)))
    assert all(abs(one - other) < 12 for one, other in zip(inside, around, strict=True))


@pytest.mark.parametrize("alpha", [True, False])
def test_tone_inside_the_mask_only(alpha: bool) -> None:
    image, done = _run("black and white", _mask((0, 0, 255, 599), alpha=alpha))
    assert done == ("inside the mask: black and white",)
    left, right = image.crop((0, 0, 240, 600)), image.crop((280, 0, 512, 600))
    assert ImageChops.difference(left.getchannel(0), left.getchannel(2)).getbbox() is None
    assert ImageChops.difference(right, _original().crop((280, 0, 512, 600))).getbbox() is None


def test_scene_inside_the_mask() -> None:
    done = _run("put a starry planet there", _mask((0, 0, 120, 300)))[1]
    assert done == ("a drawn space scene inside the mask",)


def test_crop_keeps_where_the_detail_is() -> None:
    wide = Image.new("RGB", (900, 300), "#808080")
    ImageDraw.Draw(wide).line([(x, y) for x in range(620, 860, 8) for y in (20, 280)], fill="white", width=2)
    out = io.BytesIO()
    wide.save(out, "PNG")
    image = _open(edit(out.getvalue(), "mirror", None, 300, 300))
    assert ImageStat.Stat(image).stddev[0] > 20


def test_turned_photo_keeps_its_shape() -> None:
    turned = admit_image(pictures.jpeg(6), "image/jpeg")
    image = _open(edit(turned.content, "warmer", None, turned.width * 2, turned.height * 2))
    assert image.size == (96, 128)


def test_transparency_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (80, 80), (255, 0, 0, 0)).save(out, "PNG")
    assert _open(edit(out.getvalue(), "mirror", None, 80, 80)).getpixel((5, 5)) == (255, 255, 255)


def test_nothing_of_the_metadata_comes_back() -> None:
    assert pictures.NEEDLE.encode() not in edit(pictures.SAMPLE.read_bytes(), "warmer", None, 256, 300)


def test_bad_input_is_refused() -> None:
    with pytest.raises(Invalid) as size:
        edit(PHOTO, "warmer", None, 10, 10)
    with pytest.raises(Invalid) as broken:
        edit(b"hello", "warmer", None, 256, 256)
    with pytest.raises(Invalid) as mask:
        edit(PHOTO, "remove", b"hello", 256, 256)
    with pytest.raises(Invalid) as empty:
        edit(PHOTO, "remove", _mask((-9, -9, -1, -1)), 256, 256)
    codes = [refusal.value.code for refusal in (size, broken, mask, empty)]
    assert codes == ["unsupported-size", "broken-image", "broken-image", "empty-mask"]


@settings(max_examples=25, deadline=None)
@given(prompt=st.text(max_size=60), width=st.integers(64, 200), height=st.integers(64, 200))
def test_any_prompt_and_size_gives_a_picture(prompt: str, width: int, height: int) -> None:
    assert _open(edit(PHOTO, prompt, None, width, height)).size == (width, height)
