from __future__ import annotations

import pytest

from troth.gateway.intake import Limits, admit_image
from troth.gateway.intake.jpeg import clean
from troth.kernel.errors import Invalid
from unit.gateway.intake import pictures


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def test_thumbnails_iptc_and_other_application_data_go() -> None:
    content = pictures.jpeg()
    extra = (
        _segment(0xE0, b"JFXX\0\x13thumbnail")
        + _segment(0xE2, b"MPF\0second picture")
        + _segment(0xED, b"Photoshop 3.0\x008BIM" + pictures.NEEDLE.encode())
        + _segment(0xE5, b"private")
    )
    cleaning = clean(content[:2] + extra + content[2:], Limits())
    assert {"thumbnail", "iptc", "application-data"} <= cleaning.removed
    assert bytes(cleaning.out) == bytes(clean(content, Limits()).out)


def test_thumbnail_inside_the_jfif_header_goes() -> None:
    content = pictures.jpeg()
    header = content.index(b"JFIF\0")
    grown = (
        content[: header - 2]
        + _segment(0xE0, content[header : header + 12] + b"\x01\x01RGB")[2:]
        + content[header + 14 :]
    )
    admitted = admit_image(grown, "image/jpeg")
    assert "thumbnail" in admitted.removed
    assert admitted.content == admit_image(content, "image/jpeg").content


def test_credentials_of_others_are_kept_or_removed_as_asked() -> None:
    content = pictures.jpeg()
    marked = content[:2] + _segment(0xEB, b"JP\0\x01\0\0\0\x01jumb") + content[2:]
    assert "c2pa" in clean(marked, Limits()).kept
    without = clean(marked, Limits(keep_credentials=False))
    assert "c2pa" in without.removed
    assert bytes(without.out) == bytes(clean(content, Limits()).out)


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xd8\xff\xd9",  # no picture
        b"\xff\xd8\xff\xe0\x00\x01",  # a length that does not count itself
        b"\xff\xd8\xff\xc0\x00\x04\x08\x00\xff\xd9",  # a frame without a size
        b"\xff\xd8\xff\xff\xff",  # fill bytes to the end
        b"\xff\xd8\x00\x00",
    ],
)
def test_broken_structure_is_refused(bad: bytes) -> None:
    with pytest.raises(Invalid):
        clean(bad, Limits())


def test_a_second_frame_is_refused() -> None:
    content = pictures.jpeg()
    frame = content.index(b"\xff\xc0")
    end = frame + 2 + int.from_bytes(content[frame + 2 : frame + 4], "big")
    with pytest.raises(Invalid):
        clean(content[:end] + content[frame:], Limits())


def test_only_a_picture_whose_first_scan_has_all_of_it_is_read_in_one_pass() -> None:
    """For every other one the decoder keeps 6 bytes a pixel, at whatever size it is asked for."""
    whole = pictures.jpeg()
    scan = whole.index(b"\xff\xda")
    by_colours = whole[: scan + 4] + b"\x01" + whole[scan + 5 :]
    assert clean(whole, Limits()).one_pass
    assert not clean(pictures.jpeg(progressive=True), Limits()).one_pass
    assert not clean(by_colours, Limits()).one_pass
    assert not clean(whole[:-2] + whole[scan:], Limits()).one_pass


def test_thousands_of_scans_are_refused() -> None:
    content = pictures.jpeg()
    scan = content.index(b"\xff\xda")
    end = scan + 2 + int.from_bytes(content[scan + 2 : scan + 4], "big")
    with pytest.raises(Invalid):
        clean(content[:-2] + content[scan:end] * 200 + b"\xff\xd9", Limits())
