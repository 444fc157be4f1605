"""Whole pictures: what was personal is gone, the rest is as it was, and nothing beside the pixels is kept."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from picture_world import LETTER, MAIL, eye, faces_in, opened, portrait, read_in, saved, with_code, written
from troth.kernel.errors import Invalid, TooLarge, Unavailable, UnsupportedMedia
from troth.redact.pictures import looking
from troth.redact.pictures.cleaning import clean_picture
from troth.redact.pictures.covering import cover
from troth.redact.pictures.frames import Limits
from troth.redact.pictures.geometry import Box, corners
from troth.redact.pictures.lines import lines

SIDE = 160  # of portraits


@pytest.mark.parametrize("how", ["blur", "fill", "remove"])
def test_a_face_goes(how: str) -> None:
    done = clean_picture(saved(portrait(side=SIDE)), eye(how))
    assert done.counts == {"FACE": 1}
    assert faces_in(saved(portrait(side=SIDE))) == 1
    assert faces_in(done.content) == 0
    outside = opened(done.content)[110:] == portrait(side=SIDE)[110:]
    assert outside.all()


def test_a_face_stays_where_the_rules_keep_it() -> None:
    done = clean_picture(saved(portrait(side=SIDE)), eye("keep"))
    assert done.counts == {}
    assert not done.changed
    assert (opened(done.content) == portrait(side=SIDE)).all()


def test_a_blurred_face_holds_nothing_but_a_few_means() -> None:
    """Two pictures that differ in everything but those means come out alike: nothing finer is left to bring back."""
    one = np.full((120, 120, 3), 100, np.uint8)
    other = one.copy()
    other[::2, ::2] += 8
    other[1::2, 1::2] -= 8
    for pixels in (one, other):
        cover(pixels, corners(Box(0, 0, 120, 120)), "blur")
    assert (one == other).all()


@pytest.mark.parametrize("words", ["blur", "remove"])
def test_words_go_in_each_way(words: str) -> None:
    done = clean_picture(saved(written(LETTER[1::2], size=(480, 110))), eye("keep", words))
    assert done.counts == {"EMAIL": 1}
    assert MAIL not in read_in(done.content)
    assert "Total amount: 129.90 EUR" in read_in(done.content)


def test_personal_words_go_and_the_others_stay() -> None:
    done = clean_picture(saved(written()), eye())
    assert done.counts == {"CREDIT_CARD": 1, "EMAIL": 1, "PERSON": 1}
    left = read_in(done.content)
    assert MAIL not in left
    assert "4111" not in left
    assert "Okonkwo" not in left
    for stays in ("Dear", "please write to", "Total amount: 129.90 EUR"):
        assert stays in left


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_pages_too(quarters: int) -> None:
    page = np.ascontiguousarray(np.rot90(written(LETTER[1::2], ink=240, paper=30, size=(560, 110)), quarters))
    done = clean_picture(saved(page), eye())
    assert done.counts == {"EMAIL": 1}
    assert MAIL not in read_in(done.content)
    assert "Total amount: 129.90 EUR" in read_in(done.content)


@pytest.mark.parametrize(("content", "count"), [(f"https://example.org/?to={MAIL}", 1), ("WIFI:S:home;P:x;;", 1),
                                                ("https://example.org/catalogue", 0)])  # fmt: skip
def test_codes_by_what_they_say(content: str, count: int) -> None:
    done = clean_picture(saved(with_code(content, size=240)), eye())
    assert done.counts.get("CODE", 0) == count
    if count:
        assert not eye().words(opened(done.content))


def test_metadata_of_every_kind_goes_and_the_turn_stays() -> None:
    tags = Image.Exif()
    tags[0x0112], tags[0x013B] = 6, "Ada Quillfeather"
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = saved(portrait(side=SIDE), "JPEG", exif=tags, comment=b"by Ada", icc_profile=profile, xmp=b"<x>Ada</x>")
    done = clean_picture(content, eye())
    assert set(done.removed) == {"exif", "gps", "comment", "icc", "xmp"}
    assert b"Ada" not in done.content
    with Image.open(io.BytesIO(done.content)) as picture:
        assert dict(picture.getexif()) == {0x0112: 6}
        assert "icc_profile" not in picture.info
        assert picture.size == (SIDE, SIDE)
    assert done.counts == {"FACE": 1}  # on its side for the eye


def test_a_photo_that_is_stored_turned_is_covered_where_the_face_is() -> None:
    tags = Image.Exif()
    tags[0x0112] = 6  # to be turned clockwise for the eye
    stored = np.ascontiguousarray(np.rot90(portrait("hopper", SIDE), 1))
    done = clean_picture(saved(stored, "JPEG", exif=tags), eye())
    assert done.counts.get("FACE") == 1
    assert opened(done.content).shape == stored.shape
    assert faces_in(done.content) == 0


@pytest.mark.parametrize("opacity", [0, 1, 31])
def test_text_in_a_png_and_pixels_behind_transparency_go(opacity: int) -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "Ada Quillfeather")
    hidden = np.dstack([written(LETTER[:1], size=(320, 64)), np.full((64, 320), opacity, np.uint8)])
    done = clean_picture(saved(hidden, pnginfo=notes), eye())
    assert done.removed == ("text",)
    assert b"Ada" not in done.content
    assert (np.asarray(Image.open(io.BytesIO(done.content)))[:, :, :3] == 255).all()


@pytest.mark.parametrize("opacity", [1, 31])
def test_letters_in_the_transparency_itself_go(opacity: int) -> None:
    page = written(LETTER[:1], size=(320, 64))
    clear = np.dstack([np.zeros_like(page), np.where(page[:, :, 0] < 128, opacity, 0)])
    done = clean_picture(saved(clear.astype(np.uint8)), eye())
    assert not np.asarray(Image.open(io.BytesIO(done.content)))[:, :, 3].any()


def test_barely_visible_letters_are_read() -> None:
    page = written([f"write to {MAIL}"], size=(480, 64))
    done = clean_picture(saved(np.dstack([page, np.full((64, 480), 32, np.uint8)])), eye("keep"))
    assert done.counts == {"EMAIL": 1}
    assert MAIL not in read_in(done.content)


def test_white_letters_on_nothing_are_read() -> None:
    letters = 255 - written(LETTER[:2], size=(560, 110))
    clear = np.dstack([np.full_like(letters, 255), letters[:, :, 0]])
    done = clean_picture(saved(clear), eye())
    assert done.counts == {"EMAIL": 1, "PERSON": 1}


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_every_frame_is_read(kind: str) -> None:
    blank = Image.new("RGB", (SIDE, SIDE), "grey")
    later = [blank, Image.fromarray(portrait(side=SIDE)), blank]
    options = {} if kind == "TIFF" else {"duration": [90, 200, 90], "loop": 0}
    out = io.BytesIO()
    later[0].save(out, kind, save_all=True, append_images=later[1:], **options)
    done = clean_picture(out.getvalue(), eye("fill"))
    assert done.counts == {"FACE": 1}
    assert done.frames == 3
    assert faces_in(out.getvalue(), 1) == 1
    assert faces_in(done.content, 1) == 0


def test_what_is_refused() -> None:
    for content, refusal, code in (
        (b"%PDF-1.7", UnsupportedMedia, "picture-type-unknown"),
        (saved(portrait(side=SIDE), "JPEG")[:2000], Invalid, "broken-image"),
        (b"\xff" * 64, UnsupportedMedia, "picture-type-unknown"),
        (saved(portrait(side=SIDE), "BMP"), UnsupportedMedia, "picture-type-unknown"),
    ):
        with pytest.raises(refusal) as raised:
            clean_picture(content, eye())
        assert raised.value.code == code
    for limits, code in ((Limits(bytes=99), "content-too-large"), (Limits(pixels=9), "too-many-pixels"),
                         (Limits(seconds=-1), "picture-too-slow")):  # fmt: skip
        with pytest.raises(TooLarge) as large:
            clean_picture(saved(portrait(side=SIDE)), eye(), limits)
        assert large.value.code == code


def test_what_is_still_seen_by_the_second_look_is_filled_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = looking.cover, []

    def lazy(pixels, quad, how):  # type: ignore[no-untyped-def]
        calls.append(how)
        if how == "fill":
            real(pixels, quad, how)

    monkeypatch.setattr(looking, "cover", lazy)
    done = clean_picture(saved(portrait(side=SIDE)), eye("blur"))
    assert calls == ["blur", "fill"]
    assert faces_in(done.content) == 0
    monkeypatch.setattr(looking, "cover", lambda *_: None)
    with pytest.raises(Invalid) as refusal:
        clean_picture(saved(portrait(side=SIDE)), eye("blur"))
    assert refusal.value.code == "picture-not-clean"


def test_a_model_that_fails_lets_nothing_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("onnx")

    monkeypatch.setattr(lines(), "regions", type("Broken", (), {"find": broken})())
    with pytest.raises(Unavailable) as refusal:
        clean_picture(saved(written()), eye())
    assert refusal.value.code == "detector-down"
    assert "onnx" not in refusal.value.advice
