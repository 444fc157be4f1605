"""RFC 6962 section 2.1: Merkle tree hashes, audit paths and consistency proofs. Pure: no I/O, no storage.

Hashes are SHA-256, 32 bytes. A node is named by (height, position): the tree hash of the 2**height leaves that begin at
position * 2**height. Whatever holds nodes gives a `NodeReader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

from troth.kernel.errors import IntegrityError

HASH_BYTES = 32
TILE_HEIGHT = 8  # C2SP tlog-tiles: a tile spans eight levels
TILE_WIDTH = 1 << TILE_HEIGHT
EMPTY_ROOT = sha256().digest()

NodeReader = Callable[[int, int], bytes]
TileReader = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """MTH of one entry: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: one hash per perfect subtree, largest first. Enough to append and to root."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise IntegrityError("The right edge of the log does not fit its size.", code="bad-tree")

    def append(self, leaf: bytes) -> list[tuple[int, bytes]]:
        """Add a leaf hash; gives the tile hashes it completes as (tile level, hash), lowest first."""
        completed, node, rest, height = [(0, leaf)], leaf, self.size, 0
        while rest & 1:
            node = node_hash(self.hashes.pop(), node)
            rest >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                completed.append((height // TILE_HEIGHT, node))
        self.hashes.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The tree hash over all leaves so far."""
        if not self.hashes:
            return EMPTY_ROOT
        node = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            node = node_hash(left, node)
        return node


class TileNodes:
    """A `NodeReader` over tiles; each tile is read once. `read(level, n)` gives 32 bytes per hash that the tile holds.

    Raises `IntegrityError` when a tile is narrower than the node asked for.
    """

    def __init__(self, read: TileReader) -> None:
        self._read = read
        self._seen: dict[tuple[int, int], bytes] = {}

    def __call__(self, height: int, position: int) -> bytes:
        level, below = divmod(height, TILE_HEIGHT)
        tile, offset = divmod(position << below, TILE_WIDTH)
        if (level, tile) not in self._seen:
            self._seen[level, tile] = self._read(level, tile)
        end = (offset + (1 << below)) * HASH_BYTES
        row = self._seen[level, tile][offset * HASH_BYTES : end]
        if len(row) != HASH_BYTES << below:
            raise IntegrityError(f"Tile {tile} of level {level} is narrower than the log's size says.", code="bad-tree")
        return _fold([row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)])


def frontier(node: NodeReader, size: int) -> Frontier:
    """The right edge of the tree of `size` leaves."""
    heights = [height for height in reversed(range(size.bit_length())) if size >> height & 1]
    return Frontier(size, [node(height, (size >> height) - 1) for height in heights])


def root(node: NodeReader, size: int) -> bytes:
    """The tree hash of the first `size` leaves."""
    return _range(node, 0, size) if size else EMPTY_ROOT


def inclusion(node: NodeReader, index: int, size: int) -> list[bytes]:
    """RFC 6962 section 2.1.1: the audit path of leaf `index`, from its sibling up. Raises ValueError out of range."""
    if not 0 <= index < size:
        raise ValueError(f"index {index} is not in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(_range(node, split, end))
            end = split
        else:
            path.append(_range(node, start, split))
            start = split
    return path[::-1]


def consistency(node: NodeReader, old: int, new: int) -> list[bytes]:
    """RFC 6962 section 2.1.2: proof that the tree of `old` leaves begins the tree of `new`. Raises ValueError."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new}")
    proof, start, end, whole = [], 0, new, True
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            proof.append(_range(node, split, end))
            end = split
        else:
            proof.append(_range(node, start, split))
            start, whole = split, False
    return ([] if whole else [_range(node, start, end)]) + proof[::-1]


def _split(width: int) -> int:
    """The largest power of two smaller than `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _range(node: NodeReader, start: int, end: int) -> bytes:
    width = end - start
    if width & (width - 1) == 0:  # RFC 6962 only ever asks for aligned ranges, so this is one node
        height = width.bit_length() - 1
        return node(height, start >> height)
    split = start + _split(width)
    return node_hash(_range(node, start, split), _range(node, split, end))


def _fold(row: list[bytes]) -> bytes:
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
