"""Runs what is due in the present slot of the schedule. What was missed stays missed: no run is made up afterwards."""

from __future__ import annotations

import time
from contextlib import suppress

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Unavailable
from troth.kernel.scope import as_system
from troth.promises import store
from troth.promises.past import Past
from troth.promises.runner import Runner
from troth.promises.schedule import slot_at
from troth.promises.tallies import Tallies
from troth.storage.database import Database

LONGEST_SECONDS = 20.0
"""Of one round: who watches over background work sees it end."""


class Scheduler:
    """One round a few seconds after the other (`tick`); what it did stands in the database, so it may die at any time.

    A look whose process dies leaves nothing: its slot is filled by the next round if it is still that slot, or missed.
    """

    def __init__(
        self, runner: Runner, tallies: Tallies, *, database: Database, clock: Clock, past: Past | None = None
    ) -> None:
        self._runner = runner
        self._past = past
        self._tallies = tallies
        self._database = database
        self._clock = clock

    @as_system
    def tick(self) -> int:
        """Run checks whose present slot has no run yet, for some seconds at most; how many did. The next round goes on.

        Raises `IntegrityError` (bad-schedule).
        """
        schedules = self._runner.evidence.schedules
        schedules.ensure()
        schedules.tell()
        self._tallies.write()
        versions, count, ends = schedules.versions(), 0, time.monotonic() + LONGEST_SECONDS
        with self._database.read() as connection:
            heads = store.heads(connection)
        waited = {check: head.at for check, head in heads.items()}
        for check in sorted(self._runner.checks, key=lambda one: waited.get(one.id, 0)):  # nobody is always the last
            if self._runner.stopping or time.monotonic() > ends:
                break
            now, head = epoch_ms(self._clock.now()), heads.get(check.id)
            slot = slot_at(versions, check.id, now)
            if slot is not None and not (head and head.fills(slot, now)):
                with suppress(Conflict):  # another server filled it
                    self._runner.run(check, slot)
                    count += 1
        if self._past is not None and not self._runner.stopping:
            with suppress(Unavailable):  # somebody reads the runs of a year just now
                self._past.summarise()
                self._past.look_on()
        return count
