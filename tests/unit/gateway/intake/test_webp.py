from __future__ import annotations

import io

import pytest

from troth.gateway.intake import Limits, admit_image
from troth.gateway.intake.webp import clean
from troth.kernel.errors import Invalid
from unit.gateway.intake import pictures


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def _riff(body: bytes) -> bytes:
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _simple() -> bytes:
    out = io.BytesIO()
    pictures.photo().save(out, "WEBP")
    return out.getvalue()


def test_flags_match_what_is_left() -> None:
    admitted = admit_image(pictures.webp(), "image/webp")
    flags = admitted.content[20]
    assert flags & 0x0C == 0
    assert flags & 0x20  # the colour profile is still announced


def test_private_chunks_go() -> None:
    content = _simple()
    cleaning = clean(_riff(content[12:] + _chunk(b"prvt", b"abc")), Limits())
    assert cleaning.removed == {"private-chunk"}
    assert bytes(cleaning.out) == content


def test_private_chunks_inside_frames_go() -> None:
    content = pictures.webp(frames=2)
    at = content.index(b"ANMF")
    size = int.from_bytes(content[at + 4 : at + 8], "little")
    frame = content[at + 8 : at + 8 + size] + _chunk(b"prvt", b"ab")
    grown = content[12:at] + _chunk(b"ANMF", frame) + content[at + 8 + size + size % 2 :]
    admitted = admit_image(_riff(grown), "image/webp")
    assert "private-chunk" in admitted.removed
    assert pictures.pixels(admitted.content) == pictures.pixels(content)


def test_credentials_of_others_are_kept_or_removed_as_asked() -> None:
    content = _simple()
    marked = _riff(content[12:] + _chunk(b"C2PA", b"jumb"))
    assert bytes(clean(marked, Limits()).out) == marked
    assert bytes(clean(marked, Limits(keep_credentials=False)).out) == content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        _chunk(b"VP8X", bytes(4)),
        _chunk(b"VP8X", bytes(10)) + _chunk(b"ANMF", bytes(3)),
        _chunk(b"VP8 ", bytes(12)),
        _chunk(b"VP8L", b"\x2e0000"),
        _chunk(b"ALPH", b""),
        b"VP8 \xff\xff\xff\x00",
        b"VP8",
    ],
)
def test_broken_structure_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        clean(_riff(body), Limits())


def test_length_beyond_the_end_is_refused() -> None:
    content = bytearray(_simple())
    content[4:8] = (len(content) + 100).to_bytes(4, "little")
    with pytest.raises(Invalid):
        clean(bytes(content), Limits())
