"""The checks of the promises: their schedule, where their runs go, and how these are read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from troth.governance.house import Named
from troth.promises.check import Check
from troth.promises.exceptions import Exceptions
from troth.promises.operations import PromiseOperations
from troth.promises.past import Past
from troth.promises.reading import Reading
from troth.promises.run_log import RunLog
from troth.promises.runner import Evidence, Runner
from troth.promises.scheduler import Scheduler
from troth.promises.schedules import Schedules
from troth.promises.showing import PromiseShown, PromiseViews
from troth.promises.standings import Standings
from troth.promises.system import Base, Governance
from troth.promises.tallies import Tallies

_FRESH_SECONDS = 5.0


def build_evidence(base: Base, checks: Sequence[Check], governance: Callable[[], Governance]) -> Evidence:
    """Schedule, log and signer of the runs, and the exceptions in the register of the house.

    `governance` is asked for when somebody reads: it may be built after this.
    """

    def house() -> Named | None:
        return governance().house.named()

    exceptions = Exceptions(lambda: governance().registers, house, checks, fresh=_FRESH_SECONDS)
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
    return Evidence(schedules, reading, log, base.signer, lambda: base.network_time.mark, exceptions.waivers)


def build_past(base: Base, runner: Runner) -> Past:
    """The bars of the last twelve months."""
    return Past(runner, base.database, base.clock)


def promise_operations(runner: Runner, past: Past) -> tuple[object, ...]:
    """What anybody may ask of the promises. A crowd that asks is given the same answer for some seconds."""
    standings = Standings(runner, fresh=_FRESH_SECONDS)
    return PromiseOperations(runner, standings), PromiseViews(runner, standings, past)


def shown_promise(runner: Runner, past: Past, promise: str) -> PromiseShown:
    """One promise for who works on this machine. Raises `NotFound` (no-such-promise)."""
    return PromiseViews(runner, Standings(runner), past).shown(promise)


def build_scheduler(base: Base, runner: Runner, past: Past) -> Scheduler:
    """What runs the checks while a server runs."""
    tallies = Tallies(base.database, base.outbox, base.clock, runner.evidence.mark)
    return Scheduler(runner, tallies, database=base.database, clock=base.clock, past=past)
