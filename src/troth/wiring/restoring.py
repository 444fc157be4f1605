"""Restores an installation of which nothing but keys and backups may be left, and puts it in the place of the old."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from troth.audit.checkpoint import Checkpoint
from troth.audit.note import parse_note
from troth.audit.origins import Origins
from troth.backup import locations, places
from troth.backup.chunks import Chunks
from troth.backup.locations import Location
from troth.backup.places import Held
from troth.backup.restoring import NO_LOSS, Accepting, Restored, Restoring
from troth.backup.source import Progress, quiet
from troth.backup.verifying import Verifying
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Conflict, IntegrityError, NotFound, TrothError, Unavailable
from troth.keys.domain_choice import domains_of
from troth.keys.secrets import Secrets
from troth.keys.signing import LocalSigner
from troth.settings.load import Settings
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.wiring.backup import NOWHERE, PIECES, Eyes, Target
from troth.wiring.log_places import far_mirror, guard_of


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
    guard = guard_of(data)
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
    accepting: Accepting = NO_LOSS


def restore(left: Remaining, folder: Path, wish: Wish, progress: Progress = quiet) -> Restored:
    """Restore into `folder`, from the first place that holds the backup whole. Raises as `Restoring.into`."""
    newest, candidates = _candidates(left, wish)
    failure: TrothError | None = None
    for held in candidates:
        try:
            return left.restoring(newest).into(folder, held, progress, accepting=wish.accepting)
        except (IntegrityError, Unavailable) as error:
            if not error.code.startswith(("backup-", "store-")):
                raise
            failure = error  # this place does not hold it; the next may
    raise failure or NotFound("There is no such backup; 'troth backup list' shows them.")


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
    """Let what remembers signatures accept restored logs that end earlier than what it remembers; by how much.

    Called once an operator said so. What was remembered is kept aside as evidence: whoever holds one of the later
    checkpoints can show that the log was cut. The mirror in the second region gives up such a log, and is filled anew.
    """
    guard, mirror, far = guard_of(left.settings.data), LocalBlobs(folder / "log"), far_mirror(left.settings)
    cut: dict[str, int] = {}
    for store in (guard, far) if far is not None else (guard,):
        for name in [one for one in store.names("tlog/") if one.endswith("/checkpoint")]:
            log, was = name.split("/")[1], store.get(name)
            now = _checkpoint(mirror, name)
            if now is not None and _size(now) >= _size(was):
                continue
            with contextlib.suppress(Conflict):
                store.create(f"cut/{log}/{_size(was)}", was)
            if now is not None and store is guard:
                store.swap(name, now, hashlib.sha256(was).hexdigest())
            else:
                store.delete_all(list(store.names(f"tlog/{log}/")))
            cut[log] = max(cut.get(log, 0), _size(was) - (_size(now) if now else 0))
    return cut


def _checkpoint(mirror: LocalBlobs, name: str) -> bytes | None:
    try:
        return mirror.get(name)
    except NotFound:
        return None


def _size(note: bytes) -> int:
    return Checkpoint.parse(parse_note(note).text).size
