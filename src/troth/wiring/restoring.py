"""Restores an installation of which nothing but keys and backups may be left, and puts it in the place of the old."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from troth.audit.checkpoint import Checkpoint
from troth.audit.note import parse_note
from troth.audit.origins import Origins
from troth.backup import locations, places
from troth.backup.backups import SERVICE
from troth.backup.chunks import Chunks
from troth.backup.locations import Location
from troth.backup.logs import OPERATOR
from troth.backup.places import Held
from troth.backup.restoring import Restored, Restoring
from troth.backup.source import Progress, quiet
from troth.backup.switching import stopped, switch
from troth.backup.verifying import Verifying
from troth.kernel.clock import SystemClock, epoch_ms
from troth.kernel.errors import Conflict, IntegrityError, NotFound, TrothError, Unavailable
from troth.kernel.record import Entry, Outcome
from troth.keys.domain_choice import domains_of
from troth.keys.secrets import Secrets
from troth.keys.signing import LocalSigner
from troth.settings.load import Settings
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.wiring import opened
from troth.wiring.backup import NOWHERE, PIECES, Eyes, Target

RESTORED = "backup.restored"


@dataclass(frozen=True, slots=True)
class Remaining:
    """An installation as far as it is left: keys and backups at least. `live` is None when its database is lost."""

    settings: Settings
    places: Sequence[Location]
    verifying: Verifying
    keys: dict[str, bytes]
    live: Database | None
    restoring: Callable[[Held], Restoring]


@contextmanager
def remaining(settings: Settings, target: Target = NOWHERE) -> Iterator[Remaining]:
    """What a restore can stand on; nothing of the installation is made or changed.

    `target` is an empty PostgreSQL database to restore into. Raises `NotFound` without a keys folder.
    """
    data = settings.data
    if not (data.keys / "secrets").is_dir() or not (data.keys / "signing").is_dir():
        raise NotFound("The keys folder is not there; without it no backup opens. Set TROTH_DATA__KEYS.")
    chunks = Chunks(Secrets.open(data.keys / "secrets").named(PIECES))
    signer = LocalSigner.open(data.keys / "signing", settings.server.name)
    origins = Origins.of(signer, settings.server.name)
    live = _living(settings)
    mirror = LocalBlobs(data.folder / "log") if (data.folder / "log").is_dir() else None
    guard = LocalBlobs(data.keys / "log-guard")
    places = locations.opened(locations.configured(settings.backup, data), settings.backup.keep_days)
    seen = Eyes(settings, chunks, signer, tuple(domains_of(settings.keys, data)), origins, lambda: places, target)
    keys = {signer.name: signer.public_key}
    try:
        yield Remaining(
            settings,
            places,
            seen.verifying(),
            keys,
            live,
            lambda newest: seen.restoring(newest, live, mirror, guard, SystemClock()),
        )
    finally:
        if live is not None:
            live.close()


@dataclass(frozen=True, slots=True)
class Wish:
    """Which backup (None: the newest), from which place (None: the first that holds it whole), and what is accepted."""

    backup: str | None = None
    place: str | None = None
    accept_lost_log: bool = False


@dataclass(frozen=True, slots=True)
class WentLive:
    """An installation that was replaced; `aside` is where the old data folder is now, None when there was none."""

    restored: Restored
    aside: Path | None
    cut: dict[str, int]


def restore(left: Remaining, folder: Path, wish: Wish, progress: Progress = quiet) -> Restored:
    """Restore into `folder`, from the first place that holds the backup whole. Raises as `Restoring.into`."""
    newest, candidates = _candidates(left, wish)
    failure: TrothError | None = None
    for held in candidates:
        try:
            return left.restoring(newest).into(folder, held, progress, accept_lost_log=wish.accept_lost_log)
        except (IntegrityError, Unavailable) as error:
            if not error.code.startswith(("backup-", "store-")):
                raise
            failure = error  # this place does not hold it; the next may
    raise failure or NotFound("There is no such backup; 'troth backup list' shows them.")


def go_live(settings: Settings, wish: Wish, progress: Progress = quiet) -> WentLive:
    """Restore beside the data folder, then swap the two; the server must be stopped.

    Raises `Conflict` (still-running), `Unavailable` (database-elsewhere) for PostgreSQL, and as `restore`.
    """
    if settings.data.database_url:
        raise Unavailable(
            "A PostgreSQL installation goes live by its settings: restore with --database-url into an empty database, "
            "then set TROTH_DATA__DATABASE_URL and TROTH_DATA__FOLDER.",
            code="database-elsewhere",
        )
    data = settings.data
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder, aside = (data.folder.with_name(f"{data.folder.name}.{what}-{stamp}") for what in ("restored", "before"))
    with remaining(settings) as left:
        with stopped(left.live):
            pass  # refused here, before anything is touched
        _finish_what_waits(settings, left)
        with stopped(left.live):
            restored = restore(left, folder, wish, progress)
            cut = yield_log(left, folder) if wish.accept_lost_log else {}
        if left.live is not None:
            left.live.close()
        old = switch(folder, data.folder, aside)
    _take_up(settings, restored)
    return WentLive(restored, old, cut)


def _candidates(left: Remaining, wish: Wish) -> tuple[Held, list[Held]]:
    found: list[Held] = []
    away: TrothError | None = None
    for location in left.places:
        try:
            found += places.readable(location, left.keys)
        except Unavailable as error:
            away = error
    if not found:
        raise away or NotFound("There is no backup in any place.", code="no-backup")
    newest = max(found, key=lambda one: one.manifest.file)
    wanted = wish.backup or newest.manifest.id
    mine = [one for one in found if one.manifest.id == wanted and wish.place in (None, one.location.name)]
    return newest, mine


def _finish_what_waits(settings: Settings, left: Remaining) -> None:
    """Whatever the old installation still had to write into its log, as far as it works at all."""
    if left.live is not None:
        with contextlib.suppress(TrothError, SQLAlchemyError), opened(settings):
            pass


def _take_up(settings: Settings, restored: Restored) -> None:
    """The first start of the restored installation: copies of the key tree in every domain, fresh roots, a record."""
    with opened(settings) as troth:
        base = troth.system.base
        base.tree.replicate()
        base.outbox.record(
            Entry(
                log=OPERATOR,
                operation=RESTORED,
                phase="event",
                outcome=Outcome.DONE,
                request=restored.verified.backup,
                actor=SERVICE,
                tenant=None,
                time=epoch_ms(base.clock.now()),
                facts={
                    "backup": restored.verified.backup,
                    "digest": restored.verified.digest,
                    "objects": restored.objects,
                    "counts": {
                        "people": len(restored.replayed.people),
                        "units": restored.replayed.units,
                        "lost-entries": restored.behind,
                    },
                },
            )
        )


def _living(settings: Settings) -> Database | None:
    """The database of the installation, when it can be opened at all."""
    data = settings.data
    if data.database_url is None and not (data.folder / "troth.db").exists():
        return None
    database = Database(data.database_url or f"sqlite:///{data.folder / 'troth.db'}")
    try:
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1").one()
    except (SQLAlchemyError, TrothError):
        database.close()
        return None
    return database


def yield_log(left: Remaining, folder: Path) -> dict[str, int]:
    """Let the guard beside the keys accept restored logs that end earlier than what it remembers; by how much.

    Called once an operator said so. What the guard remembered is kept aside as evidence: whoever holds one of the
    later checkpoints can show that the log was cut.
    """
    guard, mirror = LocalBlobs(left.settings.data.keys / "log-guard"), LocalBlobs(folder / "log")
    cut: dict[str, int] = {}
    for name in [one for one in guard.names("tlog/") if one.endswith("/checkpoint")]:
        was = guard.get(name)
        size = _size(was)
        try:
            now: bytes | None = mirror.get(name)
        except NotFound:
            now = None
        if now is not None and _size(now) >= size:
            continue
        with contextlib.suppress(Conflict):
            guard.create(f"cut/{name.split('/')[1]}/{size}", was)
        if now is None:
            guard.delete(name)
        else:
            guard.swap(name, now, hashlib.sha256(was).hexdigest())
        cut[name.split("/")[1]] = size - (_size(now) if now else 0)
    return cut


def _size(note: bytes) -> int:
    return Checkpoint.parse(parse_note(note).text).size
