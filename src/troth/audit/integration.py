"""Moves entries from the outbox into their trees: one transaction for entries, tiles, heads and the emptied outbox."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from troth.audit import store
from troth.audit.leaf import columns
from troth.audit.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash
from troth.audit.meta import META
from troth.audit.setting_aside import sorted_out
from troth.audit.store import StoredHead
from troth.audit.tiles import MAX_ENTRY_BYTES
from troth.audit.tree import TiledTree, TileWrite
from troth.kernel.clock import Clock, SystemClock
from troth.kernel.errors import IntegrityError
from troth.storage.database import Database
from troth.storage.outbox import discard, pending

BATCH = 2048  # entries in one transaction
_SHARE = 512  # the same, unless more wait than a batch holds: records that wait behind it get their turn sooner
_CLOCK = SystemClock()
_TREES = 1024  # right edges kept in memory, 8 to 16 kB each


@dataclass(slots=True)
class Growth:
    """What one log gains in one transaction, computed before it opens."""

    log: str
    number: int | None  # None: the log begins with this
    tree: TiledTree
    before: int
    rows: list[dict[str, Any]]
    writes: list[TileWrite]


class Integration:
    """Drains the outbox, oldest first. One thread at a time; `check` is asked before a log is first touched.

    Rows that no log can take are set aside (`audit.setting_aside`); they stop nothing.
    """

    def __init__(self, database: Database, check: Callable[[str], None], clock: Clock = _CLOCK) -> None:
        self._database = database
        self._clock = clock
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
        step = BATCH if len(waiting) == BATCH else _SHARE
        for start in range(0, len(waiting), step):
            self._place(waiting[start : start + step])
        return len(waiting)

    def _place(self, waiting: Sequence[Any]) -> None:
        self._write(sorted_out(waiting, self._clock), waiting)

    def place(self, log: str, leaves: list[bytes]) -> None:
        """Integrate entries that wait nowhere, in one transaction. Raises as `run`."""
        for start in range(0, len(leaves), BATCH):
            self._write({log: leaves[start : start + BATCH]}, [])

    def _write(self, leaves: dict[str, list[bytes]], waited: Sequence[Any]) -> None:
        growths = [self._grow(log, mine) for log, mine in leaves.items()]  # leaves the cache empty until it is durable
        numbers = self._database.apply(partial(_written, growths, waited))  # records that wait share the commit
        for number, growth in zip(numbers, growths, strict=True):
            self._trees[growth.log] = (number, growth.tree)
        while len(self._trees) > _TREES:
            self._trees.popitem(last=False)

    def _grow(self, log: str, leaves: list[bytes]) -> Growth:
        number, tree = self._trees.pop(log) if log in self._trees else self._load(log)
        return growth(log, number, tree, leaves)

    def _load(self, log: str) -> tuple[int | None, TiledTree]:
        self._check(log)
        with self._database.read() as connection:
            head = store.find_head(connection, log)
            return (None, TiledTree()) if head is None else (head.number, tree_of(connection, head))


def tree_of(connection: Connection, head: StoredHead) -> TiledTree:
    """The right edge of a log in the database. Raises `IntegrityError` when its tiles do not lead to its root."""
    tree = TiledTree(head.size, lambda level, tile: store.read_tile(connection, head.number, level, tile))
    if tree.root() != head.root:
        raise IntegrityError("The tiles of a log do not lead to its root.", code="bad-tree")
    return tree


def growth(log: str, number: int | None, tree: TiledTree, leaves: list[bytes]) -> Growth:
    """What `leaves` add to a log, whose `tree` they grow. Raises `IntegrityError` for one above 65,535 bytes."""
    before = tree.size
    if max(map(len, leaves)) > MAX_ENTRY_BYTES:
        raise IntegrityError("An entry in the outbox is longer than 65,535 bytes.", code="entry-too-long")
    rows = [{"position": at, "leaf": leaf, **_columns(log, leaf)} for at, leaf in enumerate(leaves, before)]
    return Growth(log, number, tree, before, rows, tree.extend(map(leaf_hash, leaves)))


def _written(growths: list[Growth], waited: Sequence[Any], transaction: Connection) -> list[int]:
    numbers = write(transaction, growths)
    if waited:
        discard(transaction, waited)
    return numbers


def write(transaction: Connection, growths: list[Growth]) -> list[int]:
    """Entries, tiles and heads; gives the numbers of the logs."""
    numbers = [_write_head(transaction, one) for one in growths]
    _write_rows(transaction, growths, numbers)
    return numbers


def _columns(log: str, leaf: bytes) -> dict[str, str | int | None]:
    """An entry of the meta log is found by its digest in hex, any other by what it says."""
    return columns(b"") | {"request": leaf.hex()} if log == META and len(leaf) == HASH_BYTES else columns(leaf)


def _write_head(transaction: Connection, growth: Growth) -> int:
    number = growth.number
    if number is None:
        number = store.create(transaction, growth.log, EMPTY_ROOT)
    store.advance(transaction, number, growth.before, growth.tree.size, growth.tree.root())
    return number


def _write_rows(transaction: Connection, growths: list[Growth], numbers: list[int]) -> None:
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
    if rows:  # none: a log is restored of which only hashes are left
        store.add_entries(transaction, rows)
    store.add_tiles(transaction, fresh, grown)
