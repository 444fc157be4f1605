"""Promises about backups: apart from the live data, unreadable, in more than one place, tried, and verified first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from troth.backup import homes, locations, places
from troth.backup.backups import DRILLED, Event
from troth.backup.drill import PASSED, UNKNOWN
from troth.backup.locations import Location, failure_domains
from troth.backup.manifest import OBJECTS
from troth.backup.places import Held
from troth.backup.pruning import DAY_MS
from troth.backup.verifying import MADE, Verified, Verifying
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, Denied, IntegrityError, NotFound
from troth.kernel.ids import new_id
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import probe, refused
from troth.promises.system import System
from troth.settings.sections import Backup, BackupLocation, Jurisdiction
from troth.storage.placement import MARKER

_DAY = 24 * 3600
_LATE = 2  # backups may be this many intervals old
_PIECES = 400  # sealed pieces that are searched for what must not be in them
_CANARY = "canary"
Verify = Callable[[Verifying, Held], Verified]


class _Plain:
    """The known-bad place: it lets go of everything, and what it gives is changed or in clear."""

    def __init__(self, store: Any = None, content: bytes = b"") -> None:
        self._store = store
        self._content = content

    def create(self, name: str, content: bytes) -> None:
        """Takes anything."""

    def delete(self, name: str) -> bool:
        """Loses anything."""
        return bool(name)

    def get(self, name: str, most: int | None = None) -> bytes:
        """What it was given, with one bit changed where that is content; or always the same text."""
        if self._store is None:
            return self._content
        found = bytearray(self._store.get(name, most))
        if name.startswith(("chunks/", f"{OBJECTS}/")):
            found[len(found) // 2] ^= 1
        return bytes(found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class _Marked(_Plain):
    """A place whose marker names another jurisdiction."""

    def get(self, name: str, most: int | None = None) -> bytes:
        """As the place has it, but for the marker."""
        found: bytes = self._store.get(name, most)
        return found if name != MARKER else found.replace(self._content, _elsewhere(self._content.decode()).encode())


def _separate(system: System, *, careless: bool = False) -> Facts:
    """A file of no use is put into each locked place, and must resist being deleted and overwritten."""
    spots = system.backups.places()
    locked = [one for one in spots if getattr(one.store, "lock_days", lambda: None)() is not None]
    if careless:
        locked = [replace(spots[0], store=_Plain())]
    if not locked:
        return Facts(population=0, tested=0, broken=0, configured=False)
    outcomes = [_fresh(system)] if not careless else []
    for one in locked:
        name = f"{_CANARY}/{new_id('bak')}"
        one.store.create(name, b"canary")
        outcomes.append(refused(lambda one=one, name=name: one.store.create(name, b"other"), Conflict))  # type: ignore[misc]
        outcomes.append(refused(lambda one=one, name=name: one.store.delete(name), Conflict))  # type: ignore[misc]
    return counted(outcomes)


def _current(system: System, events: list[Event] | None = None) -> Facts:
    """What the log remembers is in the places, and the newest of it is young enough."""
    _newest(system)
    remembered = list(system.backups.history(MADE)) if events is None else events
    newest = max((one.at for one in remembered if one.facts.get("state") == "complete"), default=0)
    limit = _LATE * system.base.settings.backup.every_minutes * 60_000
    young = epoch_ms(system.base.clock.now()) - newest <= limit
    return counted([young, not refused(lambda: system.backups.require_current(remembered), IntegrityError)])


def _forgotten(system: System) -> Event:
    """The known-bad log: it remembers a young backup that no place shows."""
    facts = {"state": "complete", "digest": "0" * 64}
    return Event(epoch_ms(system.base.clock.now()), new_id("bak"), facts)


def _fresh(system: System) -> bool:
    limit = _LATE * system.base.settings.backup.every_minutes * 60_000
    return epoch_ms(system.base.clock.now()) - _newest(system).manifest.made_at <= limit


def _newest(system: System) -> Held:
    try:
        return system.backups.newest()
    except NotFound:
        system.backups.run()  # a fresh installation
        return system.backups.newest()


def _unreadable(system: System, *, in_clear: bool = False) -> Facts:
    """Something with a known text and name is kept, a backup is made, and its bytes are searched in every place."""
    canary, name = os.urandom(24).hex(), f"{os.urandom(12).hex()}.txt"
    with probe(system) as person:
        kept = person.keep(canary.encode(), name=name)
        made = system.backups.run()
        signs = (canary.encode(), name.encode())
        outcomes: list[bool] = []
        for location in system.backups.places():
            held = places.held(location, made.manifest.file, _keys(system))
            for content in _bytes_of(system, held, kept.id):
                seen = canary.encode() if in_clear else content
                outcomes.append(not any(sign in seen for sign in signs))
    return counted(outcomes)


def _bytes_of(system: System, held: Held, kept: str) -> Iterator[bytes]:
    """The manifest, the object of the probe, and many of the other pieces, as the place has them."""
    parts = places.parts_of(held, system.backups.chunks)
    mine = [name for name in parts if name.endswith(f"/{kept}")]
    if not mine:
        raise NotFound("The probe's object is not in the backup.", code="probe-missing")
    others = [name for name in parts if name not in mine][:_PIECES]
    for name in (held.manifest.file, *mine, *others):
        yield held.location.store.get(name)


def _spread(system: System, spots: list[Location] | None = None) -> Facts:
    """What every place states of itself, the newest backup in each read back, and one elsewhere, to be refused."""
    spots = system.backups.places() if spots is None else spots
    if failure_domains(spots) < locations.LEAST:
        return Facts(population=0, tested=0, broken=0, configured=False)
    file, here = _newest(system).manifest.file, system.base.settings.data.jurisdiction
    outcomes = [homes.stated(one) == here for one in spots]
    outcomes += [not refused(lambda one=one: _verified(system, one, file)) for one in spots]  # type: ignore[misc]
    folder = BackupLocation(jurisdiction=_elsewhere(here), folder=system.base.settings.data.folder.parent / "elsewhere")
    wish = Backup(locations=(folder, folder))
    outcomes.append(refused(lambda: locations.configured(wish, system.base.settings.data), Denied))
    return counted(outcomes)


def _elsewhere(here: str) -> Jurisdiction:
    return "us" if here != "us" else "eu"


def _abroad(system: System) -> list[Location]:
    """The known-bad places: they hold every byte and fail apart, and the last one was marked elsewhere."""
    _newest(system)
    apart = [replace(one, device=at) for at, one in enumerate(system.backups.places(), 1)]
    here = system.base.settings.data.jurisdiction.encode()
    return [*apart[:-1], replace(apart[-1], store=_Marked(apart[-1].store, here))]


def _verified(system: System, location: Location, file: str) -> Verified:
    return system.backups.verifying.verified(places.held(location, file, _keys(system)))


def _tried(system: System, events: list[Event] | None = None) -> Facts:
    """The newest drills in the operators' log: one that passed, with both figures, within the cadence."""
    drills = list(system.backups.history(DRILLED)) if events is None else events
    if not drills or drills[0].facts.get("state") == UNKNOWN:  # a drill that found nothing to try shows nothing
        return Facts(population=1, tested=0, broken=0)
    newest = drills[0]
    counts = newest.facts.get("counts", {})
    young = epoch_ms(system.base.clock.now()) - newest.at <= (system.backups.drill_days + 1) * DAY_MS
    figures = {"rpo_ms", "rto_ms"} <= set(counts)
    whole = 0 < counts.get("expected", 0) <= counts.get("kept", -1)  # what the living ledger has stood up again
    nobody_lost = counts.get("forgotten", -1) == counts.get("erased", 0)  # forgotten are the erased and no others
    return counted([newest.facts.get("state") == PASSED, figures, young, whole, nobody_lost])


def _lossy(system: System) -> Event:
    """The known-bad drill: it passes, quick and young, and came back without a person and what was theirs."""
    counts = {"rpo_ms": 1, "rto_ms": 1, "kept": 1, "expected": 2, "forgotten": 1, "erased": 0}
    return Event(epoch_ms(system.base.clock.now()), "bak", {"state": PASSED, "counts": counts})


def _verify_first(system: System, verify: Verify = Verifying.verified) -> Facts:
    """The newest backup must pass as it is, and must be refused with one bit of each part changed."""
    held = _newest(system)
    verifying = system.backups.verifying
    altered = replace(held, location=replace(held.location, store=_Plain(held.location.store)))
    outcomes = [not refused(lambda: verify(verifying, held))]
    outcomes.append(refused(lambda: verify(verifying, altered), IntegrityError))
    return counted(outcomes)


def _trusting(_verifying: Verifying, held: Held) -> Verified:
    """The known-bad restore: it believes what it finds."""
    manifest = held.manifest
    return Verified(manifest.id, held.location.name, held.digest, manifest.made_at, 0, 0, logged=False)


def _keys(system: System) -> dict[str, bytes]:
    return {system.base.signer.name: system.base.signer.public_key}


CHECKS = (
    Check(
        "backup-separate",
        ("BCK-01",),
        "A file of no use is put into every bucket with an object lock: deleting and overwriting it with Troth's own "
        "credentials must be refused, and the newest backup must be young. Folders have no lock, so without such a "
        "bucket this promise is not set up.",
        _separate,
        lambda system: _separate(system, careless=True),
        every=_DAY,
        scope="places of backups that have an object lock",
        population="tries to change a locked file, and the newest backup",
    ),
    Check(
        "backup-current",
        ("BCK-01",),
        "The newest complete backup that the operators' log remembers is at most two intervals old, is in every place "
        "with the digest that was logged, and none that is not over yet is missing everywhere: a place that was rolled "
        "back is seen here.",
        _current,
        lambda system: _current(system, [_forgotten(system)]),
        every=3600,
        scope="backups in the operators' log and in every place",
        population="age of the newest backup, and places against the log",
    ),
    Check(
        "backup-unreadable",
        ("BCK-02",),
        "Something with a random text and name is kept and backed up; manifest, its own part and up to 400 others are "
        "searched for both in every place.",
        _unreadable,
        lambda system: _unreadable(system, in_clear=True),
        every=_DAY,
        scope="up to 400 parts of a fresh backup, in every place",
        population="parts of the backup, in each place",
    ),
    Check(
        "backup-spread",
        ("BCK-03",),
        "Every byte of the newest backup is read in every place, each of which must carry the marker of the "
        "jurisdiction; one elsewhere must be refused. Places on one disk count as one: then it is not set up. "
        "Where a place really stands is its owner's word; that one is away is not played.",
        _spread,
        lambda system: _spread(system, _abroad(system)),
        every=_DAY,
        scope="every place of the newest backup",
        population="places with their markers, and one place abroad",
    ),
    Check(
        "backup-drilled",
        ("BCK-04",),
        "The newest restore drill in the operators' log: passed, younger than its cadence, with recovery point and "
        "recovery time, everything back that the living ledger has and the backup holds, and nobody forgotten whom it "
        "does not call erased; with nothing live to open it shows nothing. Whether these times are quick enough is "
        "for you to say.",
        _tried,
        lambda system: _tried(system, [_lossy(system)]),
        scope="the newest restore drill in the operators' log",
        population="duties of a drill",
    ),
    Check(
        "backup-verified-first",
        ("BCK-05",),
        "The newest backup passes the verification that every restore begins with; the same backup with one bit "
        "changed in each part does not.",
        _verify_first,
        lambda system: _verify_first(system, _trusting),
        every=_DAY,
        scope="the newest backup, as one place has it",
        population="verifications of it, whole and changed",
    ),
)
