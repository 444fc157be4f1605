"""Reading the log: entries by index, newest checkpoint, static resources."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, func, literal, select

from troth.audit import cosigned_notes, store
from troth.audit.checkpoint import Checkpoint
from troth.audit.merkle import HASH_BYTES
from troth.audit.note import parse_note
from troth.audit.placed import require_placed
from troth.audit.store import StoredHead, entries
from troth.audit.tiles import CHECKPOINT, MINIMUM, Tile, bundle
from troth.kernel.errors import NotFound, Unavailable
from troth.storage.database import Database

MAX_PAGE = 1000
SCANNED = 50_000  # entries that one filtered page looks at; it then says where to go on
_TEXT = "text/plain; charset=utf-8"
_MEDIA_TYPES = {CHECKPOINT: _TEXT, MINIMUM: _TEXT}


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
    """Which entries a reader wants. `own` is (actor, subject or None): either matches. Times are epoch milliseconds.

    `naming` finds the entries that carry this id anywhere in their text; `after` those behind that index.
    """

    operation: str | None = None
    actor: str | None = None
    subject: str | None = None
    outcome: str | None = None
    naming: str | None = None
    after: int | None = None
    since: int | None = None
    until: int | None = None
    own: tuple[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; `next` is the `before` of the following page, None at the beginning of the log."""

    entries: list[LogEntry]
    next: int | None


class LogReader:
    """Reads logs; signs and changes nothing. Every method raises `NotFound` for a log without entries.

    What gives entries raises `IntegrityError` (log-broken) for one that is not as it was placed.
    """

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
            require_kept(head, index)
            leaf = store.read_leaves(connection, head.number, index, index + 1)[0]
            require_placed(connection, head.number, [(index, leaf)])
            return leaf

    def entries(self, log: str, start: int, limit: int, newest_first: bool = False) -> list[LogEntry]:
        """At most `limit` (and 1,000) entries from `start` on, towards the end or, newest first, the beginning."""
        limit = min(limit, MAX_PAGE)
        with self._database.read() as connection:
            head = store.head(connection, log)
            first = max(head.first, start - limit + 1 if newest_first else start)
            end = min(head.size, start + 1 if newest_first else first + limit)
            leaves = store.read_leaves(connection, head.number, first, end) if first < end else []
            found = [LogEntry(*one) for one in require_placed(connection, head.number, enumerate(leaves, first))]
        return found[::-1] if newest_first else found

    def page(self, log: str, wanted: Filter, *, before: int | None, limit: int) -> Page:
        """Matching entries below index `before`, newest first. A page may be short or empty and still have a `next`."""
        with self._database.read() as connection:
            head = store.head(connection, log)
            end = head.size if before is None else max(0, min(before, head.size))
            floor = max(head.first, _scanned(connection, wanted, head.number, end))
            floor = floor if wanted.after is None else max(floor, wanted.after + 1)
            found: dict[int, bytes] = {}
            for query in _filtered(wanted, head.number, connection.dialect.name):
                reached = query.where(entries.c.position < end, entries.c.position >= floor)
                rows = connection.execute(reached.order_by(entries.c.position.desc()).limit(limit))
                found.update((int(row.position), bytes(row.leaf)) for row in rows)
            shown = require_placed(connection, head.number, sorted(found.items(), reverse=True)[:limit])
        newest = [LogEntry(*one) for one in shown]
        following = newest[-1].index if len(newest) == limit else floor
        ended = following <= head.first or (wanted.after is not None and following <= wanted.after + 1)
        return Page(newest, None if ended else following)

    def count(self, log: str, wanted: Filter, start: int, end: int) -> int:
        """How many entries from index `start` up to but without `end` match."""
        with self._database.read() as connection:
            (query,) = _filtered(wanted, store.head(connection, log).number, connection.dialect.name)
            within = query.where(entries.c.position >= start, entries.c.position < end)
            return int(connection.execute(select(func.count()).select_from(within.subquery())).scalar_one())

    def stretch(self, log: str, wanted: Filter, start: int, end: int, limit: int = MAX_PAGE) -> list[LogEntry]:
        """At most `limit` matching entries from index `start` up to but without `end`, oldest first."""
        with self._database.read() as connection:
            head = store.head(connection, log)
            (query,) = _filtered(wanted, head.number, connection.dialect.name)
            within = query.where(entries.c.position >= start, entries.c.position < end)
            rows = connection.execute(within.order_by(entries.c.position).limit(limit))
            return [LogEntry(*one) for one in require_placed(connection, head.number, rows)]

    def of_requests(self, log: str, requests: Collection[str]) -> list[LogEntry]:
        """The entries of some hundred requests that are kept, oldest first."""
        with self._database.read() as connection:
            head = store.head(connection, log)
            mine = (entries.c.number == head.number, entries.c.request.in_(requests), entries.c.position >= head.first)
            query = select(entries.c.position, entries.c.leaf).where(*mine).order_by(entries.c.position)
            return [LogEntry(*one) for one in require_placed(connection, head.number, connection.execute(query))]

    def since(self, log: str, moment: int) -> int:
        """About where the entries of `moment` (epoch ms) begin: halving, for times rise with the index but for seconds.

        It begins at the end, in steps that double, so that entries which a clock wrote that was ahead for a while lead
        nobody astray who asks for what came later. No index helps and none is needed: some dozens of reads. The log's
        size when all are older.
        """
        with self._database.read() as connection:
            head = store.head(connection, log)
            low, high, step = head.first, head.size, 1
            while high - step >= head.first:
                if store.time_at(connection, head.number, high - step) < moment:
                    low = high - step + 1
                    break
                high, step = high - step, step * 2
            while low < high:
                middle = (low + high) // 2
                low, high = (
                    (middle + 1, high) if store.time_at(connection, head.number, middle) < moment else (low, middle)
                )
        return low


class LogPublisher:
    """The C2SP tlog-tiles resources of a log, up to its newest checkpoint, straight from the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def resource(self, log: str, path: str) -> bytes:
        """The bytes at `checkpoint` or `tile/…`. Raises `NotFound`, also for tiles that no checkpoint covers yet."""
        with self._database.read() as connection:
            head = store.head(connection, log)
            if path == CHECKPOINT:
                cosigned = cosigned_notes.find(connection, log)
                return cosigned.note if cosigned and cosigned.size == head.signed_size else signed_note(head)
            if path == MINIMUM:
                return b"%d\n" % head.first
            tile = Tile.parse(path)
            level = tile.level or 0
            if tile.start + tile.width > head.signed_size >> (8 * level):
                raise NotFound("There is no such tile.")
            if tile.level is None:
                require_kept(head, tile.start)
                return bundle(store.read_bundle(connection, head.number, tile.number, tile.width))
            return store.read_tile(connection, head.number, level, tile.number)[: tile.width * HASH_BYTES]


def require_kept(head: StoredHead, index: int) -> None:
    """Raises `NotFound` (pruned) for an index below the log's minimum."""
    if index < head.first:
        raise NotFound(
            f"The entries of this log below index {head.first} were pruned, as its published policy says.",
            code="pruned",
        )


def media_type(path: str) -> str:
    """The content type of a resource."""
    return _MEDIA_TYPES.get(path, "application/octet-stream")


def immutable(path: str) -> bool:
    """True when a resource may be cached for ever."""
    return path not in _MEDIA_TYPES


def signed_note(head: StoredHead) -> bytes:
    """The checkpoint of a head. Raises `Unavailable` when it was never signed."""
    if head.checkpoint is None:
        raise Unavailable("The log's first checkpoint is not signed yet; try again in a second.", code="no-checkpoint")
    return head.checkpoint


def _scanned(connection: Connection, wanted: Filter, number: int, end: int) -> int:
    """The index down to which one page looks: 50,000 entries, or as many of the person's that an index finds."""
    people = [(entries.c.actor, wanted.actor), (entries.c.subject, wanted.subject)]
    people += zip((entries.c.actor, entries.c.subject), wanted.own or (), strict=False)
    narrowed = [(column, one) for column, one in people if one is not None]
    if not narrowed:
        return end - SCANNED
    floors = []
    for column, one in narrowed:
        theirs = (entries.c.number == number, column == one, entries.c.position < end)
        query = select(entries.c.position).where(*theirs).order_by(entries.c.position.desc())
        floors.append(connection.scalar(query.offset(SCANNED - 1).limit(1)) or 0)
    return max(floors)


def _naming(identifier: str, dialect: str) -> ColumnElement[bool]:
    """Leaves that hold the id as a whole JSON text."""
    needle = literal(f'"{identifier}"'.encode(), LargeBinary)
    if dialect == "postgresql":
        return func.position(needle.op("IN")(entries.c.leaf)) > 0
    return func.instr(entries.c.leaf, needle) > 0


def _filtered(wanted: Filter, number: int, dialect: str) -> list[Select[Any]]:
    """One query, or one per index for `own`: an OR over two indexes would read the whole log."""
    query: Select[Any] = select(entries.c.position, entries.c.leaf).where(entries.c.number == number)
    for name in ("operation", "actor", "subject", "outcome"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(entries.c[name] == value)
    if wanted.since is not None:
        query = query.where(entries.c.time >= wanted.since)
    if wanted.until is not None:
        query = query.where(entries.c.time < wanted.until)
    if wanted.naming is not None:
        query = query.where(_naming(wanted.naming, dialect))
    if wanted.own is None:
        return [query]
    actor, subject = wanted.own
    mine = [query.where(entries.c.actor == actor)]
    return mine if subject is None else [*mine, query.where(entries.c.subject == subject)]
