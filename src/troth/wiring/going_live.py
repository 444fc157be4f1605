"""Restoring beside the living installation and putting the result in its place; the server is stopped meanwhile.

A folder takes the other's name in one step of the file system, a PostgreSQL database in one transaction. Both together
are two steps: a note beside the data folder says what is meant, the next attempt finishes it, and no server starts
before.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from troth.backup.backups import SERVICE
from troth.backup.logs import OPERATOR
from troth.backup.restoring import Restored
from troth.backup.source import Progress, quiet
from troth.backup.switching import mark, stopped, switch
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import IntegrityError, TrothError, Unavailable
from troth.kernel.record import Entry, Fact, Outcome
from troth.settings.load import Settings
from troth.settings.sections import Data
from troth.storage.databases import Databases, named, renamed, role
from troth.storage.durable import write_file
from troth.wiring import opened
from troth.wiring.backup import NOWHERE, Target, half_live
from troth.wiring.restoring import Remaining, Wish, remaining, restore, yield_log

RESTORED, ACCEPTED = "backup.restored", "backup.loss-accepted"


@dataclass(frozen=True, slots=True)
class WentLive:
    """An installation that was replaced. `aside` is where the old data folder is now, `database` what the old
    PostgreSQL database is called now; None when there was none. `left` names folders and databases of attempts that
    were cut off: they hold restored data that nobody uses."""

    restored: Restored
    aside: Path | None
    cut: dict[str, int]
    database: str | None = None
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Meant:
    """What goes where: folders by path, databases by name (empty on SQLite)."""

    folder: str
    folder_aside: str
    fresh: str = ""
    live: str = ""
    aside: str = ""


def go_live(settings: Settings, wish: Wish, progress: Progress = quiet, *, admin_url: str | None = None) -> WentLive:
    """Restore beside the data folder, and on PostgreSQL into a fresh database beside the living one, then swap.

    `admin_url` reaches the PostgreSQL server as a role that may create databases. Raises `Conflict` (still-running),
    `Unavailable` (database-elsewhere) on PostgreSQL without it, and as `restore`.
    """
    data = settings.data
    if data.database_url and admin_url is None:
        raise Unavailable(
            "To go live on PostgreSQL a database must be made and renamed: name a role that may with "
            "--database-admin-url. Or restore with --database-url into an empty database of your own, then set "
            "TROTH_DATA__DATABASE_URL and TROTH_DATA__FOLDER.",
            code="database-elsewhere",
        )
    databases = Databases(admin_url) if data.database_url and admin_url else None
    _finish_half(data, databases)
    meant = _meant(data)
    with remaining(settings) as left:
        with stopped(left.live):
            pass  # refused here, before anything is touched
        _finish_what_waits(settings, left)
    with ExitStack() as undo:
        if databases is not None:
            undo.callback(databases.drop, meant.fresh)  # nothing half-restored stays readable
        with remaining(settings, _made(data, databases, meant)) as left, stopped(left.live):
            restored = restore(left, Path(meant.folder), wish, progress)
            cut = yield_log(left, Path(meant.folder)) if wish.accepting.lost_log else {}
        undo.pop_all()
    had = data.folder.exists(), databases is not None and databases.there(meant.live)
    _swap(data, databases, meant)
    _take_up(settings, restored)
    folder, database = Path(meant.folder_aside) if had[0] else None, meant.aside if had[1] else None
    return WentLive(restored, folder, cut, database, tuple(_left(data, databases)))


def _left(data: Data, databases: Databases | None) -> Iterator[str]:
    """What a killed process could not remove: half restored, or what stood aside without its name."""
    begun = f"{data.folder.name}.restored-"
    yield from sorted(one.name for one in data.folder.parent.iterdir() if one.name.startswith(begun))
    if databases is not None and data.database_url:
        yield from databases.beginning(f"{named(data.database_url)[:30]}_restored_")


def _meant(data: Data) -> _Meant:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder, aside = (data.folder.with_name(f"{data.folder.name}.{what}-{stamp}") for what in ("restored", "before"))
    if not data.database_url:
        return _Meant(str(folder), str(aside))
    live = named(data.database_url)
    names = (f"{live[:30]}_{what}_{stamp.lower()}" for what in ("restored", "before"))
    return _Meant(str(folder), str(aside), next(names), live, next(names))


def _made(data: Data, databases: Databases | None, meant: _Meant) -> Target:
    """The fresh database to restore into, as its application and its owner reach it."""
    if databases is None or not data.database_url:
        return NOWHERE
    databases.create(meant.fresh, role(data.database_owner_url or data.database_url))
    owner = renamed(data.database_owner_url, meant.fresh) if data.database_owner_url else None
    return Target(renamed(data.database_url, meant.fresh), owner)


def _swap(data: Data, databases: Databases | None, meant: _Meant) -> None:
    """What is meant is on the disk before any of it is done: the mark in the folder, then the note."""
    mark(Path(meant.folder))
    if databases is not None:
        write_file(half_live(data), json.dumps(asdict(meant)).encode())
    _carry_out(data, databases, meant)


def _carry_out(data: Data, databases: Databases | None, meant: _Meant) -> None:
    """Database first, then folder; each is done once, however often this is called for the same note."""
    if databases is not None:
        databases.swap(meant.fresh, meant.live, meant.aside)
    switch(Path(meant.folder), data.folder, Path(meant.folder_aside))
    half_live(data).unlink(missing_ok=True)


def _finish_half(data: Data, databases: Databases | None) -> None:
    """What an interrupted attempt meant."""
    note = half_live(data)
    if note.exists():
        _carry_out(data, databases, _read(note))


def _read(note: Path) -> _Meant:
    try:
        found = json.loads(note.read_bytes())
        if set(found) == {one.name for one in fields(_Meant)} and all(isinstance(one, str) for one in found.values()):
            return _Meant(**found)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise _unreadable() from error
    raise _unreadable()


def _unreadable() -> IntegrityError:
    return IntegrityError(
        "A restore was interrupted while it went live, and its note, the file that ends in '.going-live' beside the "
        "data folder, cannot be read. Give the database and the data folder of one and the same restore their names by "
        "hand (those that were replaced have 'before' and a time in theirs), or both of before; then delete the note.",
        code="half-live-unreadable",
    )


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
        for entry in _told(restored, epoch_ms(base.clock.now())):
            base.outbox.record(entry)


def _told(restored: Restored, at: int) -> Iterator[Entry]:
    """What the operators' log says of a restore; first, by each in their own name, what two officers took on."""
    amends, backup = restored.replayed.amends, restored.verified.backup
    counts = {"lost-erasures": len(amends.unknown), "found-erasures": len(amends.again), "shut": amends.shut}

    def entry(operation: str, actor: str, facts: dict[str, Fact]) -> Entry:
        return Entry(
            log=OPERATOR,
            operation=operation,
            phase="event",
            outcome=Outcome.DONE,
            request=backup,
            actor=actor,
            tenant=None,
            time=at,
            facts=facts,
        )

    if amends.accepted:
        for officer in amends.accepted.officers:
            facts: dict[str, Fact] = {"backup": backup, "reason": amends.accepted.reason, "counts": counts}
            yield entry(ACCEPTED, officer, facts)
    counts |= {
        "people": len(restored.replayed.people),
        "units": restored.replayed.units,
        "lost-entries": restored.behind,
    }
    digest = restored.verified.digest
    yield entry(
        RESTORED, SERVICE, {"backup": backup, "digest": digest, "objects": restored.objects, "counts": dict(counts)}
    )
