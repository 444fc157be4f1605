"""What is known today, gathered before a restore: the newest ledger, the newest log, every copy of the key tree.

The living database knows best. When it is lost, the copies of the key domains, the mirror of the log and the newest
backup stand in for it, and the guard beside the keys says how new they must be.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from troth.audit.checkpoint import open_checkpoint
from troth.audit.guard import blob_name
from troth.audit.origins import Origins
from troth.backup import logs, places, rows, shipping, tails
from troth.backup.chunks import LARGEST_PIECE, Chunks
from troth.backup.locations import Location
from troth.backup.logs import LogCopy
from troth.backup.manifest import Part
from troth.backup.places import Held
from troth.backup.tails import HeldTail, LogTail
from troth.kernel.errors import IntegrityError, NotFound, TrothError, Unavailable
from troth.kernel.scope import SYSTEM
from troth.keys import recovery
from troth.keys.domains import Domain
from troth.keys.recovery import Found, Kept
from troth.storage.blobs import BlobStore
from troth.storage.database import Database, metadata

Entries = tuple[LogCopy, list[bytes]]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Today, as far as it can be seen."""

    tree: Found
    ledger: Database
    living: bool
    """The ledger is the living database's, so nothing newer is known anywhere."""
    logs: dict[str, Entries] = field(repr=False)
    signed: dict[str, int]
    """The size at which each log was signed last, as the guard beside the keys remembers it."""


@dataclass(frozen=True, slots=True)
class Remains:
    """Where to look. `live` is the living database, None when it is lost; `newest` the newest backup there is."""

    domains: Sequence[Domain]
    jurisdiction: str
    chunks: Chunks
    origins: Origins
    guard: BlobStore
    mirror: BlobStore | None
    live: Database | None
    newest: Held
    places: Sequence[Location] = ()
    keys: Mapping[str, bytes] = field(default_factory=dict)
    """Who may have signed a tail."""
    far: BlobStore | None = None
    """The mirror of the logs in a second region, which has every entry that was ever signed."""

    def tail(self) -> HeldTail | None:
        """The newest tail after the newest backup of which a place has every piece."""
        found = [one for place in self.places if (one := tails.newest(place, self.keys))]
        for one in sorted(found, key=lambda one: one.tail.file, reverse=True):
            if one.tail.made_at > self.newest.manifest.made_at and one.whole(self.chunks):
                return one
        return None


def gather(remains: Remains, restored: Database, scratch: Path) -> Knowledge:
    """Everything that is known. `scratch` is a private folder, `restored` the database with the backup's rows.

    Raises `IntegrityError` (tree-rolled-back) when no key tree opens with today's roots, `Unavailable` when a root's
    provider is away.
    """
    ledger = remains.live if remains.live and _answers(remains.live) else None
    tail = remains.tail()
    if ledger is None:
        ledger = _loaded(remains, tail, scratch)
    jurisdiction = remains.jurisdiction
    kept = [_in_database(ledger, jurisdiction)]
    kept += [recovery.kept_in_copies(domain.blobs, jurisdiction) for domain in remains.domains]
    kept += [shipping.shipped(location) for location in remains.places]
    kept.append(_in_database(restored, jurisdiction))
    tree = recovery.find(kept, [domain.root for domain in remains.domains], jurisdiction)
    return Knowledge(tree, ledger, ledger is remains.live, dict(_logs(remains, tail)), _signed(remains))


def _answers(database: Database) -> bool:
    """True when the key tables and the ledger of a database can be read."""
    try:
        with database.read(SYSTEM) as connection:
            for name in ("key_tree", "erasure", "vault_object"):
                connection.execute(metadata.tables[name].select().limit(1)).first()
        return True
    except (TrothError, SQLAlchemyError):
        return False


def _loaded(remains: Remains, tail: HeldTail | None, scratch: Path) -> Database:
    """The rows of the newest backup in a scratch database, brought up to the tail after it."""
    held, chunks = remains.newest, remains.chunks
    database = Database(f"sqlite:///{scratch / 'newest.db'}")
    metadata.create_all(database.engine)
    load_rows(database, held, chunks, places.parts_of(held, chunks))
    if tail is not None and tail.tail.since <= tails.begun(held.manifest):
        with database.write(SYSTEM) as connection:
            tails.apply(connection, [tail.piece(name, chunks) for name in tail.tail.rows])
    return database


def load_rows(database: Database, held: Held, chunks: Chunks, parts: Mapping[str, Part]) -> int:
    """Put the rows of a backup into an empty schema, in one transaction; how many."""
    count = 0
    with database.write(SYSTEM) as connection:
        rows.clear(connection)
        for table in rows.tables():
            copy = next((one for one in held.manifest.tables if one.table == table.name), None)
            for name in copy.pieces if copy else ():
                count += rows.put(connection, table.name, places.piece(held.location, parts[name], chunks))
        rows.number_on(connection)
    return count


def _in_database(database: Database, jurisdiction: str) -> Kept:
    try:
        with database.read(SYSTEM) as connection:
            return recovery.kept_in_database(connection, jurisdiction)
    except (IntegrityError, SQLAlchemyError):
        return Kept()


def _logs(remains: Remains, tail: HeldTail | None) -> Iterator[tuple[str, Entries]]:
    """For each log the longest copy that leads to a root which we signed."""
    copied = {one.log: one for one in places.logs_of(remains.newest, remains.chunks)}
    ends = _ends(remains, tail)
    for log in sorted({*copied, *ends, *_guarded(remains.guard)}):
        attempts: list[Callable[[], Entries]] = []
        for mirror in (remains.mirror, remains.far):
            if mirror is not None:
                attempts += [partial(_mirrored, remains, store, mirror, log) for store in (remains.guard, mirror)]
        if tail is not None and log in ends:
            attempts.append(partial(_from_tail, remains, tail, ends[log], copied.get(log)))
        if log in copied:
            attempts.append(partial(_from_backup, remains, copied[log]))
        found = []
        for attempt in attempts:
            with contextlib.suppress(NotFound, IntegrityError, Unavailable):
                found.append(attempt())
        if found:
            yield log, max(found, key=lambda one: (one[0].checkpoint.size, -logs.first_kept(one[1])))


def _ends(remains: Remains, tail: HeldTail | None) -> dict[str, LogTail]:
    """The logs of a tail; none when it does not hold."""
    if tail is None:
        return {}
    try:
        return {one.log: one for one in tails.read_index(tail.piece(tail.tail.logs, remains.chunks))}
    except IntegrityError:
        return {}


def _from_tail(remains: Remains, tail: HeldTail, end: LogTail, before: LogCopy | None) -> Entries:
    open_checkpoint(end.note, remains.origins.key(end.log))
    store = remains.newest.location.store
    read = partial(_piece, store, remains.chunks)
    return tails.entries(tail, end, before, read, remains.chunks)


def _piece(store: BlobStore, chunks: Chunks, name: str) -> bytes:
    return chunks.open(name, store.get(name, LARGEST_PIECE))


def _mirrored(remains: Remains, signed_in: BlobStore, mirror: BlobStore, log: str) -> Entries:
    """The log as a mirror has it, up to the checkpoint that `signed_in` remembers."""
    note = signed_in.get(blob_name(log, "checkpoint"))
    open_checkpoint(note, remains.origins.key(log))
    copy = LogCopy(log, note)
    return copy, logs.mirrored(copy, lambda path: mirror.get(blob_name(log, path)))


def _from_backup(remains: Remains, copy: LogCopy) -> Entries:
    open_checkpoint(copy.note, remains.origins.key(copy.log))
    store = remains.newest.location.store
    return copy, logs.leaves(copy, partial(_piece, store, remains.chunks))


def _guarded(guard: BlobStore) -> set[str]:
    return {name.split("/")[1] for name in guard.names("tlog/") if name.endswith("/checkpoint")}


def _signed(remains: Remains) -> dict[str, int]:
    """Raises `IntegrityError` for a checkpoint beside the keys that is not ours."""
    sizes: dict[str, int] = {}
    for log in _guarded(remains.guard):
        note = remains.guard.get(blob_name(log, "checkpoint"))
        sizes[log] = open_checkpoint(note, remains.origins.key(log)).size
    return sizes
