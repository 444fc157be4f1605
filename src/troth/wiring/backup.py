"""Builds backups of a living installation, and restores when there is none any more."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from troth import __version__
from troth.audit.evidence import LogEvidence
from troth.audit.leaf import read_leaf
from troth.audit.log import Filter, LogReader
from troth.audit.origins import Origins
from troth.backup import homes, locations
from troth.backup.backups import Backups, Event, Pace
from troth.backup.chunks import Chunks
from troth.backup.knowledge import Remains
from troth.backup.locations import Location
from troth.backup.logs import OPERATOR
from troth.backup.places import Held
from troth.backup.quarantine import Quarantine
from troth.backup.restoring import Restoring
from troth.backup.source import Source
from troth.backup.verifying import Verifying
from troth.kernel.clock import Clock, SystemClock, epoch_ms
from troth.kernel.errors import Conflict, NotFound, Unavailable
from troth.kernel.journal import Journal
from troth.keys.domains import Domain
from troth.keys.signing import LocalSigner
from troth.promises.rebuilding import rebuild
from troth.promises.runner import SYSTEM
from troth.promises.system import Base
from troth.settings.load import Settings
from troth.settings.sections import Data
from troth.storage.blobs import BlobStore, LocalBlobs
from troth.storage.database import Database
from troth.wiring.base import build_base
from troth.wiring.identity import build_identity
from troth.wiring.log_places import far_mirror, guard_of, mirror_of
from troth.wiring.vault import build_vault

_NEWEST = 50  # entries of one kind that the desk looks back on
PIECES = "backup-pieces"  # the deployment secret that seals them
_LOG_SECONDS, _LOG_PAUSE = 10.0, 0.2  # how long another process's sequencer is waited for


def build_backups(base: Base) -> Backups:
    """The desk of a living installation. Raises `Denied` and `Invalid` for places that may not be used."""
    chosen = locations.configured(base.settings.backup, base.settings.data)
    keep_days = base.settings.backup.keep_days
    open_places = lru_cache(maxsize=1)(lambda: tuple(locations.opened(chosen, keep_days)))
    chunks = Chunks(base.secrets.named(PIECES))
    evidence = LogEvidence(base.sequencer, base.prover)
    source = Source(
        database=base.database,
        objects=base.objects,
        signer=base.signer,
        recorder=base.outbox,
        clock=base.clock,
        chunks=chunks,
        jurisdiction=base.settings.data.jurisdiction,
        tool=f"troth {__version__}",
        settle=partial(_settle, base),
        prove=partial(_prove, base, evidence),
    )
    mirror, guard = mirror_of(base.settings.data), guard_of(base.settings.data)
    seen = Eyes(base.settings, chunks, base.signer, base.domains, base.sequencer.origins, open_places)

    def restoring(newest: Held) -> Restoring:
        return seen.restoring(newest, base.database, mirror, guard, base.clock)

    return Backups(
        source,
        open_places,
        seen.verifying(),
        restoring,
        partial(_history, base.reader),
        pace=Pace(keep_days, base.settings.backup.drill_days, base.settings.backup.tail_seconds),
    )


def half_live(data: Data) -> Path:
    """Where a restore notes what it is about to put in the place of what."""
    return data.folder.with_name(f"{data.folder.name}.going-live")


def require_homes(settings: Settings) -> None:
    """Raises `Unavailable`: `wrong-placement` for a backup location that states another jurisdiction than ours,
    `half-live` while a restore stands between two steps of going live."""
    if half_live(settings.data).exists():
        raise Unavailable(
            "A restore was interrupted while it went live: run 'troth backup restore --go-live' again, which finishes "
            "it.",
            code="half-live",
        )
    homes.require_stated(locations.configured(settings.backup, settings.data), settings.backup.keep_days)


@dataclass(frozen=True, slots=True)
class Target:
    """An empty PostgreSQL database to restore into, as its application and its owner reach it; None: SQLite."""

    url: str | None = None
    owner_url: str | None = None


NOWHERE = Target()


@dataclass(frozen=True, slots=True)
class Eyes:
    """What verifying and restoring see with."""

    settings: Settings
    chunks: Chunks
    signer: LocalSigner
    domains: tuple[Domain, ...]
    origins: Origins
    places: Callable[[], Sequence[Location]]
    target: Target = NOWHERE

    def verifying(self) -> Verifying:
        keys = {self.signer.name: self.signer.public_key}
        return Verifying(self.chunks, keys, str(self.origins.key(OPERATOR)), self.settings.data.jurisdiction)

    def restoring(
        self, newest: Held, live: Database | None, mirror: BlobStore | None, guard: BlobStore, clock: Clock
    ) -> Restoring:
        remains = Remains(
            domains=self.domains,
            jurisdiction=self.settings.data.jurisdiction,
            chunks=self.chunks,
            origins=self.origins,
            guard=guard,
            mirror=mirror,
            live=live,
            newest=newest,
            places=self.places(),
            keys={self.signer.name: self.signer.public_key},
            far=far_mirror(self.settings),
        )
        opened = partial(_quarantine, self.settings, self.target)
        return Restoring(remains, self.verifying(), opened, lambda: epoch_ms(clock.now()))


def _quarantine(settings: Settings, target: Target, folder: Path) -> Quarantine:
    """An installation on an empty folder with today's keys, never started."""
    there = settings.data.model_copy(
        update={"folder": folder, "database_url": target.url, "database_owner_url": target.owner_url}
    )
    base = build_base(settings.model_copy(update={"data": there}), SystemClock(), Journal())
    vault = build_vault(base, build_identity(base))

    def close() -> None:
        base.outbox.close()
        base.sequencer.stop()
        base.database.checkpoint()
        base.database.close()

    return Quarantine(
        database=base.database,
        objects=base.objects,
        mirror=LocalBlobs(folder / "log"),
        tree=base.tree,
        holders=vault.holders,
        open_object=lambda tenant, subject, identifier: vault.objects.open(tenant, subject, identifier, filed=True)[1],
        now=lambda: epoch_ms(base.clock.now()),
        rebuild=lambda leaves: rebuild(base.database, base.signer, leaves, (SYSTEM,)),
        close=close,
    )


def _settle(base: Base) -> None:
    """Everything that waits is in the signed logs: by our own sequencer, or by waiting for the server's."""
    try:
        base.sequencer.flush()
        return
    except Conflict:
        pass  # another process sequences
    end = time.monotonic() + _LOG_SECONDS
    while time.monotonic() < end:
        state = base.sequencer.state()
        if not state.waiting and not state.unsigned:
            return
        time.sleep(_LOG_PAUSE)
    raise Unavailable("The audit log does not move on; look at the server, then back up again.", code="log-stuck")


def _prove(base: Base, evidence: LogEvidence, log: str, request: str) -> str:
    with contextlib.suppress(Conflict):
        return evidence.prove(log, request)
    end = time.monotonic() + _LOG_SECONDS
    while True:
        try:
            return base.prover.proof(log, base.prover.locate(log, request)[-1])
        except (Unavailable, NotFound, IndexError) as error:
            if time.monotonic() > end:
                raise Unavailable("The entry is not in the signed log yet.", code="no-proof") from error
            time.sleep(_LOG_PAUSE)


def _history(reader: LogReader, operation: str) -> list[Event]:
    try:
        page = reader.page(OPERATOR, Filter(operation=operation), before=None, limit=_NEWEST)
    except NotFound:
        return []
    leaves = [read_leaf(entry.leaf) for entry in page.entries]
    return [Event(leaf.get("time", 0), leaf.get("request", ""), leaf.get("facts", {})) for leaf in leaves]
