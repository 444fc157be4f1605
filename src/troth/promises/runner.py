"""Runs checks against the live system and writes each run and its audit entry in one transaction."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.dispatch import FaultLog, UseCounter
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.uses import tallying
from troth.promises import store
from troth.promises.catalogue import Promise, catalogue
from troth.promises.check import Check, Facts, Result, judge
from troth.promises.status import Run, Standing, standing
from troth.storage.database import Database

_NOTHING_SEEN = Facts(population=0, tested=0, broken=0)


class Runner:
    """Looks at the system with every check. A look that raises is an error, never a pass.

    `system` is asked for when a check runs: operations are wired before the system that they are part of is whole.
    """

    def __init__(
        self,
        checks: Iterable[Check],
        system: Callable[[], Any],
        *,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        faults: FaultLog,
        meter: UseCounter | None = None,
    ) -> None:
        self.checks = tuple(checks)
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
        """Run every check once, in order; fewer after `stop`."""
        runs: list[Run] = []
        for check in self.checks:
            if self._stopping.is_set():
                break
            runs.append(self.run(check))
            progress(check, runs[-1])
        return runs

    def stop(self) -> None:
        """Begin no further check of a round: who stops the server does not wait for the whole of it."""
        self._stopping.set()

    def run(self, check: Check) -> Run:
        """Run one check and its negative control; both are recorded."""
        uses: Counter[str] = Counter()  # a look opens what it kept itself; its entry says so, as a call's does
        with self._looking, tallying(uses):
            result, facts = self._look(check, check.observe)
            control, _ = self._look(check, check.sabotage)
        now = epoch_ms(self._clock.now())
        request = new_id("run")
        run = Run(check.id, now, result, control, facts.population, facts.tested, check.digest, request)
        entry = Entry(
            log="operator",
            operation="check.run",
            phase="event",
            outcome=Outcome.DONE if result is Result.PASS else Outcome.FAILED,
            request=request,
            actor="svc_promises",
            tenant=None,
            time=now,
            code=result.value,
            facts={"checks": check.id, "state": control.value, "digest": check.digest, "count": facts.tested}
            | ({"uses": dict(uses)} if uses and self._meter else {})
            | ({"counts": facts.details} if facts.details else {}),
        )
        with self._database.write() as connection:
            if uses and self._meter:
                self._meter.change(uses)(connection)
            store.add(connection, run)
            self._recorder.record_within(connection, entry)
        return run

    def table(self) -> list[tuple[Promise, Standing]]:
        """Every promise with its standing now."""
        with self._database.read() as connection:
            latest = store.latest(connection)
        now = epoch_ms(self._clock.now())
        known = catalogue().values()
        return [(one, standing(one.id, self.checks, latest, now, one.missing)) for one in known]

    def _look(self, check: Check, look: Callable[[Any], Facts]) -> tuple[Result, Facts]:
        try:
            facts = look(self._system())
        except Exception as error:
            self._faults.fault(error, check.id, "none")
            return Result.ERROR, _NOTHING_SEEN
        return judge(facts), facts
