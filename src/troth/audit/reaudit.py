"""One pass over a whole tlog-tiles log: every entry hashed, every tile compared, up to the root. No server code.

The hashing of RFC 6962 is written here again, so that a mistake in `merkle` cannot hide itself. A log may be pruned
(C2SP tlog-tiles, "Pruning"): what ends at or below its minimum index may be missing. Then the hashes above vouch for
it, and `Reaudit.read` says how many entries were really read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence

from troth.audit.tiles import WIDTH, Tile, unbundle
from troth.kernel.errors import IntegrityError, NotFound

Resource = Callable[[str], bytes]  # path -> bytes; raises NotFound
Progress = Callable[[int], object]  # entries done so far
_HASH = 32
_sha256 = hashlib.sha256


class LogBroken(IntegrityError):
    """An entry is not what the log's hashes say. `first` and `last` bound the entries that can be meant."""

    def __init__(self, what: str, first: int, last: int | None = None) -> None:
        where = f"Entry {first}" if last in (None, first) else f"One of the entries {first} to {last}"
        super().__init__(f"{where}: {what}", code="log-broken", field=str(first))
        self.first = first
        self.last = first if last is None else last


class Reaudit:
    """Level by level: what a full tile hashes to must stand in the tile above it.

    `minimum` is the log's minimum index; `earlier` are the sizes of other checkpoints, whose roots are wanted too.
    """

    def __init__(self, read: Resource, size: int, *, minimum: int = 0, earlier: Collection[int] = ()) -> None:
        self._read = read
        self._size = size
        self._minimum = minimum
        self._peaks: list[tuple[int, bytes]] = []  # (height, hash) of the subtrees on the right edge
        self._earlier: dict[int, list[tuple[int, bytes]] | None] = {one: [] for one in earlier}  # None: pruned away
        self.read = 0  # entries that were read and hashed

    def run(self, progress: Progress | None = None) -> bytes:
        """The root over all entries, once they agree with all tiles. Raises `LogBroken`."""
        above: list[bytes | None] = []  # the roots of the full level-0 tiles; None where all of it is pruned
        for number in range(-(-self._size // WIDTH)):
            width = min(WIDTH, self._size - number * WIDTH)
            row = self._entries(number, width)
            self._keep(0, number, row)
            if width == WIDTH:
                above.append(None if row is None else stacked([(0, one) for one in row]))
            elif row is not None:
                self._peaks = [(0, one) for one in row]
            if progress is not None:
                progress(number * WIDTH + width)
        self._levels(above)
        return stacked(self._peaks)

    def root_of(self, earlier: int) -> bytes | None:
        """The root over the first `earlier` entries; None when pruning took what it needs."""
        peaks = self._earlier[earlier]
        return None if peaks is None else stacked(peaks)

    def _entries(self, number: int, width: int) -> Sequence[bytes] | None:
        """The leaf hashes of one bundle, each compared with the level-0 tile; None when both are pruned."""
        start = number * WIDTH
        row = self._row(0, number, width)
        content = self._tile(Tile(None, number, width), start, pruned=start + WIDTH <= self._minimum)
        if content is None or row is None:
            return row
        try:
            entries = unbundle(content)[:width]  # a full bundle may stand in the place of a partial one
        except IntegrityError as error:
            raise LogBroken("the bundle that holds it cannot be read.", start, start + width - 1) from error
        hashes = [_sha256(b"\x00" + entry).digest() for entry in entries]
        if hashes != row:
            at = next((at for at, one in enumerate(hashes) if one != row[at]), len(hashes))
            missing = at == len(hashes)
            what = "it is missing." if missing else "its bytes do not have the hash that the log committed to."
            raise LogBroken(what, start + at)
        self.read += width
        return row

    def _levels(self, nodes: list[bytes | None]) -> None:
        """Compare the roots of full tiles with the tiles above them, up to the top."""
        level, span = 1, WIDTH
        while nodes:
            above: list[bytes | None] = []
            for number in range(-(-len(nodes) // WIDTH)):
                mine = nodes[number * WIDTH : (number + 1) * WIDTH]
                row = self._compared(level, number, mine, span)
                self._keep(level, number, row)
                if len(mine) == WIDTH:
                    above.append(None if row is None else stacked([(8 * level, one) for one in row]))
                elif row is not None:
                    self._peaks = [*((8 * level, one) for one in row), *self._peaks]
            nodes, level, span = above, level + 1, span * WIDTH

    def _compared(self, level: int, number: int, mine: Sequence[bytes | None], span: int) -> Sequence[bytes] | None:
        """The tile's hashes, which those computed from below must be; those of pruned tiles are believed."""
        row = self._row(level, number, len(mine))
        if row is None:
            known = [one for one in mine if one is not None]
            return known if len(known) == len(mine) else None
        for at, (one, expected) in enumerate(zip(mine, row, strict=True)):
            if one is not None and one != expected:
                first = (number * WIDTH + at) * span
                raise LogBroken("the tile above does not vouch for them.", first, first + span - 1)
        return row

    def _keep(self, level: int, number: int, row: Sequence[bytes] | None) -> None:
        """Collect what the roots of the earlier checkpoints are made of."""
        for size, peaks in self._earlier.items():
            wanted = (size >> 8 * level) % WIDTH
            if peaks is None or not wanted or number != size >> 8 * (level + 1):
                continue
            self._earlier[size] = [*((8 * level, one) for one in row[:wanted]), *peaks] if row is not None else None

    def _row(self, level: int, number: int, width: int) -> list[bytes] | None:
        """A tile's hashes; None when it is pruned."""
        span = WIDTH ** (level + 1)
        first = number * span
        content = self._tile(Tile(level, number, width), first, pruned=first + span <= self._minimum)
        if content is None:
            return None
        if len(content) < width * _HASH:
            raise LogBroken(f"a tile of level {level} over it is cut short.", first)
        if len(content) not in (width * _HASH, WIDTH * _HASH):
            raise LogBroken(f"a tile of level {level} over it is too long.", first)
        return [content[at : at + _HASH] for at in range(0, width * _HASH, _HASH)]

    def _tile(self, tile: Tile, first: int, *, pruned: bool) -> bytes | None:
        """The bytes of a tile; a log may have replaced a partial one by the full one."""
        for path in dict.fromkeys((tile.path, Tile(tile.level, tile.number).path)):
            try:
                return self._read(path)
            except NotFound:
                continue
            except IntegrityError as error:
                raise LogBroken("a resource over it is larger than its format allows.", first) from error
        if pruned:
            return None
        raise LogBroken(f"the resource {tile.path} is missing.", first)


def stacked(parts: Sequence[tuple[int, bytes]]) -> bytes:
    """The tree hash (RFC 6962) over perfect subtrees (height, hash) from left to right."""
    stack: list[tuple[int, bytes]] = []
    for height, node in parts:
        while stack and stack[-1][0] == height:
            node = _sha256(b"\x01" + stack.pop()[1] + node).digest()  # noqa: PLW2901 - it grows on its way up
            height += 1  # noqa: PLW2901
        stack.append((height, node))
    if not stack:
        return _sha256(b"").digest()
    root = stack.pop()[1]
    while stack:
        root = _sha256(b"\x01" + stack.pop()[1] + root).digest()
    return root
