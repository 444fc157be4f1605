from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from troth.gateway.intake import exif
from unit.gateway.intake import pictures


def test_names_what_is_personal() -> None:
    found = exif.inspect(pictures.exif(6))
    assert found.names == {"exif", "gps", "maker-note", "author"}
    assert found.orientation == 6


def test_minimal_block_holds_the_orientation_only() -> None:
    tags = Image.Exif()
    tags.load(exif.PREFIX + exif.minimal(8))
    assert dict(tags) == {0x0112: 8}


def test_upright_needs_no_orientation() -> None:
    assert exif.inspect(pictures.exif(1)).orientation is None


def test_little_endian_block_is_read() -> None:
    block = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0\x03\0\0\0" + b"\0\0\0\0"
    assert exif.inspect(block).orientation == 3


@given(st.sampled_from([b"", b"II*\0", b"MM\0*", exif.PREFIX + b"MM\0*"]), st.binary(max_size=300))
def test_any_block_can_be_inspected(head: bytes, body: bytes) -> None:
    assert "exif" in exif.inspect(head + body).names
