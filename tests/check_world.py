"""A world in which checks run by a schedule: fake checks, the real log, chain, signatures and status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from log_world import TestKey
from log_world import World as LogWorld
from troth.kernel.clock import epoch_ms
from troth.promises.check import Check, Facts, counted
from troth.promises.looking import Looks
from troth.promises.reading import Reading
from troth.promises.run_log import RunLog
from troth.promises.runner import Evidence, Runner
from troth.promises.schedule import digest_of, text_of
from troth.promises.scheduler import Scheduler
from troth.promises.schedules import LEAD_MS, Schedules
from troth.promises.status import State
from troth.promises.tallies import Tallies
from troth.promises.waiving import Waiver
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.outbox import Outbox
from worlds import FaultList, MovableClock

ONE, OTHER = "CRY-01", "CRY-02"
DAILY = {"every": 86_400, "fresh": 26 * 3600}


def good(_system: object) -> Facts:
    """Two things, both as promised."""
    return counted([True, True])


def bad(_system: object) -> Facts:
    """Two things, one of them wrong."""
    return counted([True, False])


def check(name: str = "one", promises: tuple[str, ...] = (ONE,), **members: object) -> Check:
    """A check that passes and whose control fails, but for `members`."""
    values: dict[str, object] = {"observe": good, "sabotage": bad, "every": 3600, "fresh": 7200}
    return Check(name, promises, "Looks at two things that are made for it, and at nothing else.", **(values | members))  # type: ignore[arg-type]


@dataclass
class CheckWorld:
    """Checks over a database; `another` is a process that looks with the same code, or with other code."""

    database: Database
    folder: Path
    checks: tuple[Check, ...] = (check(),)
    clock: MovableClock = field(default_factory=MovableClock)
    key: TestKey = field(default_factory=TestKey)
    mark: str | None = None
    waivers: tuple[Waiver, ...] = ()
    seconds: float = 60.0
    every: float = 3600
    log_world: LogWorld | None = None

    def __post_init__(self) -> None:
        self.log_world = self.log_world or LogWorld(self.database, LocalBlobs(self.folder / "blobs"), self.folder)
        self.outbox = Outbox(self.database)
        log = RunLog(self.database, self.log_world.reader, self.clock)
        self.schedules = Schedules(
            self.checks,
            database=self.database,
            recorder=self.outbox,
            clock=self.clock,
            signer=self.key,
            log=log,
            every=self.every,
        )
        self.reading = Reading(self.database, log, self.schedules, self.key)
        evidence = Evidence(
            self.schedules, self.reading, log, self.key, lambda: self.mark, lambda: self.waivers, Looks(self.seconds)
        )
        self.faults = FaultList()
        self.runner = Runner(
            self.checks,
            object,
            evidence=evidence,
            database=self.database,
            recorder=self.outbox,
            clock=self.clock,
            faults=self.faults,
        )
        self.tallies = Tallies(self.database, self.outbox, self.clock, evidence.mark)
        self.scheduler = Scheduler(self.runner, self.tallies, database=self.database, clock=self.clock)

    def another(self, checks: Sequence[Check] | None = None, **members: object) -> CheckWorld:
        """Another process on the same database and clock."""
        values: dict[str, object] = {"clock": self.clock, "key": self.key, "log_world": self.log_world}
        return CheckWorld(self.database, self.folder, tuple(checks or self.checks), **(values | members))  # type: ignore[arg-type]

    def state(self, promise: str = ONE) -> State:
        """What is said of a promise now."""
        return next(standing.state for one, standing in self.runner.table() if one.id == promise)

    def reason(self, promise: str = ONE) -> str:
        """Why."""
        return next(standing.reason for one, standing in self.runner.table() if one.id == promise)

    def place(self) -> None:
        """Give every waiting entry its place in the log, under a signed checkpoint."""
        assert self.log_world is not None
        self.log_world.sequencer.start()
        self.log_world.sequencer.flush()
        self.log_world.sequencer.stop()

    def confirm(self) -> None:
        """An operator confirms what the code asks for, and the lead passes."""

        self.schedules.confirm("usr_operator", digest_of(text_of(self.schedules.proposed())))
        self.clock.forward(milliseconds=LEAD_MS)

    @property
    def now(self) -> int:
        return epoch_ms(self.clock.now())


def hourly(names: Sequence[str], observe: Callable[[object], Facts] = good) -> tuple[Check, ...]:
    """Checks of the first promise, by the hour."""
    return tuple(check(name, observe=observe) for name in names)


def four_days(database: Database, folder: Path) -> CheckWorld:
    """Four days of a check of the first promise, and of one of the other that found something broken on the third."""
    checks = (check("one", (ONE,), **DAILY), check("two", (OTHER,), **DAILY))
    made = CheckWorld(database, folder, checks)
    for day in range(4):
        now = made if day != 2 else made.another((checks[0], check("two", (OTHER,), observe=bad, **DAILY)))
        now.scheduler.tick()
        made.clock.forward(days=1)
    made.scheduler.tick()
    return made
