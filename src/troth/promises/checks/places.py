"""Promises about where data is: what rows and headers say, what may be written, and what lies about unindexed."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import delete, select

from troth.identity.store import tenants
from troth.identity.tenants import JURISDICTIONS
from troth.kernel.errors import Denied, IntegrityError, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.storage.placement import MARKER
from troth.vault import framing
from troth.vault.objects import BLOBS
from troth.vault.store import LIVE, blobs_with_rows
from troth.vault.store import objects as object_table

_ELSEWHERE = "Troth self-checks, elsewhere"
_ALLOWED = frozenset({"us", "eu", "au"})
_SAMPLE = 200  # newest objects whose headers are read
_FOREIGN = "unknown"
_GRACE = 3600.0  # seconds: an upload writes its row right after its bytes
# What an installation keeps in its data folder: the database with its companions, and three stores.
_FILES = frozenset(f"troth.db{end}" for end in ("", "-wal", "-shm", "-journal", "-sequencer"))
_STORES = {"objects": ("objects",), "key-pages": ("kt",), "log": ("tlog", "cut")}  # and what they keep; cut: a restore
_OWN = (MARKER, ".lock")  # of a store itself


def _placed(system: System, *, claimed: str | None = None) -> Facts:
    """Every tenant and live row, headers of the newest objects; then attempts to write elsewhere."""
    here, known = system.base.settings.data.jurisdiction, system.identity.tenants
    at_home = [tenant for tenant in known.list() if tenant.name != _ELSEWHERE]
    with probe(system) as person:
        person.keep()
        outcomes = [tenant.jurisdiction in _ALLOWED & {here} for tenant in at_home]
        outcomes += [(claimed or place) in _ALLOWED & {here} for place in _rows(system)]
        outcomes += [place == (claimed or here) for place in _headers(system)]
    outcomes.append(refused(lambda: known.fresh("nowhere", "sg"), Invalid))
    outcomes.append(refused(lambda: _write_elsewhere(system, here), Denied, code="wrong-jurisdiction"))
    return counted(outcomes)


def _rows(system: System) -> list[str]:
    places = select(object_table.c.jurisdiction).where(object_table.c.state == LIVE).distinct()
    with system.base.database.read() as connection:
        return [str(place) for place in connection.execute(places).scalars()]


def _headers(system: System) -> Iterator[str]:
    newest = select(object_table.c.blob).where(object_table.c.state == LIVE).order_by(object_table.c.seq.desc())
    with system.base.database.read() as connection:
        names = connection.execute(newest.limit(_SAMPLE)).scalars().all()
    for name in names:
        try:
            yield framing.read_header(system.base.objects.get(name)).facts.jurisdiction
        except NotFound:
            continue  # deleted meanwhile
        except IntegrityError:
            yield _FOREIGN  # bytes that are no object of ours say nothing of where they belong


def _write_elsewhere(system: System, here: str) -> None:
    """Keep something for a tenant of another jurisdiction; when it is kept, it is erased again."""
    other = next(place for place in JURISDICTIONS if place != here)
    person = Probe(system, system.probe_tenant(_ELSEWHERE, other), new_id("usr"))
    try:
        person.keep()
        person.erase()
    finally:  # or the tenant would be the stranger that the inventory counts
        with system.base.database.write() as connection:
            connection.execute(delete(tenants).where(tenants.c.id == person.tenant))


def _unindexed(system: System) -> Facts:
    """Files of the data folder, minus those that belong there, minus objects that have a row."""
    folder = system.base.settings.data.folder
    cut, strange, count = time.time() - _GRACE, 0, 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                count += 1
                strange += not _belongs(path.relative_to(folder)) and path.stat().st_mtime < cut
    names = {name for name in system.base.objects.names(BLOBS) if _age(folder / "objects" / name) > _GRACE}
    with system.base.database.read() as connection:
        orphans = names - blobs_with_rows(connection, names)
    return Facts(population=count, tested=count, broken=strange + len(orphans))


def _belongs(path: Path) -> bool:
    if len(path.parts) == 1:
        return path.name in _FILES
    kept = _STORES.get(path.parts[0], ())
    return path.parts[1] in (kept if len(path.parts) > 2 else _OWN) and bool(kept)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0  # deleted meanwhile


def _dropped(system: System) -> Facts:
    """The known-bad fixture: an old file in the object store that no row speaks of."""
    name = f"{BLOBS}zz/{new_id('obj')}"
    path = system.base.settings.data.folder / "objects" / name
    system.base.objects.create(name, b"left by a self-check")
    try:
        old = time.time() - 2 * _GRACE
        os.utime(path, (old, old))
        return _unindexed(system)
    finally:
        system.base.objects.delete(name)


CHECKS = (
    Check(
        "allowed-places",
        ("LOC-01",),
        "Every tenant, every live row and the newest 200 headers must carry this installation's jurisdiction, which is "
        "US, EU or AU; writing for an unknown region or for another jurisdiction's tenant must be refused. Where the "
        "machine really stands is for the operator to show, and is not looked at.",
        _placed,
        lambda system: _placed(system, claimed="sg"),
        every=6 * 3600,
        scope="tenants, places of live rows, and the newest 200 headers",
        population="tenants, places, headers, and writes to be refused",
    ),
    Check(
        "orphan-scan",
        ("LOC-04",),
        "Every file in the data folder must belong to the database or a store, and every sealed object older than an "
        "hour must have a row. Places outside the data folder are not looked at.",
        _unindexed,
        _dropped,
        every=6 * 3600,
        scope="the data folder with its object store",
        population="files in the data folder",
    ),
)
