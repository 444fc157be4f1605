"""What bytes are, judged by the bytes alone; a file's name and declared type are only claims."""

from __future__ import annotations

from typing import Final

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
WEBP: Final = "image/webp"
SVG: Final = "image/svg+xml"

IMAGES: Final = frozenset({JPEG, PNG, WEBP})

_ALIASES: Final = {"image/jpg": JPEG, "image/pjpeg": JPEG, "image/x-png": PNG}
_UNDECLARED: Final = frozenset({"", "application/octet-stream", "binary/octet-stream"})

_ARCHIVES: Final = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x07\x08",
    b"\x1f\x8b",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",
    b"MSCF",
    b"!<arch>\n",
)
_PROGRAMS: Final = (
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\x00asm",
    b"dex\n",
    b"#!",
)
_DOCUMENTS: Final = (b"%PDF", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"{\\rtf")
_MARKUP: Final = (b"<!doctype", b"<html", b"<svg", b"<?xml", b"<script", b"<!--", b"<body", b"<head", b"<iframe")
_LOOKED: Final = 4096
_SURE: Final = 6  # bytes of a signature
_TEXTS: Final = frozenset({"application/json", "message/rfc822"})
_RUN: Final = frozenset(
    {"application/x-mswinurl", "application/vnd.microsoft.portable-executable", "text/x-ms-regedit"}
)
"""Texts that an operating system acts on when they are opened."""


def image_type(content: bytes) -> str | None:
    """The media type of a picture that Troth accepts, by its signature; None for anything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return WEBP
    return None


def refused_family(content: bytes) -> str | None:
    """`archive`, `program`, `document` or `markup` when the bytes start like one of those; None otherwise."""
    if content.startswith(_ARCHIVES) or content[257:262] == b"ustar" or content[4:10] == b"1AY&SY":
        return "archive"
    if content.startswith(_PROGRAMS) or (content.startswith(b"MZ") and b"\0" in content[:64]):
        return "program"
    if content.startswith(_DOCUMENTS):
        return "document"
    if content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        return "markup"
    return None


def foreign_text(content: bytes) -> str | None:
    """`program` or `document` when puremagic knows a text that opens like this as the file of another program.

    Only long signatures count: a text may begin with `BM` or `ID3` and mean nothing by it.
    """
    import puremagic  # noqa: PLC0415 - its tables are read when it is imported

    try:
        found = puremagic.magic_string(content[:_LOOKED])
    except (puremagic.PureError, ValueError):
        return None
    sure = [one.mime_type for one in found if len(one.byte_match) >= _SURE and one.mime_type]
    if any(one in _RUN for one in sure):
        return "program"
    readable = any(one in _TEXTS or one.startswith("text/") for one in sure)
    return "document" if sure and not readable else None


def normal(declared: str) -> str | None:
    """A declared media type without parameters, in its registered spelling; None when nothing was declared."""
    plain = declared.partition(";")[0].strip().lower()
    if plain in _UNDECLARED:
        return None
    return _ALIASES.get(plain, plain)
