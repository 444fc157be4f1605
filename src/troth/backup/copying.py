"""Making one backup: snapshot, log, objects; every place gets what it lacks, is read back, and then the manifest.

The manifest comes last, so an interrupted backup leaves parts without a manifest, which the next one uses or prunes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from troth.backup import homes, logs, manifest, places, rows
from troth.backup.chunks import Chunk
from troth.backup.locations import LEAST, Location
from troth.backup.logs import LogCopy
from troth.backup.manifest import OBJECTS, Index, Manifest, Part, TableCopy
from troth.backup.places import Held
from troth.backup.source import Progress, Source, quiet
from troth.kernel.errors import IntegrityError, NotFound, TrothError, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.scope import SYSTEM
from troth.keys.store import key_manifest, key_tree
from troth.storage.migrate import current
from troth.vault.store import ERASED
from troth.vault.store import objects as object_table

_BATCH = 1024  # objects in memory at once; each batch is synced
_BATCH_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup. `sent` counts bytes that the places did not have yet; `failed` names places without it."""

    manifest: Manifest
    digest: str
    places: tuple[str, ...]
    failed: tuple[str, ...]
    sent: int
    envelope: bytes = field(repr=False)

    @property
    def complete(self) -> bool:
        """True when at least two places confirmed every byte and none failed."""
        return len(self.places) >= LEAST and not self.failed


@dataclass(slots=True)
class _Taken:
    """What the snapshot gave."""

    tables: dict[str, TableCopy] = field(default_factory=dict)
    blobs: list[str] = field(default_factory=list)
    schema: str = ""
    epoch: int = 0
    key_manifest: str = ""


class Copying:
    """One run. Raises `Unavailable` (backup-nowhere) when no place takes it, `IntegrityError` for a lost object."""

    def __init__(self, source: Source, locations: Iterable[Location], progress: Progress = quiet) -> None:
        self._source = source
        self._progress = progress
        self._active: dict[str, Location] = {}
        self._present: dict[str, set[str]] = {}
        self._failed: dict[str, TrothError] = {}
        self._parts: dict[str, Part] = {}
        self._sent = 0
        for location in locations:
            try:
                homes.claim(location, source.keys())
                self._present[location.name] = set(location.store.names())
                self._active[location.name] = location
            except TrothError as error:
                self._failed[location.name] = error
        self._require_place()

    def run(self) -> Made:
        """Make the backup."""
        begun, previous = self._source.now(), self._previous()
        known = places.newest_index(previous, self._source.chunks)
        with tempfile.TemporaryDirectory(prefix="troth-backup-") as name:
            taken, spooled = self._snapshot(_Spool(Path(name)))
            self._flush(spooled)
        self._source.settle()  # every entry that stands in the snapshot's outbox is now in a log
        copies = self._logs(previous, known)
        self._objects(taken.blobs, known)
        return self._finish(previous, begun, taken, copies)

    def _previous(self) -> Held | None:
        found = [
            one
            for location in self._active.values()
            if (one := next(places.readable(location, self._source.keys()), None))
        ]
        return max(found, key=lambda one: one.manifest.file, default=None)

    def _snapshot(self, spool: _Spool) -> tuple[_Taken, _Spool]:
        """Sealed pieces of all rows in files, so that the snapshot does not wait for a slow place."""
        taken = _Taken(schema=current(self._source.database) or "")
        with rows.snapshot(self._source.database) as connection:
            for piece in rows.pieces(connection):
                chunk = self._noted(self._source.chunks.seal(piece.content))
                if not self._everywhere(chunk.name):
                    spool.add(chunk)
                before = taken.tables.get(piece.table) or TableCopy(table=piece.table, rows=0, pieces=[])
                taken.tables[piece.table] = TableCopy(
                    table=piece.table, rows=before.rows + piece.rows, pieces=[*before.pieces, chunk.name]
                )
                self._progress("database", len(taken.tables), len(rows.tables()))
            taken.blobs = _blobs(connection)
            tree = connection.execute(select(key_tree.c.epoch).order_by(key_tree.c.epoch.desc())).first()
            taken.epoch = tree.epoch if tree else 0
            newest = select(key_manifest.c.digest).where(key_manifest.c.epoch == taken.epoch)
            taken.key_manifest = str(connection.scalar(newest) or "")
        return taken, spool

    def _flush(self, spool: _Spool) -> None:
        for batch in _batches(spool.chunks()):
            self._send(batch)

    def _logs(self, previous: Held | None, known: dict[str, Part]) -> list[LogCopy]:
        before = self._logs_before(previous)
        copies: list[LogCopy] = []
        waiting: list[tuple[str, bytes]] = []
        for copy in logs.signed_logs(self._source.database):
            kept: list[str] = []
            if (old := before.get(copy.log)) is not None and old.first == copy.first:  # else its pieces hold too much
                kept = self._reused(old.bundles[: logs.full_bundles(old.checkpoint.size)], known)
            fresh = logs.bundles(self._source.database, copy, len(kept))
            chunks = (self._noted(self._source.chunks.seal(content)) for content in fresh)
            for batch in _batches((one.name, one.content) for one in chunks):
                waiting += batch
                kept += [name for name, _ in batch]
            if sum(len(content) for _, content in waiting) >= _BATCH_BYTES:
                self._send(waiting)
                waiting = []
            copies.append(LogCopy(copy.log, copy.note, tuple(kept), copy.first))
            self._progress("logs", len(copies), len(copies))
        self._send(waiting)
        return copies

    def _logs_before(self, previous: Held | None) -> dict[str, LogCopy]:
        if previous is None:
            return {}
        try:
            return {one.log: one for one in places.logs_of(previous, self._source.chunks)}
        except TrothError:
            return {}

    def _reused(self, names: tuple[str, ...], known: dict[str, Part]) -> list[str]:
        """The leading pieces that every place has already."""
        kept: list[str] = []
        for name in names:
            if name not in known or not self._everywhere(name):
                break
            self._parts[name] = known[name]
            kept.append(name)
        return kept

    def _objects(self, blobs: list[str], known: dict[str, Part]) -> None:
        done = 0
        fresh = []
        for blob in blobs:
            name = f"{OBJECTS}/{blob}"
            if name in known and self._everywhere(name):
                self._parts[name] = known[name]
                done += 1
            else:
                fresh.append(blob)
        for batch in _batches(self._read(fresh)):
            for name, content in batch:
                self._parts[name] = manifest.part(name, content)
            self._send(batch)
            done += len(batch)
            self._progress("objects", done, len(blobs))

    def _read(self, blobs: list[str]) -> Iterator[tuple[str, bytes]]:
        for blob in blobs:
            try:
                yield f"{OBJECTS}/{blob}", self._source.objects.get(blob)
            except NotFound:
                self._require_erased(blob)

    def _require_erased(self, blob: str) -> None:
        """An object may be erased while the backup runs; one that is gone without that is an alarm."""
        row = select(object_table.c.id).where(object_table.c.blob == blob, object_table.c.state != ERASED)
        with self._source.database.read(SYSTEM) as connection:
            if connection.execute(row).first() is not None and not self._there_now(blob):
                raise IntegrityError("An object that the database lists is not in the store.", code="object-missing")

    def _there_now(self, blob: str) -> bool:
        try:
            return bool(self._source.objects.get(blob))
        except NotFound:
            return False

    def _finish(self, previous: Held | None, begun: int, taken: _Taken, copies: list[LogCopy]) -> Made:
        listed = self._noted(self._source.chunks.seal(logs.index(copies)))
        parts = sorted(self._parts.values(), key=lambda one: one.name)
        chunks = [self._source.chunks.seal(piece) for piece in manifest.index_pieces(parts)]
        self._send([(one.name, one.content) for one in (listed, *chunks)])
        pieces = [manifest.part(one.name, one.content) for one in chunks]
        operator = next((one.note.decode() for one in copies if one.log == logs.OPERATOR), "")
        document = Manifest(
            id=new_id("bak"),
            made_at=self._source.now(),
            begun_at=begun,
            tool=self._source.tool,
            installation=self._source.signer.name,
            jurisdiction=self._source.jurisdiction,  # type: ignore[arg-type]  # checked by the model
            previous=previous.digest if previous else None,
            schema_revision=taken.schema,
            tables=list(taken.tables.values()),
            logs=[listed.name],
            checkpoint=operator,
            epoch=taken.epoch,
            key_manifest=taken.key_manifest,
            index=Index(parts=len(parts), root=manifest.root_of(parts), pieces=pieces),
            objects=sum(part.name.startswith(f"{OBJECTS}/") for part in parts),
            bytes=sum(part.size for part in parts),
        )
        envelope = manifest.sign(document, self._source.signer)
        self._send([(document.file, envelope)])
        active = tuple(self._active)
        return Made(document, manifest.digest_of(envelope), active, tuple(self._failed), self._sent, envelope)

    def _noted(self, chunk: Chunk) -> Chunk:
        self._parts[chunk.name] = manifest.part(chunk.name, chunk.content)
        return chunk

    def _everywhere(self, name: str) -> bool:
        return all(name in self._present[one] for one in self._active)

    def _send(self, items: list[tuple[str, bytes]]) -> None:
        """Give every place what it lacks, and read it back; a place that fails is left out from then on."""
        for location in list(self._active.values()):
            present = self._present[location.name]
            missing = [(name, content) for name, content in items if name not in present]
            try:
                if missing:
                    location.store.create_all(missing)
                    confirm(location, missing)
            except TrothError as error:
                self._failed[location.name] = error
                del self._active[location.name]
                self._require_place()
                continue
            present.update(name for name, _ in missing)
            self._sent += sum(len(content) for _, content in missing)

    def _require_place(self) -> None:
        if not self._active:
            raise Unavailable("No backup location can be written; nothing was backed up.", code="backup-nowhere") from (
                next(iter(self._failed.values()), None)
            )


class _Spool:
    """Sealed pieces in a private temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []

    def add(self, chunk: Chunk) -> None:
        """Keep a piece. Raises `Unavailable` on a full disk."""
        try:
            (self._folder / str(len(self._names))).write_bytes(chunk.content)
        except OSError as error:
            raise Unavailable("There is no room for the copy of the database.", code="backup-room") from error
        self._names.append(chunk.name)

    def chunks(self) -> Iterator[tuple[str, bytes]]:
        """Every piece, one at a time."""
        for at, name in enumerate(self._names):
            yield name, (self._folder / str(at)).read_bytes()


def _blobs(connection: Connection) -> list[str]:
    """Ciphertext of everything that is not erased, in the snapshot."""
    listed = select(object_table.c.blob).where(object_table.c.blob.is_not(None), object_table.c.state != ERASED)
    return sorted(str(blob) for blob in connection.scalars(listed))


def confirm(location: Location, items: Iterable[tuple[str, bytes]]) -> None:
    """Raises `IntegrityError` (backup-read-back) unless a place gives back what it was given."""
    for name, content in items:
        if location.store.get(name, len(content)) != content:
            raise IntegrityError("A backup location did not keep what it was given.", code="backup-read-back")


def _batches(items: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item[1])
        if len(batch) == _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
