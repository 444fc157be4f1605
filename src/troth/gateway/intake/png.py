"""A PNG chunk filter (W3C PNG third edition): the pixels' chunks stay, texts, times and EXIF go."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from troth.gateway.intake import exif
from troth.gateway.intake.admitted import Limits
from troth.gateway.intake.cleaning import Cleaning, broken
from troth.kernel.errors import TooLarge

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PICTURE: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA sBIT sRGB bKGD hIST pHYs cICP mDCV cLLI acTL fcTL fdAT".split()
)
_DROPPED: Final = {b"tIME": "time", b"tEXt": "text", b"zTXt": "text", b"iTXt": "text", b"sPLT": "palette-name"}
_MAX_PROFILE: Final = 4 * 1024 * 1024


def clean(content: bytes, limits: Limits) -> Cleaning:
    """Copies the chunks that make the picture. Raises `Invalid` (broken), `TooLarge` (pixels, colour profile)."""
    cleaning = Cleaning(limits)
    cleaning.out += _SIGNATURE
    end = len(_SIGNATURE)
    seen: set[bytes] = set()
    for kind, body, after in _chunks(content):
        if (kind == b"IHDR") == bool(seen):  # the header is the first chunk, and only the first
            raise broken()
        seen.add(kind)
        _note(cleaning, kind, body)
        cleaning.out += _kept(cleaning, kind, body)
        end = after
    if b"IDAT" not in seen or b"IEND" not in seen:
        raise broken()
    if end < len(content):
        cleaning.drop("trailing-data")
    return cleaning


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Every chunk to IEND as (type, body, position after it). Raises `Invalid` (cut short, checksum wrong)."""
    position = len(_SIGNATURE)
    kind = b""
    while kind != b"IEND":
        length = int.from_bytes(content[position : position + 4], "big")
        after = position + 12 + length
        if after > len(content) or length > 0x7FFFFFFF:
            raise broken()
        kind = content[position + 4 : position + 8]
        if zlib.crc32(memoryview(content)[position + 4 : after - 4]) != int.from_bytes(
            content[after - 4 : after], "big"
        ):
            raise broken()
        yield kind, content[position + 8 : after - 4], after
        position = after


def _note(cleaning: Cleaning, kind: bytes, body: bytes) -> None:
    if kind == b"IHDR":
        if len(body) != 13:
            raise broken()
        cleaning.measure(int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"))
    elif kind == b"acTL":
        # Frames of an animation (default image aside) share the pixel budget.
        cleaning.measure(cleaning.width, cleaning.height, int.from_bytes(body[:4], "big"))
    elif kind == b"eXIf":
        found = exif.inspect(body)
        cleaning.drop(*found.names)
        cleaning.orientation = cleaning.orientation or found.orientation


def _kept(cleaning: Cleaning, kind: bytes, body: bytes) -> bytes:
    # eXIf may stand before the pixels or behind them.
    if kind in {b"IDAT", b"IEND"} and cleaning.orientation is not None and "orientation" not in cleaning.kept:
        cleaning.keep("orientation")
        return _chunk(b"eXIf", exif.minimal(cleaning.orientation)) + _chunk(kind, body)
    if kind in _PICTURE:
        return _chunk(kind, body)
    if kind == b"iCCP":
        cleaning.keep("icc")
        return _chunk(kind, _profile(body))
    if kind == b"caBX" and cleaning.limits.keep_credentials:
        cleaning.keep("c2pa")
        return _chunk(kind, body)
    if kind[:1].isupper() or not kind.isalpha():  # an unknown critical chunk: the picture cannot be shown without it
        raise broken()
    _drop(cleaning, kind, body)
    return b""


def _drop(cleaning: Cleaning, kind: bytes, body: bytes) -> None:
    if kind == b"caBX":
        cleaning.drop("c2pa")
    elif body.startswith(b"XML:com.adobe.xmp\x00"):
        cleaning.drop("xmp", *(["gps"] if b"exif:GPS" in body else []))
    elif kind != b"eXIf":
        cleaning.drop(_DROPPED.get(kind, "private-chunk"))


def _profile(body: bytes) -> bytes:
    """The colour profile under a neutral name (the name is free text). Raises `Invalid`, `TooLarge`."""
    _, separator, rest = body.partition(b"\x00")
    if not separator or rest[:1] != b"\x00":
        raise broken()
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(rest[1:], _MAX_PROFILE)
    except zlib.error as error:
        raise broken() from error
    if inflater.unconsumed_tail:
        raise TooLarge("The picture's colour profile is too large: save it without one.", code="profile-too-large")
    return b"icc\x00" + rest


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
