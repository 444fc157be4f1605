"""A JPEG segment filter (ITU-T T.81 annex B, JFIF 1.02, CIPA DC-008): what decodes the pixels stays, byte for byte."""

from __future__ import annotations

import re
from typing import Final

from troth.gateway.intake import exif
from troth.gateway.intake.admitted import Limits
from troth.gateway.intake.cleaning import Cleaning, broken

_MARKER_IN_SCAN: Final = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB})
_IN_ORDER: Final = frozenset({0xC0, 0xC1})  # the others are refined scan by scan
_TABLES: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDD})
_MAX_SCANS: Final = 100
"""Progressive pictures have about ten scans; thousands of empty ones are a way to burn a decoder's time."""


def clean(content: bytes, limits: Limits) -> Cleaning:
    """Copies the segments that make the picture. Raises `Invalid` (broken), `TooLarge` (pixels)."""
    cleaning = Cleaning(limits)
    body, colours = bytearray(), b""
    position, scans = 2, 0
    while True:
        marker, position = _next_marker(content, position)
        if marker == _EOI:
            break
        end = _segment_end(content, position)
        payload = content[position + 2 : end]
        if marker in _FRAMES:
            _measure(cleaning, payload)
            colours = payload[5:6] if marker in _IN_ORDER else b""
        body += _kept(cleaning, marker, payload)
        position = end
        if marker == _SOS:
            cleaning.one_pass = not scans and b"" != colours == payload[:1]  # the first scan has all of it (T.81 B.2.3)
            scans += 1
            position = _scan_end(content, end)
            body += content[end:position]
    if not scans or scans > _MAX_SCANS or not cleaning.width:
        raise broken()
    if position < len(content):
        cleaning.drop("trailing-data")
    jfif = 18 if body.startswith(b"\xff\xe0") else 0  # JFIF wants to be first, EXIF second
    cleaning.out += b"\xff\xd8" + body[:jfif] + _orientation(cleaning) + body[jfif:] + b"\xff\xd9"
    return cleaning


def _next_marker(content: bytes, position: int) -> tuple[int, int]:
    """The marker at `position` (fill bytes skipped, T.81 B.1.1.2) and the position after it."""
    if content[position : position + 1] != b"\xff":
        raise broken()
    while content[position : position + 1] == b"\xff":
        position += 1
    if position >= len(content):
        raise broken()
    return content[position], position + 1


def _segment_end(content: bytes, position: int) -> int:
    length = int.from_bytes(content[position : position + 2], "big")
    end = position + length
    if length < 2 or end > len(content):
        raise broken()
    return end


def _scan_end(content: bytes, start: int) -> int:
    found = _MARKER_IN_SCAN.search(content, start)
    if found is None:
        raise broken()
    return found.start()


def _measure(cleaning: Cleaning, frame: bytes) -> None:
    if cleaning.width or len(frame) < 6:  # a second frame means a hierarchical picture: no upload needs one
        raise broken()
    cleaning.measure(int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big"))


def _kept(cleaning: Cleaning, marker: int, payload: bytes) -> bytes:
    if marker in _FRAMES or marker in _TABLES or marker == _SOS:
        return _segment(marker, payload)
    if marker == _APP0 and payload.startswith(b"JFIF\x00") and len(payload) >= 12:
        if any(payload[12:14]):
            cleaning.drop("thumbnail")
        return _segment(marker, payload[:12] + b"\x00\x00")
    if marker == _APP14 and payload.startswith(b"Adobe"):  # says whether the colours are YCC: the pixels depend on it
        return _segment(marker, payload[:12])
    if marker == _APP2 and payload.startswith(b"ICC_PROFILE\x00"):
        cleaning.keep("icc")
        return _segment(marker, payload)
    if marker == _APP11 and payload.startswith(b"JP"):  # JUMBF boxes (ISO/IEC 19566-5), where C2PA lives
        return _credentials(cleaning, marker, payload)
    _drop(cleaning, marker, payload)
    return b""


def _credentials(cleaning: Cleaning, marker: int, payload: bytes) -> bytes:
    if not cleaning.limits.keep_credentials:
        cleaning.drop("c2pa")
        return b""
    cleaning.keep("c2pa")
    return _segment(marker, payload)


def _drop(cleaning: Cleaning, marker: int, payload: bytes) -> None:
    if marker == _APP1 and payload.startswith(exif.PREFIX):
        found = exif.inspect(payload)
        cleaning.drop(*found.names)
        cleaning.orientation = cleaning.orientation or found.orientation
    elif marker == _APP1 and payload.startswith(b"http://ns.adobe.com/"):
        cleaning.drop("xmp", *(["gps"] if b"exif:GPS" in payload else []))
    elif marker == _COM:
        cleaning.drop("comment")
    elif marker == _APP13:
        cleaning.drop("iptc")
    elif marker == _APP0 or (marker == _APP2 and payload.startswith(b"MPF\x00")):
        cleaning.drop("thumbnail")
    elif 0xE0 <= marker <= 0xEF:
        cleaning.drop("application-data")
    else:  # DNL, DHP, EXP and reserved markers: no picture that browsers show needs them
        raise broken()


def _orientation(cleaning: Cleaning) -> bytes:
    if cleaning.orientation is None:
        return b""
    cleaning.keep("orientation")
    return _segment(_APP1, exif.PREFIX + exif.minimal(cleaning.orientation))


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload
