"""Moves entries from the outbox into their trees: one transaction for entries, tiles, heads and the emptied outbox."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from troth.audit import store
from troth.audit.leaf import columns
from troth.audit.merkle import EMPTY_ROOT, leaf_hash
from troth.audit.tiles import MAX_ENTRY_BYTES
from troth.audit.tree import TiledTree, TileWrite
from troth.kernel.errors import IntegrityError
from troth.storage.database import Database
from troth.storage.outbox import discard, pending

BATCH = 2048  # entries in one transaction
_TREES = 1024  # right edges kept in memory, 8 to 16 kB each


@dataclass(slots=True)
class _Growth:
    """What one log gains in one transaction, computed before it opens."""

    log: str
    number: int | None  # None: the log begins with this
    tree: TiledTree
    before: int
    rows: list[dict[str, Any]]
    writes: list[TileWrite]


class Integration:
    """Drains the outbox, oldest first. One thread at a time; `check` is asked before a log is first touched."""

    def __init__(self, database: Database, check: Callable[[str], None]) -> None:
        self._database = database
        self._check = check
        self._trees: OrderedDict[str, tuple[int, TiledTree]] = OrderedDict()

    def forget(self) -> None:
        """Drop what is kept in memory; every log is then loaded and checked anew."""
        self._trees.clear()

    def run(self) -> int:
        """Integrate at most one batch; gives the number of entries. Raises `IntegrityError`, `Unavailable`."""
        with self._database.read() as connection:
            waiting = pending(connection, BATCH)
        if not waiting:
            return 0
        leaves: dict[str, list[bytes]] = {}
        for _, log, leaf in waiting:
            leaves.setdefault(log, []).append(leaf)
        growths = [self._grow(log, mine) for log, mine in leaves.items()]  # leaves the cache empty until it is durable
        with self._database.write() as transaction:
            numbers = [_write_head(transaction, growth) for growth in growths]
            _write_rows(transaction, growths, numbers)
            discard(transaction, [seq for seq, _, _ in waiting])
        for number, growth in zip(numbers, growths, strict=True):
            self._trees[growth.log] = (number, growth.tree)
        while len(self._trees) > _TREES:
            self._trees.popitem(last=False)
        return len(waiting)

    def _grow(self, log: str, leaves: list[bytes]) -> _Growth:
        number, tree = self._trees.pop(log) if log in self._trees else self._load(log)
        before = tree.size
        if max(map(len, leaves)) > MAX_ENTRY_BYTES:
            raise IntegrityError("An entry in the outbox is longer than 65,535 bytes.", code="entry-too-long")
        rows = [{"position": at, "leaf": leaf, **columns(leaf)} for at, leaf in enumerate(leaves, before)]
        return _Growth(log, number, tree, before, rows, tree.extend(map(leaf_hash, leaves)))

    def _load(self, log: str) -> tuple[int | None, TiledTree]:
        self._check(log)
        with self._database.read() as connection:
            head = store.find_head(connection, log)
            if head is None:
                return None, TiledTree()
            number = head.number
            tree = TiledTree(head.size, lambda level, tile: store.read_tile(connection, number, level, tile))
        if tree.root() != head.root:
            raise IntegrityError("The tiles of a log do not lead to its root.", code="bad-tree")
        return number, tree


def _write_head(transaction: Connection, growth: _Growth) -> int:
    number = growth.number
    if number is None:
        number = store.create(transaction, growth.log, EMPTY_ROOT)
    store.advance(transaction, number, growth.before, growth.tree.size, growth.tree.root())
    return number


def _write_rows(transaction: Connection, growths: list[_Growth], numbers: list[int]) -> None:
    rows: list[dict[str, Any]] = []
    fresh: list[dict[str, Any]] = []
    grown: list[dict[str, Any]] = []
    for number, growth in zip(numbers, growths, strict=True):
        for row in growth.rows:
            row["number"] = number
        rows += growth.rows
        for write in growth.writes:
            tile = {"number": number, "level": write.level, "tile": write.tile, "hashes": write.hashes}
            (fresh if write.fresh else grown).append(tile)
    store.add_entries(transaction, rows)
    store.add_tiles(transaction, fresh, grown)
