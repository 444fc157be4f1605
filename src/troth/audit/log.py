"""Reading the log: entries by index, newest checkpoint, static resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from troth.audit import store
from troth.audit.checkpoint import Checkpoint
from troth.audit.merkle import HASH_BYTES
from troth.audit.note import parse_note
from troth.audit.store import StoredHead, entries
from troth.audit.tiles import CHECKPOINT, Tile, bundle
from troth.kernel.errors import NotFound, Unavailable
from troth.storage.database import Database

MAX_PAGE = 1000
SCANNED = 50_000  # entries that one filtered page looks at; it then says where to go on
_MEDIA_TYPES = {CHECKPOINT: "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed state: `checkpoint` is the signed note over `size` and `root`."""

    size: int
    root: bytes
    checkpoint: bytes


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry in its place."""

    index: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries a reader wants. `own` is (actor, subject or None): either matches. Times are epoch milliseconds."""

    operation: str | None = None
    actor: str | None = None
    outcome: str | None = None
    since: int | None = None
    until: int | None = None
    own: tuple[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; `next` is the `before` of the following page, None at the beginning of the log."""

    entries: list[LogEntry]
    next: int | None


class LogReader:
    """Reads logs; signs and changes nothing. Every method raises `NotFound` for a log without entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def head(self, log: str) -> Head:
        """The newest checkpoint. Raises `Unavailable` when none is signed yet."""
        with self._database.read() as connection:
            note = signed_note(store.head(connection, log))
        checkpoint = Checkpoint.parse(parse_note(note).text)
        return Head(checkpoint.size, checkpoint.root, note)

    def size(self, log: str) -> int:
        """Entries that have their place, signed or about to be."""
        with self._database.read() as connection:
            return store.head(connection, log).size

    def entry(self, log: str, index: int) -> bytes:
        """One leaf. Raises `NotFound` beyond the end."""
        with self._database.read() as connection:
            head = store.head(connection, log)
            if not 0 <= index < head.size:
                raise NotFound("The log has no entry of that index.")
            return store.read_leaves(connection, head.number, index, index + 1)[0]

    def entries(self, log: str, start: int, limit: int, newest_first: bool = False) -> list[LogEntry]:
        """At most `limit` (and 1,000) entries from `start` on, towards the end or, newest first, the beginning."""
        limit = min(limit, MAX_PAGE)
        with self._database.read() as connection:
            head = store.head(connection, log)
            first = max(0, start - limit + 1) if newest_first else start
            end = min(head.size, start + 1 if newest_first else start + limit)
            leaves = store.read_leaves(connection, head.number, first, end) if first < end else []
        found = [LogEntry(index, leaf) for index, leaf in enumerate(leaves, first)]
        return found[::-1] if newest_first else found

    def page(self, log: str, wanted: Filter, *, before: int | None, limit: int) -> Page:
        """Matching entries below index `before`, newest first. A page may be short or empty and still have a `next`."""
        with self._database.read() as connection:
            head = store.head(connection, log)
            end = head.size if before is None else max(0, min(before, head.size))
            floor = 0 if wanted.own or wanted.actor else max(0, end - SCANNED)  # these two have an index
            found: dict[int, bytes] = {}
            for query in _filtered(wanted, head.number):
                reached = query.where(entries.c.position < end, entries.c.position >= floor)
                rows = connection.execute(reached.order_by(entries.c.position.desc()).limit(limit))
                found.update((int(row.position), bytes(row.leaf)) for row in rows)
        newest = [LogEntry(index, found[index]) for index in sorted(found, reverse=True)[:limit]]
        following = newest[-1].index if len(newest) == limit else floor
        return Page(newest, following or None)


class LogPublisher:
    """The C2SP tlog-tiles resources of a log, up to its newest checkpoint, straight from the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def resource(self, log: str, path: str) -> bytes:
        """The bytes at `checkpoint` or `tile/…`. Raises `NotFound`, also for tiles that no checkpoint covers yet."""
        with self._database.read() as connection:
            head = store.head(connection, log)
            if path == CHECKPOINT:
                return signed_note(head)
            tile = Tile.parse(path)
            level = tile.level or 0
            if tile.start + tile.width > head.signed_size >> (8 * level):
                raise NotFound("There is no such tile.")
            if tile.level is None:
                return bundle(store.read_bundle(connection, head.number, tile.number, tile.width))
            return store.read_tile(connection, head.number, level, tile.number)[: tile.width * HASH_BYTES]


def media_type(path: str) -> str:
    """The content type of a resource."""
    return _MEDIA_TYPES.get(path, "application/octet-stream")


def immutable(path: str) -> bool:
    """True when a resource may be cached for ever."""
    return path != CHECKPOINT


def signed_note(head: StoredHead) -> bytes:
    """The checkpoint of a head. Raises `Unavailable` when it was never signed."""
    if head.checkpoint is None:
        raise Unavailable("The log's first checkpoint is not signed yet; try again in a second.", code="no-checkpoint")
    return head.checkpoint


def _filtered(wanted: Filter, number: int) -> list[Select[Any]]:
    """One query, or one per index for `own`: an OR over two indexes would read the whole log."""
    query: Select[Any] = select(entries.c.position, entries.c.leaf).where(entries.c.number == number)
    for name in ("operation", "actor", "outcome"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(entries.c[name] == value)
    if wanted.since is not None:
        query = query.where(entries.c.time >= wanted.since)
    if wanted.until is not None:
        query = query.where(entries.c.time < wanted.until)
    if wanted.own is None:
        return [query]
    actor, subject = wanted.own
    mine = [query.where(entries.c.actor == actor)]
    return mine if subject is None else [*mine, query.where(entries.c.subject == subject)]
