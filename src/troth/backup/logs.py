"""The transparency logs: every entry up to the signed checkpoint is copied, and integrated anew when restored.

Hash tiles are not copied: the restored log is computed from its entries and must reach the signed root. Of entries that
were pruned the hashes are copied, in pieces that say so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert

from troth.audit import store
from troth.audit.checkpoint import Checkpoint
from troth.audit.integration import BATCH, Growth, Integration, write
from troth.audit.log import LogPublisher, signed_note
from troth.audit.merkle import HASH_BYTES, Frontier, leaf_hash
from troth.audit.note import parse_note
from troth.audit.tiles import MINIMUM, WIDTH, Tile, bundle, tiles_of, unbundle
from troth.audit.tree import TiledTree
from troth.backup.manifest import as_json
from troth.kernel.errors import IntegrityError, NotFound
from troth.kernel.scope import SYSTEM
from troth.storage.append_only import CLEAR
from troth.storage.database import Database
from troth.storage.outbox import outbox

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class LogCopy:
    """One log: its checkpoint (signed note), and its entry bundles in order."""

    log: str
    note: bytes = field(repr=False)
    bundles: tuple[str, ...] = ()
    """Names of the pieces that hold the bundles."""
    first: int = 0
    """The log's minimum index: of entries below it, the pieces hold hashes."""

    @property
    def checkpoint(self) -> Checkpoint:
        """The signed state."""
        return Checkpoint.parse(parse_note(self.note).text)


class Pruned(bytes):
    """The leaf hash of an entry that was pruned, where the entry would stand."""


def signed_logs(database: Database) -> list[LogCopy]:
    """Every log that was signed, without its entries."""
    with database.read(SYSTEM) as connection:
        heads = [store.head(connection, log) for log in store.names(connection)]
        return [LogCopy(one.log, signed_note(one), (), one.first) for one in heads if one.checkpoint is not None]


def bundles(database: Database, copy: LogCopy, first: int = 0) -> Iterator[bytes]:
    """Plaintext pieces of the log's entries, from bundle `first` on."""
    publisher = LogPublisher(database)
    for tile in _bundles_of(copy.checkpoint.size):
        if tile.number >= first:
            pruned = tile.start < copy.first
            path = Tile(0, tile.number).path if pruned else tile.path
            yield _header(copy.log, tile.number, pruned=pruned) + b"\n" + publisher.resource(copy.log, path)


def _header(log: str, number: int, *, pruned: bool = False) -> bytes:
    return as_json({"log": log, "bundle": number} | ({"pruned": True} if pruned else {}))


def opened(log: str, number: int, content: bytes) -> list[bytes]:
    """The entries in a piece, `Pruned` for those of which it has the hashes. Raises `IntegrityError`."""
    header, _, body = content.partition(b"\n")
    if header == _header(log, number):
        return unbundle(body)
    if header == _header(log, number, pruned=True):
        return _hashes(body)
    raise IntegrityError("Entries of another log stand in the backup.", code="backup-logs")


def _hashes(row: bytes) -> list[bytes]:
    if len(row) != WIDTH * HASH_BYTES:
        raise IntegrityError("Hashes of pruned entries are cut short.", code="backup-logs")
    return [Pruned(row[at : at + HASH_BYTES]) for at in range(0, len(row), HASH_BYTES)]


def _hash(leaf: bytes) -> bytes:
    return bytes(leaf) if isinstance(leaf, Pruned) else leaf_hash(leaf)


def first_kept(entries: list[bytes]) -> int:
    """The minimum index. Raises `IntegrityError` when one was pruned behind one that is there."""
    count = sum(isinstance(leaf, Pruned) for leaf in entries)
    if count and (count == len(entries) or not all(isinstance(leaf, Pruned) for leaf in entries[:count])):
        raise IntegrityError("Entries are missing from the midst of a log.", code="backup-logs")
    return count


def full_bundles(size: int) -> int:
    """How many bundles of a log of that size never change again."""
    return size // WIDTH


def index(copies: list[LogCopy]) -> bytes:
    """The list of logs as one plaintext piece."""
    return as_json(
        [{"log": one.log, "note": one.note.decode(), "bundles": one.bundles, "first": one.first} for one in copies]
    )


def read_index(content: bytes) -> list[LogCopy]:
    """The inverse of `index`. Raises `IntegrityError`."""
    try:
        return [
            LogCopy(one["log"], one["note"].encode(), tuple(one["bundles"]), int(one.get("first", 0)))
            for one in json.loads(content)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError("The list of logs in the backup cannot be read.", code="backup-logs") from error


def leaves(copy: LogCopy, read: Callable[[str], bytes]) -> list[bytes]:
    """All entries of a copied log. Raises `IntegrityError` unless they lead to the signed root."""
    found: list[bytes] = []
    for number, name in enumerate(copy.bundles):
        found += opened(copy.log, number, read(name))
    return checked(copy, found)


def mirrored(copy: LogCopy, resource: Callable[[str], bytes]) -> list[bytes]:
    """All entries of a log from its tlog-tiles resources, such as the mirror beside the data. Raises as `leaves`."""
    found: list[bytes] = []
    minimum = _minimum(resource)
    for tile in _bundles_of(copy.checkpoint.size):
        if tile.start < minimum:
            found += _hashes(resource(Tile(0, tile.number).path))
        else:
            found += unbundle(resource(tile.path))[: tile.width]
    return checked(copy, found)


def _minimum(resource: Callable[[str], bytes]) -> int:
    try:
        return int(resource(MINIMUM))
    except (NotFound, ValueError):  # a mirror that was never pruned has none
        return 0


def resources(entries: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every tile and entry bundle of a log in the tlog-tiles layout, computed from its entries."""
    tree = TiledTree()
    hashes: dict[tuple[int, int], bytes] = {}
    for tile_write in tree.extend(map(_hash, entries)):
        hashes[tile_write.level, tile_write.tile] = tile_write.hashes
    minimum = first_kept(entries)
    if minimum:
        yield MINIMUM, b"%d\n" % minimum
    for tile in tiles_of(len(entries)):
        if tile.level is None:
            if tile.start < minimum:
                continue
            yield tile.path, bundle(entries[tile.start : tile.start + tile.width])
        else:
            yield tile.path, hashes[tile.level, tile.number][: tile.width * HASH_BYTES]


def checked(copy: LogCopy, entries: list[bytes]) -> list[bytes]:
    """The entries, when they are those that were signed. Raises `IntegrityError`."""
    tree = Frontier()
    for leaf in entries:
        tree.append(_hash(leaf))
    if len(entries) != copy.checkpoint.size or tree.root() != copy.checkpoint.root:
        raise IntegrityError("A copied log does not lead to its signed root.", code="backup-logs")
    first_kept(entries)
    return entries


def put(database: Database, copies: Mapping[str, tuple[LogCopy, list[bytes]]], at: int) -> None:
    """Replace the logs of a restored database; `at` in epoch milliseconds. Raises `IntegrityError`."""
    with database.write(SYSTEM) as connection:
        if connection.dialect.name == "postgresql":  # whose role may delete nothing of a log itself
            connection.execute(CLEAR)
        else:
            for table in (store.tiles, store.entries, store.logs):
                connection.execute(delete(table))
        connection.execute(delete(outbox))
        for log, (_, entries) in copies.items():
            for start in range(_put_pruned(connection, log, entries), len(entries), BATCH):
                rows = [{"log": log, "leaf": leaf} for leaf in entries[start : start + BATCH]]
                connection.execute(insert(outbox), rows)
    integration = Integration(database, lambda _log: None)
    while integration.run():
        continue
    with database.write(SYSTEM) as connection:
        for copy, entries in copies.values():
            _set_signed(connection, copy, first_kept(entries), at)


def _set_signed(connection: Connection, copy: LogCopy, first: int, at: int) -> None:
    """The checkpoint of a log that was put back, and what was pruned below it. Raises `IntegrityError`."""
    head = store.head(connection, copy.log)
    if (head.size, head.root) != (copy.checkpoint.size, copy.checkpoint.root):
        raise IntegrityError("A restored log does not lead to its signed root.", code="backup-logs")
    store.set_checkpoint(connection, head.number, copy.note, head.size, at)
    if first:
        store.set_first(connection, head.number, first)


def _put_pruned(connection: Connection, log: str, entries: list[bytes]) -> int:
    """The tree over what was pruned, without its entries; how many these are."""
    count = first_kept(entries)
    if count:
        tree = TiledTree()
        write(connection, [Growth(log, None, tree, 0, [], tree.extend(map(_hash, entries[:count])))])
    return count


def _bundles_of(size: int) -> Iterator[Tile]:
    for tile in tiles_of(size):
        if tile.level is None:
            yield tile
