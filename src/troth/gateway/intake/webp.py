"""A WebP chunk filter (RFC 9649): the frames, the alpha, the animation and the colour profile stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from troth.gateway.intake import exif
from troth.gateway.intake.admitted import Limits
from troth.gateway.intake.cleaning import Cleaning, broken

_PICTURE: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANIM"})
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04


def clean(content: bytes, limits: Limits) -> Cleaning:
    """Copies the chunks that make the picture. Raises `Invalid` (broken), `TooLarge` (pixels)."""
    cleaning = Cleaning(limits)
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content) + 1 or end < 12:  # some writers count a padding byte that they do not write
        raise broken()
    if end < len(content):
        cleaning.drop("trailing-data")
    chunks = list(_chunks(content[:end], 12))
    _measure(cleaning, chunks)
    body = bytearray()
    for kind, data in chunks:
        body += _kept(cleaning, kind, data)
    if cleaning.orientation is not None and chunks[0][0] == b"VP8X":
        cleaning.keep("orientation")
        body[8] |= _EXIF_FLAG
        body += _chunk(b"EXIF", exif.minimal(cleaning.orientation))
    cleaning.out += b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body
    return cleaning


def _chunks(content: bytes, position: int) -> Iterator[tuple[bytes, bytes]]:
    while position < len(content):
        size = int.from_bytes(content[position + 4 : position + 8], "little")
        after = position + 8 + size
        if position + 8 > len(content) or after > len(content):
            raise broken()
        yield content[position : position + 4], content[position + 8 : after]
        position = after + size % 2


def _measure(cleaning: Cleaning, chunks: list[tuple[bytes, bytes]]) -> None:
    kind, data = chunks[0] if chunks else (b"", b"")
    frames = max(1, sum(1 for name, _ in chunks if name == b"ANMF"))
    if kind == b"VP8X" and len(data) == 10:
        width, height = int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1
    elif kind == b"VP8 " and len(data) >= 10 and data[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    elif kind == b"VP8L" and len(data) >= 5 and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        raise broken()
    cleaning.measure(width, height, frames)


def _kept(cleaning: Cleaning, kind: bytes, data: bytes) -> bytes:
    if kind in _PICTURE:
        return _chunk(kind, data)
    if kind == b"VP8X" and len(data) == 10:
        return _chunk(kind, bytes((data[0] & ~(_EXIF_FLAG | _XMP_FLAG),)) + data[1:])
    if kind == b"ANMF":
        return _chunk(kind, _frame(cleaning, data))
    if kind == b"ICCP":
        cleaning.keep("icc")
        return _chunk(kind, data)
    if kind == b"C2PA" and cleaning.limits.keep_credentials:
        cleaning.keep("c2pa")
        return _chunk(kind, data)
    _drop(cleaning, kind, data)
    return b""


def _frame(cleaning: Cleaning, data: bytes) -> bytes:
    """One animation frame with only its picture chunks; 16 bytes of position and timing come first."""
    if len(data) < 16:
        raise broken()
    inner = bytearray(data[:16])
    for kind, body in _chunks(data, 16):
        if kind in _PICTURE:
            inner += _chunk(kind, body)
        else:
            cleaning.drop("private-chunk")
    return bytes(inner)


def _drop(cleaning: Cleaning, kind: bytes, data: bytes) -> None:
    if kind == b"EXIF":
        found = exif.inspect(data)
        cleaning.drop(*found.names)
        cleaning.orientation = cleaning.orientation or found.orientation
    elif kind == b"XMP ":
        cleaning.drop("xmp", *(["gps"] if b"exif:GPS" in data else []))
    else:
        cleaning.drop("c2pa" if kind == b"C2PA" else "private-chunk")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + b"\x00" * (len(data) % 2)
