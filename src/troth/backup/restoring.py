"""Putting a backup together again in quarantine: verified, written, brought up to today, probed; only then it counts.

Everything happens in a folder of its own; the restored folder appears under its name in one step, when every probe has
passed. Interrupted at any point it leaves an unfinished folder, which the next attempt empties and begins anew.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from troth.audit.guard import blob_name
from troth.audit.tiles import CHECKPOINT
from troth.backup import logs, places
from troth.backup.comparing import Compared, compared
from troth.backup.knowledge import Knowledge, Remains, gather, load_rows
from troth.backup.lost_ledger import Accepted
from troth.backup.manifest import OBJECTS, Part
from troth.backup.places import Held
from troth.backup.probing import Probed, Probing
from troth.backup.quarantine import Quarantine
from troth.backup.replaying import Replayed, replay
from troth.backup.source import Progress, quiet
from troth.backup.verifying import Verified, Verifying
from troth.kernel.errors import Conflict, IntegrityError, Unavailable
from troth.kernel.scope import SYSTEM
from troth.storage.database import metadata
from troth.storage.private import private_folder

PART = ".part"  # ends the name of an unfinished restore
_OURS = "unfinished-restore"  # the file that says so: a folder without it is somebody else's
_SPARE = 1.1  # room that must be free, in sizes of the backup


@dataclass(frozen=True, slots=True)
class Accepting:
    """What a restore may go on without: signed entries of the log; what erasures took that only the log knows."""

    lost_log: bool = False
    lost_erasures: Accepted | None = None


NO_LOSS = Accepting()


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore that passed. `behind` counts log entries that were signed and are nowhere to be found.

    `compared` is None when the living ledger is lost.
    """

    verified: Verified
    rows: int
    objects: int
    bytes: int
    replayed: Replayed
    probed: Probed
    compared: Compared | None
    behind: int


@dataclass(frozen=True, slots=True)
class Restoring:
    """Restores backups. `opened` builds an installation on an empty folder without starting it."""

    remains: Remains
    verifying: Verifying
    opened: Callable[[Path], Quarantine]
    now: Callable[[], int]

    def into(self, folder: Path, held: Held, progress: Progress = quiet, *, accepting: Accepting = NO_LOSS) -> Restored:
        """Restore `held` into `folder`, which must not exist.

        Raises `Conflict` (not-clean) when it does, or its `.part` is no restore's; `IntegrityError`: the backup does
        not hold, an erased unit opens (erased-opens), a live one does not (live-unreadable), ledger or log are older
        than what was signed (ledger-behind, log-behind), unless that is `accepting`; `Unavailable` without room or
        roots.
        """
        if folder.exists():
            raise Conflict("The folder to restore into exists already; name a new one.", code="not-clean")
        work = folder.with_name(folder.name + PART)
        _begin(work)
        with ExitStack() as unfinished:
            unfinished.callback(_discard, work)  # nothing half-restored stays readable
            try:
                self._require_room(work, held)
                restored = self._restored(work, held, progress, accepting)
            except OSError as error:
                raise Unavailable(
                    "The restore cannot write here; make room and start it again.", code="restore-room"
                ) from error
            unfinished.pop_all()
        work.rename(folder)
        (folder / _OURS).unlink(missing_ok=True)
        return restored

    def _require_room(self, work: Path, held: Held) -> None:
        if shutil.disk_usage(work).free < held.manifest.bytes * _SPARE:
            raise Unavailable("There is not enough room for the restore.", code="restore-room")

    def _restored(self, work: Path, held: Held, progress: Progress, accepting: Accepting) -> Restored:
        verified = self.verifying.verified(held, progress)
        quarantine = self.opened(work)
        try:
            with tempfile.TemporaryDirectory(prefix="troth-restore-") as scratch:
                parts = places.parts_of(held, self.remains.chunks)
                rows = load_rows(quarantine.database, held, self.remains.chunks, parts)
                today = gather(self.remains, quarantine.database, Path(scratch))
                behind = _behind(today)
                if behind and not accepting.lost_log:
                    raise _log_behind(behind)
                replayed = self._brought_up(quarantine, today, accepting.lost_erasures)
                objects, size = self._objects(quarantine, held, parts, progress)
                probed = Probing(quarantine, today, held, parts).probe(progress)
                beside = compared(today.ledger, quarantine.database, parts, replayed.people) if today.living else None
                if not today.living:
                    today.ledger.close()
        finally:
            quarantine.close()
        return Restored(verified, rows, objects, size, replayed, probed, beside, behind)

    def _brought_up(self, quarantine: Quarantine, today: Knowledge, accepted: Accepted | None) -> Replayed:
        """Ledger, key tree and log of today; then every holder forgets whom the backup still knows."""
        roots = [domain.root for domain in self.remains.domains]
        replayed = replay(quarantine.database, today, roots, self.now(), accepted)
        logs.put(quarantine.database, today.logs, self.now())
        if logs.OPERATOR in today.logs:
            quarantine.rebuild(today.logs[logs.OPERATOR][1])
        for log, (copy, entries) in today.logs.items():
            for path, content in logs.resources(entries):
                quarantine.mirror.create(blob_name(log, path), content)
            quarantine.mirror.create(blob_name(log, CHECKPOINT), copy.note)
        for tenant, subject in replayed.people:
            for holder in quarantine.holders:
                holder.forget(tenant, subject)
        return replayed

    def _objects(
        self, quarantine: Quarantine, held: Held, parts: Mapping[str, Part], progress: Progress
    ) -> tuple[int, int]:
        """The ciphertext of what is live today; of the rest not a byte is written."""
        table = metadata.tables["vault_object"]
        alive = select(table.c.blob).where(table.c.blob.is_not(None), table.c.state.in_(("live", "closed")))
        with quarantine.database.read(SYSTEM) as connection:
            wanted = sorted(str(blob) for blob in connection.scalars(alive))
        missing = [blob for blob in wanted if f"{OBJECTS}/{blob}" not in parts]
        if missing:
            raise IntegrityError("The backup lacks objects that its rows list.", code="backup-part")
        chosen = [parts[f"{OBJECTS}/{blob}"] for blob in wanted]
        quarantine.objects.create_all(self._contents(held, chosen, progress))
        return len(wanted), sum(part.size for part in chosen)

    def _contents(self, held: Held, chosen: list[Part], progress: Progress) -> Iterator[tuple[str, bytes]]:
        """Each is compared with the manifest once more: what is written is what was signed."""
        for done, (part, content) in enumerate(places.contents(held.location, chosen), 1):
            if isinstance(content, IntegrityError):
                raise content
            progress("objects", done, len(chosen))
            yield part.name.removeprefix(f"{OBJECTS}/"), content


def _begin(work: Path) -> None:
    """An empty folder that says whose it is. Raises `Conflict` for one that is not a restore's."""
    ours = work.is_dir() and ((work / _OURS).is_file() or not any(work.iterdir()))
    if work.is_symlink() or (work.exists() and not ours):
        raise Conflict(
            "Beside it lies something of that name with '.part', which no restore made; move it, or name another "
            "folder.",
            code="not-clean",
        )
    _discard(work)
    private_folder(work)
    (work / _OURS).touch()


def _discard(work: Path) -> None:
    """Everything of an unfinished restore; what says whose it is goes last."""
    with contextlib.suppress(OSError):
        for path in work.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _OURS:
                path.unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)


def _behind(today: Knowledge) -> int:
    """How many entries were signed that no copy of the logs has."""
    have = {log: copy.checkpoint.size for log, (copy, _) in today.logs.items()}
    return sum(max(0, size - have.get(log, 0)) for log, size in today.signed.items())


def _log_behind(behind: int) -> IntegrityError:
    return IntegrityError(
        f"The newest log that is left lacks {behind} entries that were signed, so the ledger may be older than an "
        "erasure; nothing goes live. Find the log folder or a newer backup.",
        code="log-behind",
    )
