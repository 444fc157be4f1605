"""The log in SQL: heads, entries, tiles. A leaf's hash stands once, in its level-0 tile; the right edge is in tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from troth.audit.merkle import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH
from troth.kernel.errors import IntegrityError, NotFound
from troth.storage.append_only import CUT, DROP, FIRST
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
    Column("first", Big, nullable=False, server_default="0"),  # the minimum index: entries below it were pruned
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

# What runs often is built once: building costs more than running.
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
_SHOW = (
    update(logs)
    .where(logs.c.number == bindparam("of"), logs.c.signed_size <= bindparam("grown"))
    .values(checkpoint=bindparam("note"), signed_size=bindparam("grown"), signed_at=bindparam("at"))
)
_LEVELS = 8  # of 256 hashes a tile: enough for 2**64 entries
_IN = 500  # values in one question
_HEAD = select(logs).where(logs.c.log == bindparam("of"))
_TILE = select(tiles.c.hashes).where(
    tiles.c.number == bindparam("of"), tiles.c.level == bindparam("at"), tiles.c.tile == bindparam("tile")
)
_LEAVES = (
    select(entries.c.position, entries.c.leaf)
    .where(
        entries.c.number == bindparam("of"),
        entries.c.position >= bindparam("from"),
        entries.c.position < bindparam("to"),
    )
    .order_by(entries.c.position)
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
    first: int = 0


def find_head(connection: Connection, log: str) -> StoredHead | None:
    """The head of a log, or None when it has no entry yet."""
    row = connection.execute(_HEAD, {"of": log}).one_or_none()
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


def cut(connection: Connection, number: int, size: int, root: bytes) -> None:
    """Take out what stands behind `size`: entries, and the hashes over them."""
    if connection.dialect.name == "postgresql":  # whose role may delete nothing itself
        connection.execute(CUT, {"number": number, "size": size, "root": root})
        return
    connection.execute(delete(entries).where(entries.c.number == number, entries.c.position >= size))
    for level in range(_LEVELS):
        tile, width = divmod(size >> (TILE_HEIGHT * level), TILE_WIDTH)
        these = (tiles.c.number == number, tiles.c.level == level)
        connection.execute(delete(tiles).where(*these, tiles.c.tile >= tile + (width > 0)))
        kept = func.substr(tiles.c.hashes, 1, width * HASH_BYTES)
        connection.execute(update(tiles).where(*these, tiles.c.tile == tile).values(hashes=kept))
    connection.execute(update(logs).where(logs.c.number == number).values(size=size, root=root))


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
    found = connection.scalar(_TILE, {"of": number, "at": level, "tile": tile})
    if found is None:
        raise IntegrityError(f"Tile {tile} of level {level} is missing from the database.", code="bad-tree")
    return bytes(found)


def read_leaves(connection: Connection, number: int, start: int, end: int) -> list[bytes]:
    """The entries from `start` up to but without `end`. Raises `IntegrityError` when one is missing."""
    rows = connection.execute(_LEAVES, {"of": number, "from": start, "to": end}).all()
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
    set_checkpoints(connection, [(number, note, size)], at)


def set_checkpoints(connection: Connection, checkpoints: Sequence[tuple[int, bytes, int]], at: int) -> None:
    """Keep the newest signed checkpoint of each log (number, note, size), with the time in epoch milliseconds."""
    rows = [{"of": number, "note": note, "grown": size, "at": at} for number, note, size in checkpoints]
    connection.execute(_SHOW, rows)


def set_first(connection: Connection, number: int, first: int) -> None:
    """Move the minimum index of a log, over what is signed; it never goes back."""
    if connection.dialect.name == "postgresql":  # whose owner looks at the age of what goes
        connection.execute(FIRST, {"number": number, "first": first})
        return
    connection.execute(update(logs).where(logs.c.number == number, logs.c.first < first).values(first=first))


def first_since(connection: Connection, head: StoredHead, moment: int) -> int:
    """The first kept entry of `moment` (epoch ms) or later; the log's size when all are older."""
    kept = (entries.c.number == head.number, entries.c.position >= head.first, entries.c.time >= moment)
    found = connection.scalar(select(entries.c.position).where(*kept).order_by(entries.c.position).limit(1))
    return head.size if found is None else int(found)


def time_at(connection: Connection, number: int, index: int) -> int:
    """When an entry was recorded, in epoch ms; 0 when it does not say."""
    these = (entries.c.number == number, entries.c.position == index)
    return int(connection.scalar(select(entries.c.time).where(*these)) or 0)


def oldest(connection: Connection, number: int) -> int:
    """The lowest index of which there is a row; 0 when there is none."""
    return int(connection.scalar(select(func.min(entries.c.position)).where(entries.c.number == number)) or 0)


def drop_entries(connection: Connection, number: int, start: int, end: int) -> int:
    """Take out the entries from `start` up to but without `end`, and leave their hashes; how many there were."""
    if connection.dialect.name == "postgresql":
        return int(connection.scalar(DROP, {"number": number, "start": start, "end": end}) or 0)
    these = (entries.c.number == number, entries.c.position >= start, entries.c.position < end)
    return connection.execute(delete(entries).where(*these)).rowcount


def checkpoints(connection: Connection) -> list[tuple[str, bytes]]:
    """The checkpoint of every log that has one: (log, note)."""
    rows = connection.execute(select(logs.c.log, logs.c.checkpoint).where(logs.c.checkpoint.is_not(None)))
    return [(str(log), bytes(note)) for log, note in rows]


def requests_known(connection: Connection, log: str, requests: Sequence[str]) -> set[str]:
    """Those of `requests` under which a log has an entry."""
    found: set[str] = set()
    for start in range(0, len(requests), _IN):
        these = entries.c.request.in_(requests[start : start + _IN])
        query = select(entries.c.request).join(logs, logs.c.number == entries.c.number)
        found.update(map(str, connection.scalars(query.where(logs.c.log == log, these))))
    return found
