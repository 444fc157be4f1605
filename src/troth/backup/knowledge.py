"""What is known today, gathered before a restore: the newest ledger, the newest log, every copy of the key tree.

The living database knows best. When it is lost, the copies of the key domains, the mirror of the log and the newest
backup stand in for it, and the guard beside the keys says how new they must be.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from troth.audit.checkpoint import open_checkpoint
from troth.audit.guard import blob_name
from troth.audit.origins import Origins
from troth.backup import logs, places, rows, shipping
from troth.backup.chunks import Chunks
from troth.backup.locations import Location
from troth.backup.logs import LogCopy
from troth.backup.places import Held
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


def gather(remains: Remains, restored: Database, scratch: Path) -> Knowledge:
    """Everything that is known. `scratch` is a private folder, `restored` the database with the backup's rows.

    Raises `IntegrityError` (tree-rolled-back) when no key tree opens with today's roots, `Unavailable` when a root's
    provider is away.
    """
    ledger = remains.live if remains.live and _answers(remains.live) else None
    if ledger is None:
        ledger = _loaded(remains.newest, remains.chunks, scratch)
    jurisdiction = remains.jurisdiction
    kept = [_in_database(ledger, jurisdiction)]
    kept += [recovery.kept_in_copies(domain.blobs, jurisdiction) for domain in remains.domains]
    kept += [shipping.shipped(location) for location in remains.places]
    kept.append(_in_database(restored, jurisdiction))
    tree = recovery.find(kept, [domain.root for domain in remains.domains], jurisdiction)
    return Knowledge(tree, ledger, ledger is remains.live, dict(_logs(remains)), _signed(remains))


def _answers(database: Database) -> bool:
    """True when the key tables and the ledger of a database can be read."""
    try:
        with database.read(SYSTEM) as connection:
            for name in ("key_tree", "erasure", "vault_object"):
                connection.execute(metadata.tables[name].select().limit(1)).first()
        return True
    except (TrothError, SQLAlchemyError):
        return False


def _loaded(held: Held, chunks: Chunks, scratch: Path) -> Database:
    """The rows of a backup in a scratch database."""
    database = Database(f"sqlite:///{scratch / 'newest.db'}")
    metadata.create_all(database.engine)
    load_rows(database, held, chunks)
    return database


def load_rows(database: Database, held: Held, chunks: Chunks) -> int:
    """Put the rows of a backup into an empty schema, in one transaction; how many."""
    parts = places.parts_of(held, chunks)
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


def _logs(remains: Remains) -> Iterator[tuple[str, Entries]]:
    """For each log the longest copy that leads to a root which we signed."""
    copied = {one.log: one for one in places.logs_of(remains.newest, remains.chunks)}
    for log in sorted({*copied, *_guarded(remains.guard)}):
        attempts: list[Callable[[], Entries]] = []
        if remains.mirror is not None:
            for store in (remains.guard, remains.mirror):
                attempts.append(partial(_mirrored, remains, store, log))
        if log in copied:
            attempts.append(partial(_from_backup, remains, copied[log]))
        found = []
        for attempt in attempts:
            with contextlib.suppress(NotFound, IntegrityError, Unavailable):
                found.append(attempt())
        if found:
            yield log, max(found, key=lambda one: one[0].checkpoint.size)


def _mirrored(remains: Remains, signed_in: BlobStore, log: str) -> Entries:
    """The log as the mirror beside the data has it, up to the checkpoint that `signed_in` remembers."""
    assert remains.mirror is not None
    mirror = remains.mirror
    note = signed_in.get(blob_name(log, "checkpoint"))
    open_checkpoint(note, remains.origins.key(log))
    copy = LogCopy(log, note)
    return copy, logs.mirrored(copy, lambda path: mirror.get(blob_name(log, path)))


def _from_backup(remains: Remains, copy: LogCopy) -> Entries:
    open_checkpoint(copy.note, remains.origins.key(copy.log))
    store = remains.newest.location.store
    return copy, logs.leaves(copy, lambda name: remains.chunks.open(name, store.get(name)))


def _guarded(guard: BlobStore) -> set[str]:
    return {name.split("/")[1] for name in guard.names("tlog/") if name.endswith("/checkpoint")}


def _signed(remains: Remains) -> dict[str, int]:
    """Raises `IntegrityError` for a checkpoint beside the keys that is not ours."""
    sizes: dict[str, int] = {}
    for log in _guarded(remains.guard):
        note = remains.guard.get(blob_name(log, "checkpoint"))
        sizes[log] = open_checkpoint(note, remains.origins.key(log)).size
    return sizes
