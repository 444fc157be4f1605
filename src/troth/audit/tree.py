"""A growing tree and the tiles that its growth writes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from troth.audit.merkle import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, TileNodes, TileReader, frontier
from troth.kernel.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class TileWrite:
    """A tile as it stands after growth; `fresh` when no hash of it was written before."""

    level: int
    tile: int
    hashes: bytes
    fresh: bool


class TiledTree:
    """The right edge of one log, in memory: its frontier and the partial tile of each level."""

    def __init__(self, size: int = 0, read: TileReader | None = None) -> None:
        """Load the tree of `size` leaves from its tiles. Raises `IntegrityError` when a tile does not fit the size."""
        self._tails: list[bytearray] = []
        for level in range(-(-size.bit_length() // TILE_HEIGHT)):
            tile, width = divmod(size >> (TILE_HEIGHT * level), TILE_WIDTH)
            tail = read(level, tile) if read is not None and width else b""
            if len(tail) != width * HASH_BYTES:
                raise IntegrityError("A tile's width does not fit the log's size.", code="bad-tree")
            self._tails.append(bytearray(tail))
        self._frontier = frontier(TileNodes(lambda level, _tile: bytes(self._tails[level])), size)

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._frontier.size

    def root(self) -> bytes:
        """The tree hash, 32 bytes."""
        return self._frontier.root()

    def extend(self, hashes: Iterable[bytes]) -> list[TileWrite]:
        """Append leaf hashes; gives every tile that changed, as it now stands."""
        before = self._frontier.size
        writes: list[TileWrite] = []
        touched: dict[int, int] = {}  # level -> number of its unfinished tile
        for leaf in hashes:
            for level, node in self._frontier.append(leaf):
                if level == len(self._tails):
                    self._tails.append(bytearray())
                tail = self._tails[level]
                tail += node
                tile = ((self._frontier.size >> (TILE_HEIGHT * level)) - 1) >> TILE_HEIGHT
                touched[level] = tile
                if len(tail) == TILE_WIDTH * HASH_BYTES:
                    writes.append(self._write(before, level, tile))
                    tail.clear()
                    del touched[level]
        writes += [self._write(before, level, tile) for level, tile in touched.items()]
        return writes

    def _write(self, before: int, level: int, tile: int) -> TileWrite:
        known = before >> (TILE_HEIGHT * level)
        return TileWrite(level, tile, bytes(self._tails[level]), fresh=known <= tile << TILE_HEIGHT)
