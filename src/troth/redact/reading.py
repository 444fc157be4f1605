"""Bytes as text, whatever they were written in: what no detector can read would come out whole.

UTF-8; UTF-16 and UTF-32 by their byte order mark; and single bytes that are no UTF-8, as logs and older programs write
them, which stand as lone surrogates (PEP 383) so that they can be written again, and are read as Windows-1252.
"""

from __future__ import annotations

import codecs
import re

from troth.kernel.errors import UnsupportedMedia

_MARKED = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BYTE = re.compile("[\udc80-\udcff]")
_ENCODED = re.compile(r"^content-transfer-encoding:\s*(?:base64|quoted-printable)\b", re.IGNORECASE | re.MULTILINE)
_UNDEFINED = 0x100  # beyond what Latin-1 has


def _of_byte(number: int) -> str:
    """The sign that Windows-1252 has for a byte, else that of Latin-1."""
    try:
        return bytes([number]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(number)


_SIGNS = {0xDC00 + number: _of_byte(number) for number in range(0x80, _UNDEFINED)}


def text_of(raw: bytes) -> str:
    """`raw` as text. Without a byte order mark, `written` gives back every byte."""
    for mark, name in _MARKED:
        if raw.startswith(mark):
            return raw.decode(name, "replace")
    return raw.decode("utf-8", "surrogateescape")


def written(text: str) -> bytes:
    """What to write for a text of `text_of`: UTF-8, and bytes that were none as they were."""
    return text.encode("utf-8", "surrogateescape")


def require_readable(text: str, what: str) -> None:
    """Raises UnsupportedMedia (`document-encoded`) for e-mail with a part in base64 or quoted-printable (RFC 2045)."""
    if _ENCODED.search(text):
        raise UnsupportedMedia(
            f"{what} has a part in base64 or quoted-printable, in which nothing is found; save it as plain text.",
            code="document-encoded",
        )


def legible(text: str) -> str:
    """`text` with a letter for each byte that was no UTF-8, at the same offsets: what detectors are given."""
    if text.isascii() or not _BYTE.search(text):
        return text
    return text.translate(_SIGNS)
