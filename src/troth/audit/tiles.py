"""C2SP tlog-tiles: names of tiles and entry bundles, and the bundle format. Pure; knows nothing of hashing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from troth.kernel.errors import IntegrityError, NotFound

WIDTH = 256
MAX_ENTRY_BYTES = 0xFFFF
CHECKPOINT = "checkpoint"
MINIMUM = "minimum"  # a resource of ours: the index of the first entry that was not pruned, in decimal
_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<groups>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?\Z",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One static resource: `level` None is an entry bundle, else the level of a hash tile; `width` is 1 to 256."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """`tile/<L>/<N>[.p/<W>]`, N in groups of three digits of which all but the last begin with x."""
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{name}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @property
    def start(self) -> int:
        """The first hash (at its level) or entry that it holds."""
        return self.number * WIDTH

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Read a resource name. Raises `NotFound` for anything that is not the canonical name of a tile."""
        match = _PATH.match(path)
        if match is None:
            raise NotFound("There is no such tile.")
        level = None if match["level"] == "entries" else int(match["level"])
        number = int(match["groups"].replace("x", "").replace("/", ""))
        tile = cls(level, number, int(match["width"] or WIDTH))
        if tile.path != path or tile.width > WIDTH:
            raise NotFound("There is no such tile.")
        return tile


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """Every bundle and hash tile of a log of `size` entries that a log of `since` entries did not have yet."""
    yield from _row(None, size, since)
    level = 0
    while size:
        yield from _row(level, size, since)
        size, since, level = size // WIDTH, since // WIDTH, level + 1


def partials(size: int) -> set[Tile]:
    """The tiles of a log of `size` entries that later growth replaces."""
    found, level = {tile for tile in _row(None, size, size // WIDTH * WIDTH)}, 0
    while size:
        found.update(_row(level, size, size // WIDTH * WIDTH))
        size, level = size // WIDTH, level + 1
    return found


def _row(level: int | None, size: int, since: int) -> Iterator[Tile]:
    if size == since:
        return
    for number in range(since // WIDTH, -(-size // WIDTH)):
        yield Tile(level, number, min(WIDTH, size - number * WIDTH))


def bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry behind its length in two bytes, big-endian. Raises `IntegrityError` above 65,535."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise IntegrityError("A log entry is longer than 65,535 bytes.", code="entry-too-long")
        parts.append(len(entry).to_bytes(2, "big") + entry)
    return b"".join(parts)


def unbundle(content: bytes) -> list[bytes]:
    """The entries of a bundle. Raises `IntegrityError` when it ends inside an entry or holds more than 256."""
    entries: list[bytes] = []
    at = 0
    while at < len(content):
        end = at + 2 + int.from_bytes(content[at : at + 2], "big")
        if at + 2 > len(content) or end > len(content) or len(entries) == WIDTH:
            raise IntegrityError("An entry bundle is cut short or too long.", code="bad-bundle")
        entries.append(content[at + 2 : end])
        at = end
    return entries
