"""The log in SQL: heads, entries, tiles. A leaf's hash stands once, in its level-0 tile; the right edge is in tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, LargeBinary, String, Table, bindparam, insert, select, update

from troth.audit.merkle import TILE_WIDTH
from troth.kernel.errors import IntegrityError, NotFound
from troth.storage.database import Big, metadata
from troth.storage.prepared import PreparedInsert

logs = Table(
    "audit_logs",
    metadata,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("log", String(64), nullable=False, unique=True),
    Column("size", Big, nullable=False),  # entries integrated
    Column("root", LargeBinary, nullable=False),
    Column("signed_size", Big, nullable=False),  # entries under the checkpoint
    Column("checkpoint", LargeBinary),
    Column("signed_at", Big),
)

# The columns after `leaf` repeat what stands in the leaf, to find it; what an auditor believes is the leaf.
entries = Table(
    "audit_entries",
    metadata,
    Column("number", Big, primary_key=True, autoincrement=False),
    Column("position", Big, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("request", String(64)),
    Column("actor", String(64)),
    Column("subject", String(64)),
    Column("operation", String(64)),
    Column("outcome", String(16)),
    Column("time", Big),
    sqlite_with_rowid=False,
)
Index("ix_audit_entries_request", entries.c.number, entries.c.request)
Index("ix_audit_entries_actor", entries.c.number, entries.c.actor, entries.c.position)
Index(
    "ix_audit_entries_subject",
    entries.c.number,
    entries.c.subject,
    entries.c.position,
    sqlite_where=entries.c.subject.is_not(None),
    postgresql_where=entries.c.subject.is_not(None),
)

tiles = Table(
    "audit_tiles",
    metadata,
    Column("number", Big, primary_key=True, autoincrement=False),
    Column("level", Big, primary_key=True, autoincrement=False),
    Column("tile", Big, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),  # 32 bytes each, at most 256
)

# What each batch runs is built once: building costs more than running.
_ADVANCE = (
    update(logs)
    .where(logs.c.number == bindparam("of"), logs.c.size == bindparam("was"))
    .values(size=bindparam("grown"), root=bindparam("hash"))
)
_ADD_ENTRIES = PreparedInsert(entries, *entries.columns.keys())
_ADD_TILES = PreparedInsert(tiles, *tiles.columns.keys())
_GROW_TILE = (
    update(tiles)
    .where(*(tiles.c[name] == bindparam(f"_{name}") for name in ("number", "level", "tile")))
    .values(hashes=bindparam("_hashes"))
)
_UNSIGNED = select(logs.c.log).where(logs.c.signed_size < logs.c.size).order_by(logs.c.signed_at, logs.c.number)


@dataclass(frozen=True, slots=True)
class StoredHead:
    """One log's row."""

    number: int
    log: str
    size: int
    root: bytes
    signed_size: int
    checkpoint: bytes | None
    signed_at: int | None


def find_head(connection: Connection, log: str) -> StoredHead | None:
    """The head of a log, or None when it has no entry yet."""
    row = connection.execute(select(logs).where(logs.c.log == log)).one_or_none()
    return None if row is None else StoredHead(**row._mapping)


def head(connection: Connection, log: str) -> StoredHead:
    """The head of a log. Raises `NotFound`."""
    found = find_head(connection, log)
    if found is None:
        raise NotFound("There is no log of that name.")
    return found


def unsigned(connection: Connection) -> list[str]:
    """Logs that grew since their last checkpoint, those that wait longest first."""
    return [str(log) for log in connection.scalars(_UNSIGNED)]


def names(connection: Connection) -> list[str]:
    """All logs, oldest first."""
    return [str(log) for log in connection.scalars(select(logs.c.log).order_by(logs.c.number))]


def create(connection: Connection, log: str, root: bytes) -> int:
    """Begin an empty log; gives its number."""
    row = {"log": log, "size": 0, "root": root, "signed_size": 0}
    result = connection.execute(insert(logs), row)
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def advance(connection: Connection, number: int, before: int, size: int, root: bytes) -> None:
    """Move a head on from `before`. Raises `IntegrityError` when somebody else moved it."""
    values = {"of": number, "was": before, "grown": size, "hash": root}
    if connection.execute(_ADVANCE, values).rowcount != 1:
        raise IntegrityError(
            "Another sequencer wrote to the log; keep one and stop the other.", code="second-sequencer"
        )


def add_entries(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert entries, all rows with the same members; by COPY on PostgreSQL, by a prepared statement on SQLite."""
    if connection.dialect.name != "postgresql":
        _ADD_ENTRIES.run(connection, rows)
        return
    order = list(rows[0])
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY audit_entries ({', '.join(order)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[name] for name in order])


def add_tiles(connection: Connection, fresh: list[dict[str, Any]], grown: list[dict[str, Any]]) -> None:
    """Insert new tiles and replace grown ones; each row is number, level, tile, hashes."""
    if fresh:
        _ADD_TILES.run(connection, fresh)
    if grown:
        connection.execute(_GROW_TILE, [{f"_{name}": value for name, value in row.items()} for row in grown])


def read_tile(connection: Connection, number: int, level: int, tile: int) -> bytes:
    """The hashes of a tile, as wide as it is now. Raises `IntegrityError` when it is missing."""
    where = (tiles.c.number == number, tiles.c.level == level, tiles.c.tile == tile)
    found = connection.scalar(select(tiles.c.hashes).where(*where))
    if found is None:
        raise IntegrityError(f"Tile {tile} of level {level} is missing from the database.", code="bad-tree")
    return bytes(found)


def read_leaves(connection: Connection, number: int, start: int, end: int) -> list[bytes]:
    """The entries from `start` up to but without `end`. Raises `IntegrityError` when one is missing."""
    where = (entries.c.number == number, entries.c.position >= start, entries.c.position < end)
    rows = connection.execute(select(entries.c.position, entries.c.leaf).where(*where).order_by(entries.c.position))
    leaves: list[bytes] = []
    for position, leaf in rows:
        if position != start + len(leaves):
            break
        leaves.append(bytes(leaf))
    if len(leaves) != end - start:
        raise IntegrityError(f"Entry {start + len(leaves)} is missing from the database.", code="bad-tree")
    return leaves


def read_bundle(connection: Connection, number: int, tile: int, width: int) -> list[bytes]:
    """The entries of one bundle."""
    return read_leaves(connection, number, tile * TILE_WIDTH, tile * TILE_WIDTH + width)


def set_checkpoint(connection: Connection, number: int, note: bytes, size: int, at: int) -> None:
    """Keep the newest signed checkpoint, with its time in epoch milliseconds."""
    where = (logs.c.number == number, logs.c.signed_size <= size)
    connection.execute(update(logs).where(*where).values(checkpoint=note, signed_size=size, signed_at=at))
