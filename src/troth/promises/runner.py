"""Runs checks against the live system: each run linked to the one before it, signed, in the log with its row."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import rfc8785
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError as Duplicate

from troth import __version__
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.dispatch import FaultLog, UseCounter
from troth.kernel.errors import Conflict, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.signer import Signer
from troth.kernel.uses import tallying
from troth.promises import store
from troth.promises.catalogue import Promise, catalogue
from troth.promises.check import Check, Facts, Result, judge
from troth.promises.looking import Looks
from troth.promises.reading import Reading
from troth.promises.run_log import LOG, RUN, RunLog
from troth.promises.runs import Run, statement
from troth.promises.schedule import in_force
from troth.promises.schedules import Schedules, standing_versions
from troth.promises.status import Declared, Period, Standing, status, verdict
from troth.promises.store import Head, Signed
from troth.promises.waiving import Waiver
from troth.storage.database import Database
from troth.vault.dsse import IN_TOTO, signature_over

_NOTHING_SEEN = Facts(population=0, tested=0, broken=0)
_BACK = "back"  # the clock says less than at the run before
_TRIES = 3
SYSTEM = f"troth-{__version__}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where runs go and how they come back."""

    schedules: Schedules
    reading: Reading
    log: RunLog
    signer: Signer
    mark: Callable[[], str | None] = lambda: None
    """What the clock of this process is marked with."""
    waivers: Callable[[], Sequence[Waiver]] = tuple
    looks: Looks = field(default_factory=Looks)


class Runner:
    """Looks at the system with every check. A look that raises is an error, never a pass.

    `system` is asked for when a check runs: operations are wired before the system that they are part of is whole.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        system: Callable[[], Any],
        *,
        evidence: Evidence,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        faults: FaultLog,
        meter: UseCounter | None = None,
    ) -> None:
        self.checks = tuple(checks)
        self.evidence = evidence
        self._system = system
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._faults = faults
        self._meter = meter
        self._stopping = threading.Event()
        self._looking = threading.Lock()  # one look at a time: a fixture of one must not be what another finds
        unknown = {promise for check in self.checks for promise in check.promises} - set(catalogue())
        if unknown:
            raise ValueError(f"checks name promises that are not in the catalogue: {sorted(unknown)}")

    def run_all(self, progress: Callable[[Check, Run], None] = lambda _check, _run: None) -> list[Run]:
        """Run every check once, by hand, in order; fewer after `stop`."""
        runs: list[Run] = []
        for check in self.checks:
            if self.stopping:
                break
            runs.append(self.run(check))
            progress(check, runs[-1])
        return runs

    def stop(self) -> None:
        """Begin no further check of a round: who stops the server does not wait for the whole of it."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """True after `stop`."""
        return self._stopping.is_set()

    def run(self, check: Check, slot: int | None = None) -> Run:
        """Run one check and its negative control; both are recorded. `slot`: the one of the schedule that it fills.

        When another server filled the slot meanwhile: raises `Conflict` (slot-taken) and records nothing if this one
        passed; whatever else it found is recorded behind that run, in no slot.
        """
        self.evidence.schedules.ensure()
        uses: Counter[str] = Counter()  # a look opens what it kept itself; its entry says so, as a call's does
        with self._looking, tallying(uses):
            result, facts = self._look(check, check.observe)
            control, _ = self._look(check, check.sabotage)
        versions = standing_versions(self.evidence.schedules.versions)
        now = epoch_ms(self._clock.now())
        version = in_force(versions, now)
        run = Run(
            check.id,
            now,
            result,
            control,
            facts.population,
            facts.tested,
            check.digest,
            new_id("run"),
            slot=slot,
            details=facts.details,
            schedule=version.version if version else 0,
            system=SYSTEM,
            clock=self.evidence.mark() or "",
        )
        return self._kept(run, uses)

    def now(self) -> int:
        """The time by its clock, in epoch milliseconds."""
        return epoch_ms(self._clock.now())

    def table(self) -> list[tuple[Promise, Standing]]:
        """Every promise with its standing now."""
        evidence, declared, waivers = self.evidence.reading.now(), self.declared(), self.evidence.waivers()
        now = epoch_ms(self._clock.now())
        moment = Period(now, now)
        return [
            (
                one,
                status(
                    one.id,
                    declared,
                    evidence,
                    waivers=waivers,
                    period=moment,
                    now=now,
                    missing=self._missing(one),
                ),
            )
            for one in catalogue().values()
        ]

    def declared(self) -> list[Declared]:
        """The checks of the schedule in force, and which code of each runs here; none when it is not to be believed.

        A check that runs here and is not planned so (new, of other promises, of another pace) stands without a planned
        code, for what either says it covers: nobody confirmed it.
        """
        version = in_force(standing_versions(self.evidence.schedules.versions), epoch_ms(self._clock.now()))
        if version is None:
            return []
        running = {one.id: one.digest for one in self.checks}
        asked = {one.check: one for one in self.evidence.schedules.proposed() if one.check in running}
        found = []
        for one in version.checks:
            wish = asked.pop(one.check, one)
            covers = tuple(dict.fromkeys((*one.promises, *wish.promises)))
            code = one.code if wish == one else ""
            found.append(Declared(one.check, covers, one.fresh, code, running.get(one.check)))
        return [*found, *(Declared(one.check, one.promises, one.fresh, "", one.code) for one in asked.values())]

    def _missing(self, promise: Promise) -> str:
        if any(promise.id in check.promises for check in self.checks):
            return "its checks are not in the schedule in force"
        return promise.missing

    def _kept(self, run: Run, uses: Counter[str]) -> Run:
        for _ in range(_TRIES):
            told = self.evidence.log.newest().get(run.check)
            if told is None:
                told = self.evidence.log.of(run.check)
            place = None if told is None else Head(told.sequence, told.link, None, told.at)
            try:
                return self._write(run, place, uses)
            except Duplicate:  # another process began this chain, or went on with it
                continue
        raise _taken()

    def _write(self, run: Run, told: Head | None, uses: Counter[str]) -> Run:
        """The run in its place: after the newest one that either the table or the log knows."""
        with self._database.write() as connection:
            head = store.head(connection, run.check, locked=True)
            run, filled = self._slotted(connection, run, head)
            last = max([one for one in (head, told) if one is not None], key=lambda one: one.sequence, default=None)
            placed = _placed(run, last)
            signature = signature_over(statement(placed), IN_TOTO, self.evidence.signer)
            if uses and self._meter:
                self._meter.change(uses)(connection)
            store.add(connection, placed, Signed(self.evidence.signer.name, signature), head, filled)
            self._recorder.record_within(connection, _entry(placed, uses if self._meter else Counter()))
        return placed

    def _slotted(self, connection: Connection, run: Run, head: Head | None) -> tuple[Run, int | None]:
        """The run in its slot, or in none where another stands in it; and the slot that it fills all the same."""
        if run.slot is None:
            return run, None
        if head is not None and head.fills(run.slot, epoch_ms(self._clock.now())):
            if verdict(run) is Result.PASS:
                raise _taken()
            return replace(run, slot=None), None  # a pass that was written first must not hide what this one found
        if store.stands_in(connection, run.check, run.slot):  # written by a clock that was ahead
            return replace(run, slot=None), run.slot
        return run, run.slot

    def _look(self, check: Check, look: Callable[[Any], Facts]) -> tuple[Result, Facts]:
        def seen() -> tuple[Result, Facts]:
            try:
                facts = look(self._system())
            except Exception as error:
                self._faults.fault(error, check.id, "none")
                return Result.ERROR, _NOTHING_SEEN
            return judge(facts, check.source_age, epoch_ms(self._clock.now())), facts

        try:
            return self.evidence.looks.look(f"{check.id}-{look is check.observe}", seen)
        except Unavailable as error:
            self._faults.fault(error, check.id, "none")
            return Result.ERROR, _NOTHING_SEEN


def _placed(run: Run, last: Head | None) -> Run:
    """A run behind the last one. When the clock says less than then, it shows nothing."""
    if last is None:
        return replace(run, sequence=1)
    after = replace(run, sequence=last.sequence + 1, previous=last.link)
    return replace(after, result=Result.ERROR, clock=_BACK) if run.at < last.at else after


def _entry(run: Run, uses: Counter[str]) -> Entry:
    facts: dict[str, Any] = {
        "checks": run.check,
        "state": run.control.value,
        "digest": run.digest,
        "count": run.tested,
        "population": run.population,
        "sequence": run.sequence,
        "link": run.link,
        "statement": hashlib.sha256(rfc8785.dumps(statement(run))).hexdigest(),
        "version": run.schedule,
    }
    more = {"slot": run.slot, "previous": run.previous or None, "uses": dict(uses), "counts": dict(run.details),
            "system": run.system, "clock": run.clock}  # fmt: skip
    return Entry(
        log=LOG,
        operation=RUN,
        phase="event",
        outcome=Outcome.DONE if run.result is Result.PASS else Outcome.FAILED,
        request=run.request,
        actor="svc_promises",
        tenant=None,
        time=run.at,
        code=run.result.value,
        facts=facts | {name: value for name, value in more.items() if value},
    )


def _taken() -> Conflict:
    return Conflict("Another server ran this check meanwhile; nothing was recorded.", code="slot-taken")
