from __future__ import annotations

import io

import pytest
from PIL import Image

from troth.gateway.intake import Limits, admit_image
from troth.gateway.intake.png import clean
from troth.kernel.errors import Invalid, TooLarge
from unit.gateway.intake import pictures
from unit.gateway.intake.pictures import png_chunk


def _plain() -> bytes:
    out = io.BytesIO()
    pictures.photo().save(out, "PNG")
    return out.getvalue()


def _with(chunk: bytes) -> bytes:
    content = _plain()
    return content[:33] + chunk + content[33:]


@pytest.mark.parametrize(
    ("chunk", "name"),
    [
        (png_chunk(b"tIME", b"\x07\xea\x03\x0e\x09\x1a\x35"), "time"),
        (png_chunk(b"prVt", b"private"), "private-chunk"),
        (png_chunk(b"tEXt", b"Author\0somebody"), "text"),
        (png_chunk(b"sPLT", b"my palette\0\x08"), "palette-name"),
    ],
)
def test_chunks_that_hold_texts_go(chunk: bytes, name: str) -> None:
    cleaning = clean(_with(chunk), Limits())
    assert cleaning.removed == {name}
    assert bytes(cleaning.out) == _plain()


def test_orientation_behind_the_pixels_is_found() -> None:
    content = _plain()
    late = content[:-12] + png_chunk(b"eXIf", pictures.exif(6).removeprefix(b"Exif\0\0")) + content[-12:]
    admitted = admit_image(late, "image/png")
    with Image.open(io.BytesIO(admitted.content)) as image:
        image.load()
        assert dict(image.getexif()) == {0x0112: 6}


def test_name_of_the_colour_profile_goes() -> None:
    import zlib  # noqa: PLC0415

    chunk = png_chunk(b"iCCP", b"Display of Ada\0\0" + zlib.compress(pictures.PROFILE))
    assert b"Ada" not in clean(_with(chunk), Limits()).out


def test_credentials_of_others_are_kept_or_removed_as_asked() -> None:
    marked = _with(png_chunk(b"caBX", b"\0\0\0\x08jumb"))
    assert bytes(clean(marked, Limits()).out) == marked
    assert bytes(clean(marked, Limits(keep_credentials=False)).out) == _plain()


def test_wrong_checksum_is_refused() -> None:
    content = bytearray(_plain())
    content[29] ^= 1
    with pytest.raises(Invalid):
        clean(bytes(content), Limits())


@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"XYZW", b""),  # critical and unknown
        png_chunk(b"IHDR", bytes(13)),  # a second header
        png_chunk(b"iCCP", b"no end of name"),
        png_chunk(b"iCCP", b"x\0\0not deflate"),
        png_chunk(b"12_4", b""),
    ],
)
def test_odd_chunks_are_refused(chunk: bytes) -> None:
    with pytest.raises(Invalid):
        clean(_with(chunk), Limits())


def test_header_of_another_length_is_refused() -> None:
    content = _plain()
    with pytest.raises(Invalid):
        clean(content[:8] + png_chunk(b"IHDR", bytes(12)) + content[33:], Limits())


def test_animation_that_claims_many_frames_is_refused() -> None:
    with pytest.raises(TooLarge):
        clean(_with(png_chunk(b"acTL", (2**31 - 1).to_bytes(4, "big") + bytes(4))), Limits())


def test_animation_keeps_its_frames() -> None:
    out = io.BytesIO()
    first = pictures.photo()
    first.save(out, "PNG", save_all=True, append_images=[first.rotate(90), first.rotate(180)])
    admitted = admit_image(out.getvalue(), "image/png")
    assert pictures.pixels(admitted.content) == pictures.pixels(out.getvalue())
