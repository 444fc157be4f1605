"""The transparency logs: every entry up to the signed checkpoint is copied, and integrated anew when restored.

Hash tiles are not copied: the restored log is computed from its entries and must reach the signed root.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, insert

from troth.audit import store
from troth.audit.checkpoint import Checkpoint
from troth.audit.integration import BATCH, Integration
from troth.audit.log import LogPublisher, signed_note
from troth.audit.merkle import HASH_BYTES, Frontier, leaf_hash
from troth.audit.note import parse_note
from troth.audit.tiles import WIDTH, Tile, bundle, tiles_of, unbundle
from troth.audit.tree import TiledTree
from troth.backup.manifest import as_json
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import SYSTEM
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

    @property
    def checkpoint(self) -> Checkpoint:
        """The signed state."""
        return Checkpoint.parse(parse_note(self.note).text)


def signed_logs(database: Database) -> list[LogCopy]:
    """Every log that was signed, without its entries."""
    with database.read(SYSTEM) as connection:
        heads = [store.head(connection, log) for log in store.names(connection)]
        return [LogCopy(head.log, signed_note(head)) for head in heads if head.checkpoint is not None]


def bundles(database: Database, copy: LogCopy, first: int = 0) -> Iterator[bytes]:
    """Plaintext pieces of the log's entries, from bundle `first` on."""
    publisher = LogPublisher(database)
    for tile in _bundles_of(copy.checkpoint.size):
        if tile.number >= first:
            header = as_json({"log": copy.log, "bundle": tile.number}) + b"\n"
            yield header + publisher.resource(copy.log, tile.path)


def full_bundles(size: int) -> int:
    """How many bundles of a log of that size never change again."""
    return size // WIDTH


def index(copies: list[LogCopy]) -> bytes:
    """The list of logs as one plaintext piece."""
    return as_json([{"log": one.log, "note": one.note.decode(), "bundles": one.bundles} for one in copies])


def read_index(content: bytes) -> list[LogCopy]:
    """The inverse of `index`. Raises `IntegrityError`."""
    try:
        return [LogCopy(one["log"], one["note"].encode(), tuple(one["bundles"])) for one in json.loads(content)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError("The list of logs in the backup cannot be read.", code="backup-logs") from error


def leaves(copy: LogCopy, read: Callable[[str], bytes]) -> list[bytes]:
    """All entries of a copied log. Raises `IntegrityError` unless they lead to the signed root."""
    found: list[bytes] = []
    for number, name in enumerate(copy.bundles):
        header, _, bundle = read(name).partition(b"\n")
        if header != as_json({"log": copy.log, "bundle": number}):
            raise IntegrityError("Entries of another log stand in the backup.", code="backup-logs")
        found += unbundle(bundle)
    return checked(copy, found)


def mirrored(copy: LogCopy, resource: Callable[[str], bytes]) -> list[bytes]:
    """All entries of a log from its tlog-tiles resources, such as the mirror beside the data. Raises as `leaves`."""
    found: list[bytes] = []
    for tile in _bundles_of(copy.checkpoint.size):
        found += unbundle(resource(tile.path))[: tile.width]
    return checked(copy, found)


def resources(entries: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every tile and entry bundle of a log in the tlog-tiles layout, computed from its entries."""
    tree = TiledTree()
    hashes: dict[tuple[int, int], bytes] = {}
    for write in tree.extend(leaf_hash(leaf) for leaf in entries):
        hashes[write.level, write.tile] = write.hashes
    for tile in tiles_of(len(entries)):
        if tile.level is None:
            yield tile.path, bundle(entries[tile.start : tile.start + tile.width])
        else:
            yield tile.path, hashes[tile.level, tile.number][: tile.width * HASH_BYTES]


def checked(copy: LogCopy, entries: list[bytes]) -> list[bytes]:
    """The entries, when they are those that were signed. Raises `IntegrityError`."""
    tree = Frontier()
    for leaf in entries:
        tree.append(leaf_hash(leaf))
    if len(entries) != copy.checkpoint.size or tree.root() != copy.checkpoint.root:
        raise IntegrityError("A copied log does not lead to its signed root.", code="backup-logs")
    return entries


def put(database: Database, copies: Mapping[str, tuple[LogCopy, list[bytes]]], at: int) -> None:
    """Replace the logs of a restored database; `at` in epoch milliseconds. Raises `IntegrityError`."""
    with database.write(SYSTEM) as connection:
        for table in (store.tiles, store.entries, store.logs, outbox):
            connection.execute(delete(table))
        for log, (_, entries) in copies.items():
            for start in range(0, len(entries), BATCH):
                rows = [{"log": log, "leaf": leaf} for leaf in entries[start : start + BATCH]]
                connection.execute(insert(outbox), rows)
    integration = Integration(database, lambda _log: None)
    while integration.run():
        continue
    with database.write(SYSTEM) as connection:
        for log, (copy, _) in copies.items():
            head = store.head(connection, log)
            if (head.size, head.root) != (copy.checkpoint.size, copy.checkpoint.root):
                raise IntegrityError("A restored log does not lead to its signed root.", code="backup-logs")
            store.set_checkpoint(connection, head.number, copy.note, head.size, at)


def _bundles_of(size: int) -> Iterator[Tile]:
    for tile in tiles_of(size):
        if tile.level is None:
            yield tile
