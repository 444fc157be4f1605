"""Backups of one installation: make, list, verify, prune, drill; each recorded in the operators' log."""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from troth.backup import places
from troth.backup.chunks import Chunks
from troth.backup.copying import Copying, Made
from troth.backup.drill import PASSED, UNKNOWN, Drilled, drill
from troth.backup.locations import Location, failure_domains
from troth.backup.lock import TAIL, only_one
from troth.backup.logs import OPERATOR
from troth.backup.manifest import as_json, named
from troth.backup.places import Held
from troth.backup.pruning import DAY_MS, prune_all
from troth.backup.restoring import Restoring
from troth.backup.shipping import Shipping
from troth.backup.source import Progress, Source, quiet
from troth.backup.tailing import Tailing
from troth.backup.verifying import MADE, Verified, Verifying, proof_name, require_newest
from troth.kernel.errors import Conflict, IntegrityError, NotFound, TrothError, Unavailable
from troth.kernel.record import Entry, Fact, Outcome

SERVICE = "svc_backup"
_AGAIN_SECONDS = 15.0  # after a place refused
DRILLED, VERIFIED = "backup.drilled", "backup.verified"


@dataclass(frozen=True, slots=True)
class Listed:
    """One backup and the places that hold it."""

    backup: str
    made_at: int
    digest: str
    objects: int
    bytes: int
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry about backups in the operators' log; `at` in epoch milliseconds."""

    at: int
    backup: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long backups are kept, how often a restore is tried, how often the tail of the log travels."""

    keep_days: int
    drill_days: int
    tail_seconds: float


class Backups:
    """The desk. `open_places` opens the configured places, `restoring` needs the newest backup that they hold, and
    `history` gives the newest entries of an operation, newest first."""

    def __init__(
        self,
        source: Source,
        open_places: Callable[[], Sequence[Location]],
        verifying: Verifying,
        restoring: Callable[[Held], Restoring],
        history: Callable[[str], Sequence[Event]],
        *,
        pace: Pace,
    ) -> None:
        self._source = source
        self._open_places = open_places
        self._verifying = verifying
        self._restoring = restoring
        self._shipping = Shipping(source)
        self._history = history
        self._tailing = Tailing(source, pace.tail_seconds)
        self._pace = pace
        self._not_before = 0.0

    @property
    def verifying(self) -> Verifying:
        """What checks a backup byte by byte."""
        return self._verifying

    @property
    def chunks(self) -> Chunks:
        """What seals and opens the pieces."""
        return self._source.chunks

    @property
    def drill_days(self) -> int:
        """Days between restore drills."""
        return self._pace.drill_days

    def run(self, progress: Progress = quiet) -> Made:
        """Make a backup in every place, record it, drop old ones.

        Raises `Conflict` (second-backup), `Unavailable` (backup-nowhere), `IntegrityError` for a lost object.
        """
        with only_one(self._source.database):
            locations = list(self._open_places())
            made = Copying(self._source, locations, progress).run()
            state = "complete" if made.complete else "incomplete"
            facts: dict[str, Fact] = {
                "backup": made.manifest.id,
                "digest": made.digest,
                "objects": made.manifest.objects,
                "bytes": made.manifest.bytes,
                "state": state,
                "counts": {"places": len(made.places), "failure-domains": failure_domains(locations)},
            }
            leaf = self._record(MADE, made.manifest.id, facts)
            self._prove(made, leaf, locations)
            with contextlib.suppress(Unavailable):
                self._shipping.ship(locations)
            self._prune([one for one in locations if one.name in made.places])
            with contextlib.suppress(Unavailable):
                self._tailing.ship(locations)
        return made

    def _prune(self, locations: Sequence[Location]) -> None:
        """Beside no tail on its way, whose pieces nothing names yet; the next backup prunes what this one does not."""
        with contextlib.suppress(Conflict), only_one(self._source.database, TAIL):
            prune_all(locations, self._source.chunks, self._source.keys(), self._source.now(), self._pace.keep_days)

    def ship(self, *, last: bool = False) -> int:
        """Send the newest key tree to every place when an epoch ended, and the tail of the log when it is due or the
        `last`; how many places got the tree. Raises `Unavailable`."""
        locations = list(self._open_places())
        try:
            return self._shipping.ship(locations)
        finally:
            if last or self._tailing.due():
                self._tailing.ship(locations)

    def keep_up(self) -> None:
        """`ship`, as a server does every moment: after a place refused, not for a while. Raises `Unavailable`."""
        if time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + _AGAIN_SECONDS
            self.ship()
            self._not_before = 0.0

    def listed(self) -> list[Listed]:
        """Every backup whose manifest holds, newest first. Raises `Unavailable` when no place can be read."""
        found: dict[str, list[Held]] = {}
        for held in self._held():
            found.setdefault(held.manifest.file, []).append(held)
        return [_listed(found[file]) for file in sorted(found, reverse=True)]

    def verify(self, backup: str | None = None, progress: Progress = quiet) -> list[Verified]:
        """The backup of that id, or the newest, in every place that should hold it; recorded.

        Raises `IntegrityError` when one place does not hold what it should, `NotFound`.
        """
        checked: list[Verified] = []
        locations = list(self._open_places())
        wanted = backup or self._newest().manifest.id
        for location in locations:
            checked.append(self._verifying.verify(location, wanted, progress))
        facts: dict[str, Fact] = {"backup": wanted, "digest": checked[0].digest, "counts": {"places": len(checked)}}
        self._record(VERIFIED, wanted, facts)
        return checked

    def require_current(self, remembered: Sequence[Event] | None = None) -> None:
        """Whether the places show what the log remembers (`remembered`, or the newest entries of `backup.made`).

        Raises `IntegrityError` (backup-rolled-back) when one lacks the newest complete backup or shows another, or
        when an older one that is not over yet is in no place. A place may lack older ones: it may be a new disk.
        """
        events = self._history(MADE) if remembered is None else remembered
        since = self._source.now() - self._pace.keep_days * DAY_MS
        whole = [one for one in events if one.at > since and one.facts.get("state") == "complete"]
        logged = {one.backup: str(one.facts.get("digest")) for one in whole}
        newest = dict(list(logged.items())[:1])
        together: list[Held] = []
        for location in self._open_places():
            shown = list(places.readable(location, self._source.keys()))
            require_newest(shown, newest)
            together += shown
        require_newest(together, logged)

    def drill(self, progress: Progress = quiet) -> Drilled:
        """Restore the newest backup on trial and record how it went. Raises what stands in the way; that too is said
        in the log."""
        held = self._newest()
        try:
            done = drill(self._restoring(held), held, self._source.now(), progress)
        except TrothError as error:
            self._record(DRILLED, held.manifest.id, {"backup": held.manifest.id, "state": "failed"}, error.code)
            raise
        counts = {
            "rpo_ms": done.rpo_ms,
            "rto_ms": done.rto_ms,
            "log_rpo_ms": done.log_rpo_ms,
            "live": done.restored.probed.live,
            "refused": done.restored.probed.units,
            **(done.restored.compared.counts() if done.restored.compared else {}),
        }
        facts: dict[str, Fact] = {"backup": done.backup, "state": done.state, "counts": counts}
        self._record(DRILLED, done.backup, facts)
        return done

    def drill_when_due(self) -> Drilled | None:
        """A drill when the last that passed is old enough, the last that found nothing to try is a day old, and there
        is a backup. Raises as `drill`."""
        now = self._source.now()
        since = {PASSED: now - self._pace.drill_days * DAY_MS, UNKNOWN: now - DAY_MS}
        if any(one.at > since.get(str(one.facts.get("state")), now) for one in self._history(DRILLED)):
            return None
        try:
            self._newest()
        except NotFound:
            return None
        return self.drill()

    def history(self, operation: str) -> Sequence[Event]:
        """The newest entries of `backup.made`, `backup.verified` or `backup.drilled`, newest first."""
        return self._history(operation)

    def places(self) -> list[Location]:
        """The configured places. Raises as `locations.opened`."""
        return list(self._open_places())

    def covered(self, before: int) -> list[str]:
        """Ids of every backup that still exists and was made before a moment (epoch ms), oldest first."""
        return [backup for _, backup in self._known(before)]

    def made(self, before: int) -> list[int]:
        """When the oldest and the newest of them were made (epoch ms); empty when there is none."""
        known = self._known(before)
        return [known[0][0], known[-1][0]] if known else []

    def _known(self, before: int) -> list[tuple[int, str]]:
        found: set[tuple[int, str]] = set()
        for location in self._open_places():
            with contextlib.suppress(Unavailable):
                found |= set(map(named, places.files(location)))
        return sorted(one for one in found if one[0] < before)

    def away(self) -> list[str]:
        """Names of the places that cannot be asked now."""
        found = []
        for location in self._open_places():
            try:
                places.files(location)
            except Unavailable:
                found.append(location.name)
        return found

    def newest(self, backup: str | None = None) -> Held:
        """The newest backup, or the one of that id, in the first place where its manifest holds. Raises `NotFound`."""
        found = [one for one in self._held() if backup in (None, one.manifest.id)]
        if not found:
            raise NotFound("There is no such backup; 'troth backup list' shows them.")
        return max(found, key=lambda one: one.manifest.file)

    def _newest(self) -> Held:
        return self.newest()

    def _held(self) -> Sequence[Held]:
        found: list[Held] = []
        away: TrothError | None = None
        for location in self._open_places():
            try:
                found += places.readable(location, self._source.keys())
            except Unavailable as error:
                away = error
        if away is not None and not found:
            raise away
        return found

    def _record(self, operation: str, request: str, facts: dict[str, Fact], code: str | None = None) -> bytes:
        entry = Entry(
            log=OPERATOR,
            operation=operation,
            phase="event",
            outcome=Outcome.FAILED if code else Outcome.DONE,
            request=request,
            actor=SERVICE,
            tenant=None,
            time=self._source.now(),
            code=code,
            facts=facts,
        )
        self._source.recorder.record(entry)
        return rfc8785.dumps(entry.as_json())

    def _prove(self, made: Made, leaf: bytes, locations: Sequence[Location]) -> None:
        """Lay the log's proof beside the manifest; without one the backup is whole all the same."""
        with contextlib.suppress(Unavailable, Conflict, NotFound, IntegrityError):
            proof = self._source.prove(OPERATOR, made.manifest.id)
            document = as_json({"leaf": base64.b64encode(leaf).decode(), "proof": proof})
            for location in locations:
                if location.name in made.places:
                    location.store.create(proof_name(made.manifest), document)


def _listed(held: Sequence[Held]) -> Listed:
    one = held[0].manifest
    names = tuple(each.location.name for each in held)
    return Listed(one.id, one.made_at, held[0].digest, one.objects, one.bytes, names)
