"""Runs what is due in the present slot of the schedule. What was missed stays missed: no run is made up afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict
from troth.kernel.scope import as_system
from troth.promises import store
from troth.promises.check import Check
from troth.promises.runner import Runner
from troth.promises.schedule import ScheduleVersion, slot_at
from troth.promises.tallies import Tallies
from troth.storage.database import Database


class Scheduler:
    """One round a few seconds after the other (`tick`); what it did stands in the database, so it may die at any time.

    A look whose process dies leaves nothing: its slot is filled by the next round if it is still that slot, or missed.
    """

    def __init__(self, runner: Runner, tallies: Tallies, *, database: Database, clock: Clock) -> None:
        self._runner = runner
        self._tallies = tallies
        self._database = database
        self._clock = clock

    @as_system
    def tick(self) -> int:
        """Run every check whose present slot has no run yet; how many did. Raises `IntegrityError` (bad-schedule)."""
        schedules = self._runner.evidence.schedules
        schedules.ensure()
        schedules.tell()
        self._tallies.write()
        versions, count = schedules.versions(), 0
        for check in self._runner.checks:
            if self._runner.stopping:
                break
            slot = self._due(versions, check)
            if slot is not None:
                with suppress(Conflict):  # another server filled it
                    self._runner.run(check, slot)
                    count += 1
        return count

    def _due(self, versions: Sequence[ScheduleVersion], check: Check) -> int | None:
        """The present slot of a check, unless it has a run: asked before each look, for a round may take long."""
        present = slot_at(versions, check.id, epoch_ms(self._clock.now()))
        if present is None:
            return None
        with self._database.read() as connection:
            head = store.head(connection, check.id)
        return None if head is not None and head.slot is not None and head.slot >= present else present
