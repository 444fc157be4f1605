"""Reads runs back as evidence: each held against its link, its signature, its schedule and the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from troth.kernel.errors import IntegrityError
from troth.kernel.scope import as_system
from troth.kernel.signer import Signer
from troth.promises import store
from troth.promises.run_log import Logged, RunLog
from troth.promises.runs import statement
from troth.promises.schedule import ScheduleVersion, in_force
from troth.promises.schedules import Schedules, standing_versions
from troth.promises.status import Evidence, Period
from troth.promises.store import Head, KeptRun
from troth.storage.database import Database
from troth.vault.dsse import IN_TOTO, envelope, verify_envelope

NO_ENTRY = "no entry in the log tells of it"
NEWER = "the log tells of a newer run, which is missing here"
OTHER = "the log tells of another run in its place"
EDITED = "it was changed after it was written"
SIGNATURE = "its signature does not hold"
GAP = "runs before it are missing"
_TRIES = 3  # a run may be written between two looks
_REMEMBERED = 20_000


class Reading:
    """Gives runs as evidence. What does not hold is not left out: it counts as nothing, and says why."""

    def __init__(self, database: Database, log: RunLog, schedules: Schedules, signer: Signer) -> None:
        self._database = database
        self._log = log
        self._schedules = schedules
        self._signer = signer
        self._signed: set[tuple[str, str, bytes]] = set()

    @as_system
    def now(self) -> Mapping[str, Sequence[Evidence]]:
        """The newest run of each check."""
        for _ in range(_TRIES):
            with self._database.read() as connection:
                heads, kept = store.heads(connection), store.latest(connection)
            found = self._evidence(kept)
            flawed = [check for check, runs in found.items() if any(one.flaw for one in runs)]
            if not flawed or not self._moved(flawed, heads):
                break
        return found

    def _moved(self, flawed: Sequence[str], heads: Mapping[str, Head]) -> bool:
        """True when one of these chains went on since: then its flaw may be that alone."""
        with self._database.read() as connection:
            now = store.heads(connection)
        return any(now.get(one) != heads.get(one) for one in flawed)

    @as_system
    def over(self, period: Period, fresh: int) -> Mapping[str, Sequence[Evidence]]:
        """The runs of a period, of `fresh` seconds before it, and of the time since: a chain holds up to its newest."""
        with self._database.read() as connection:
            kept = store.between(connection, period.start - fresh * 1000, 1 << 62)
        return self._evidence(kept)

    @as_system
    def recent(self, checks: Iterable[str], most: int) -> Mapping[str, Sequence[Evidence]]:
        """The newest runs of these checks, at most so many of each."""
        with self._database.read() as connection:
            kept = [one for check in checks for one in store.recent(connection, check, most)]
        return self._evidence(kept)

    def tampered(self) -> list[str]:
        """The ids of checks whose newest run is not what the log tells of; empty when all is as it should be."""
        return sorted(check for check, runs in self.now().items() if any(one.flaw for one in runs))

    def _evidence(self, kept: Iterable[KeptRun]) -> dict[str, list[Evidence]]:
        chains: dict[str, list[KeptRun]] = {}
        for one in kept:
            chains.setdefault(one.run.check, []).append(one)
        newest = self._log.newest()
        versions = standing_versions(self._schedules.versions)
        return {check: list(self._chain(chain, newest.get(check), versions)) for check, chain in chains.items()}

    def _chain(
        self, chain: Sequence[KeptRun], newest: Logged | None, versions: Sequence[ScheduleVersion]
    ) -> Iterable[Evidence]:
        ended = self._end(chain[-1], newest)
        before: KeptRun | None = None
        for one in chain:
            flaw = ended or _broken(one, before)
            yield Evidence(one.run, _planned(versions, one), flaw)
            before = one

    def _end(self, last: KeptRun, newest: Logged | None) -> str:
        """Why a chain counts as nothing, by its newest run: the links before it hang on that one."""
        run = last.run
        if newest is None or run.sequence > newest.sequence:
            return NO_ENTRY
        if run.sequence < newest.sequence:
            return NEWER
        if (run.link, run.request, run.at) != (newest.link, newest.request, newest.at):
            return EDITED if run.link != last.link else OTHER
        return "" if self._holds(last) else SIGNATURE

    def _holds(self, kept: KeptRun) -> bool:
        key = (kept.run.link, kept.run.request, kept.signed.signature)
        if key not in self._signed:
            told = envelope(statement(kept.run), IN_TOTO, kept.signed.signer, kept.signed.signature)
            try:
                verify_envelope(told, IN_TOTO, {self._signer.name: self._signer.public_key})
            except IntegrityError:
                return False
            if len(self._signed) >= _REMEMBERED:
                self._signed.clear()
            self._signed.add(key)
        return True


def _broken(one: KeptRun, before: KeptRun | None) -> str:
    if one.run.link != one.link:
        return EDITED
    if before is not None and (one.run.sequence != before.run.sequence + 1 or one.run.previous != before.link):
        return GAP
    return ""


def _planned(versions: Sequence[ScheduleVersion], one: KeptRun) -> str:
    """The code that the schedule of its time names, or nothing: then it ran by none."""
    version = in_force(versions, one.run.at)
    plan = version.plan(one.run.check) if version is not None else None
    return plan.code if plan is not None else ""
