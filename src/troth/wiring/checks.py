"""The checks of the promises: their schedule, where their runs go, and how these are read back."""

from __future__ import annotations

from collections.abc import Sequence

from troth.promises.check import Check
from troth.promises.reading import Reading
from troth.promises.run_log import RunLog
from troth.promises.runner import Evidence, Runner
from troth.promises.scheduler import Scheduler
from troth.promises.schedules import Schedules
from troth.promises.system import Base
from troth.promises.tallies import Tallies


def build_evidence(base: Base, checks: Sequence[Check]) -> Evidence:
    """Schedule, log and signer of the runs. No register of exceptions is kept yet, so nothing is waived."""
    log = RunLog(base.database, base.reader, base.clock)
    schedules = Schedules(
        checks,
        database=base.database,
        recorder=base.outbox,
        clock=base.clock,
        signer=base.signer,
        log=log,
        every=base.settings.promises.every_seconds,
    )
    reading = Reading(base.database, log, schedules, base.signer)
    return Evidence(schedules, reading, log, base.signer, lambda: base.network_time.mark)


def build_scheduler(base: Base, runner: Runner) -> Scheduler:
    """What runs the checks while a server runs."""
    tallies = Tallies(base.database, base.outbox, base.clock)
    return Scheduler(runner, tallies, database=base.database, clock=base.clock)
