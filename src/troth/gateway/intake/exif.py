"""EXIF (CIPA DC-008, TIFF 6.0 layout): finds what is personal in a block, and writes one that holds nothing else than
the orientation.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

PREFIX: Final = b"Exif\x00\x00"

_ORIENTATION: Final = 0x0112
_POINTERS: Final = {0x8769: "exif", 0x8825: "gps"}
_NAMES: Final = {
    0x010E: "description",
    0x013B: "author",
    0x8298: "copyright",
    0x927C: "maker-note",
    0x9286: "comment",
    0xA430: "owner",
    0xA431: "serial-number",
    0xA435: "serial-number",
}
_ENTRIES: Final = 512
"""Entries of one directory that are looked at; cameras write fewer than 100."""


class Findings(NamedTuple):
    """What an EXIF block holds: names for the report, and the orientation (2 to 8) when the picture needs turning."""

    names: frozenset[str]
    orientation: int | None


def inspect(block: bytes) -> Findings:
    """Reads a TIFF block (with or without the `Exif` prefix); a damaged one yields what could be read."""
    tiff = block.removeprefix(PREFIX)
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    names = {"exif"}
    if order is None or len(tiff) < 8:
        return Findings(frozenset(names), None)
    first = int(struct.unpack_from(order + "I", tiff, 4)[0])
    directory, following = _directory(tiff, first, order)
    if following:
        names.add("thumbnail")
    orientation = directory.pop(_ORIENTATION, 1) >> (16 if order == ">" else 0)
    for tag, value in list(directory.items()):
        if tag in _POINTERS:
            names.add(_POINTERS[tag])
            directory.update(_directory(tiff, value, order)[0])
    names.update(_NAMES[tag] for tag in directory if tag in _NAMES)
    return Findings(frozenset(names), orientation if 2 <= orientation <= 8 else None)


def _directory(tiff: bytes, offset: int, order: str) -> tuple[dict[int, int], int]:
    """The entries of one directory as tag -> raw 32-bit value field, and the offset of the next directory (0: none)."""
    entries: dict[int, int] = {}
    if not 8 <= offset <= len(tiff) - 2:
        return entries, 0
    count = struct.unpack_from(order + "H", tiff, offset)[0]
    position = offset + 2
    for _ in range(min(count, _ENTRIES)):
        if position + 12 > len(tiff):
            return entries, 0
        tag, _, _, value = struct.unpack_from(order + "HHII", tiff, position)
        entries.setdefault(tag, value)
        position += 12
    if position + 4 > len(tiff):
        return entries, 0
    return entries, struct.unpack_from(order + "I", tiff, position)[0]


def minimal(orientation: int) -> bytes:
    """A TIFF block (no prefix) with one entry: Orientation, SHORT, 1 value."""
    return struct.pack(">4sIHHHIHHI", b"MM\x00*", 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
