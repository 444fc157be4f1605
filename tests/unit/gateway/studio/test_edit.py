from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageStat

from troth.gateway.intake import admit_image
from troth.gateway.studio.colour import contrast
from troth.gateway.studio.edit import apply
from troth.kernel.errors import Invalid
from unit.gateway.intake import pictures

WORDS = """crop to 1:1 square 9:16 closer remove replace the background with a blue gradient beach "Hi" "there" bottom
top left text add upscale 2x rotate border vectorise tint make it and then around subject face 0:3 99:1 #fff""".split()
PHOTO = admit_image(pictures.SAMPLE.read_bytes(), "image/jpeg").content


def _open(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


def _small() -> bytes:
    out = io.BytesIO()
    _open(PHOTO).resize((128, 150)).save(out, "PNG")
    return out.getvalue()


SMALL = _small()


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
    edited = apply(PHOTO, prompt, mask, size)
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
        ("rotate it by 180 degrees", "turned upside down"),
        ("make it blue", "tinted blue"),
        ("vintage", "vintage print"),
        ("duotone", "duotone"),
        ("as a poster", "screen print"),
        ("pencil sketch", "pencil sketch"),
        ("pixel art", "large pixels"),
        ("add grain", "grain"),
        ("vignette", "vignette"),
        ("mirror it", "mirrored"),
        ("add a border", "border"),
    ],
)
def test_named_operation_is_done_and_said(prompt: str, operation: str) -> None:
    image, done = _run(prompt)
    assert done == (operation,)
    assert ImageChops.difference(image, _original()).getbbox() is not None


def test_operations_combine() -> None:
    assert _run("warmer, with a border and a vignette")[1] == ("warmer", "vignette", "border")


@pytest.mark.parametrize("prompt", ["turn her into a dragon", "untitled", "a hat, please", "add the text Hello"])
def test_a_wish_outside_the_grammar_is_refused_with_what_can_be_done(prompt: str) -> None:
    with pytest.raises(Invalid, match="It can: remove or blur the background;") as refusal:
        apply(PHOTO, prompt, None)
    assert refusal.value.code == "edit-not-understood"


def test_half_a_wish_is_done_and_the_other_half_admitted() -> None:
    edited = apply(PHOTO, "make it warmer and add a dragon", None)
    assert edited.operations == ("warmer",)
    assert edited.description.endswith("A part of the prompt was not understood and not done.")
    assert "not understood" not in apply(PHOTO, "please make it a little warmer, with a border", None).description


def test_crop_changes_the_size_and_two_times_doubles_it() -> None:
    assert _open(apply(PHOTO, "crop to 1:1 around the face", None).png).size == (512, 512)
    assert _open(apply(PHOTO, "upscale 2x", None).png).size == (1024, 1200)
    assert _open(apply(PHOTO, "crop to 16:9", None).png).size == (512, 288)


def test_what_would_be_too_large_is_refused() -> None:
    for prompt in ("enlarge it 4 times and then upscale", "enlarge it 7 times", "crop to 40:1"):
        with pytest.raises(Invalid) as refusal:
            apply(PHOTO, prompt, None)
        assert refusal.value.code == "unsupported-size"


def test_removing_needs_a_mask() -> None:
    with pytest.raises(Invalid) as refusal:
        apply(PHOTO, "remove the hat", None)
    assert refusal.value.code == "mask-needed"


def test_the_background_goes_and_the_person_stays() -> None:
    for edited in (apply(PHOTO, "remove the background", None), apply(PHOTO, "warmer", None, bare=True)):
        with Image.open(io.BytesIO(edited.png)) as image:
            alpha = image.getchannel("A")
        assert alpha.getpixel((20, 40)) == alpha.getpixel((490, 60)) == 0
        assert alpha.getpixel((256, 250)) == alpha.getpixel((256, 500)) == 255
        assert "found by a small segmentation model" in edited.operations[-1]


def test_another_background_in_the_colour_that_was_asked_for() -> None:
    image = _open(apply(PHOTO, "replace the background with #204060", None).png)
    red, green, blue = image.getpixel((490, 100))  # type: ignore[misc]
    assert max(abs(red - 0x20), abs(green - 0x40), abs(blue - 0x60)) < 24
    face = (200, 180, 300, 280)
    assert sum(_mean(ImageChops.difference(image.crop(face), _original().crop(face)))) < 3


def test_a_mask_says_what_is_background() -> None:
    edited = apply(PHOTO, "remove the background", _mask((0, 0, 120, 600)))
    with Image.open(io.BytesIO(edited.png)) as image:
        assert image.getchannel("A").getpixel((50, 300)) == 0
        assert image.getchannel("A").getpixel((300, 300)) == 255


def test_vectorised_comes_as_shapes_and_as_pixels() -> None:
    edited = apply(PHOTO, "vectorise it", None)
    assert edited.svg is not None
    assert edited.svg.startswith("<svg ")
    assert sum(_mean(ImageChops.difference(_open(edited.png), _original()))) < 30


def test_poster_has_five_inks() -> None:
    assert len(_run("poster")[0].getcolors(100_000) or []) <= 5


def test_background_blur_keeps_the_face_sharp() -> None:
    image = _run("blur the background")[0]
    face, flag = (180, 130, 360, 330), (20, 60, 110, 250)

    def changed(box: tuple[int, int, int, int]) -> float:
        return sum(_mean(ImageChops.difference(image, _original()).crop(box)))

    assert changed(face) < 0.1 * changed(flag)


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
    assert all(abs(one - other) < 20 for one, other in zip(inside, around, strict=True))


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
    image = _open(apply(out.getvalue(), "mirror", None, (300, 300)).png)
    assert ImageStat.Stat(image).stddev[0] > 20


def test_turned_photo_keeps_its_shape() -> None:
    turned = admit_image(pictures.jpeg(6), "image/jpeg")
    assert _open(apply(turned.content, "warmer", None).png).size == (64, 85)


def test_transparency_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (80, 80), (255, 0, 0, 0)).save(out, "PNG")
    assert _open(apply(out.getvalue(), "mirror", None, (80, 80)).png).getpixel((5, 5)) == (255, 255, 255)


def test_nothing_of_the_metadata_comes_back() -> None:
    assert pictures.NEEDLE.encode() not in apply(pictures.SAMPLE.read_bytes(), "warmer", None, (256, 300)).png


def test_bad_input_is_refused() -> None:
    with pytest.raises(Invalid) as size:
        apply(PHOTO, "warmer", None, (10, 10))
    with pytest.raises(Invalid) as broken:
        apply(b"hello", "warmer", None, (256, 256))
    with pytest.raises(Invalid) as mask:
        apply(PHOTO, "remove", b"hello", (256, 256))
    with pytest.raises(Invalid) as empty:
        apply(PHOTO, "remove", _mask((-9, -9, -1, -1)), (256, 256))
    codes = [refusal.value.code for refusal in (size, broken, mask, empty)]
    assert codes == ["unsupported-size", "broken-image", "broken-image", "empty-mask"]


@settings(max_examples=40, deadline=None)
@given(prompt=st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join))
def test_any_prompt_gives_a_picture_or_a_refusal_with_a_code(prompt: str) -> None:
    try:
        assert _open(apply(SMALL, prompt, None).png).size
    except Invalid as refusal:
        assert refusal.code in {"edit-not-understood", "mask-needed", "unsupported-size", "no-subject"}
