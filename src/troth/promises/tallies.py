"""The tally of each day: how many runs every check has had, in the log, so that nobody takes the last ones away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import IntegrityError as Duplicate

from troth.audit.merkle import Frontier, leaf_hash
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder, checked_facts
from troth.kernel.scope import as_system
from troth.promises import store
from troth.promises.run_log import LOG
from troth.promises.store import Head, Tally
from troth.storage.database import Database

OPERATION = "check.tally"
_AFTER = timedelta(minutes=5)  # past midnight, UTC: runs that began before it are written by then


class Tallies:
    """Writes one tally for each day that is over; none while the clock is marked as wrong."""

    def __init__(
        self, database: Database, recorder: Recorder, clock: Clock, mark: Callable[[], str | None] = lambda: None
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._mark = mark
        self._written = ""  # the last day that is known to have one

    @as_system
    def write(self) -> bool:
        """Record the tally of yesterday, where there is none yet. True when it did."""
        moment = self._clock.now()
        day = (moment - _AFTER - timedelta(days=1)).strftime("%Y-%m-%d")
        now = epoch_ms(moment)
        if self._mark() or self._written == day:
            return False
        with self._database.read() as connection:
            newest, heads = store.newest_tally(connection, day), store.heads(connection)
        if newest is not None and newest.day == day:  # one of a later day was written by a clock that was ahead
            self._written = day
        if not heads or self._written == day:
            return False
        tally = Tally(day, root_of(heads), {check: head.sequence for check, head in heads.items()}, new_id("run"), now)
        facts = checked_facts({"period": day, "root": tally.root, "counts": tally.counts})
        entry = Entry(LOG, OPERATION, "event", Outcome.DONE, tally.request, "svc_promises", None, now, facts=facts)
        try:
            with self._database.write() as connection:
                store.add_tally(connection, tally)
                self._recorder.record_within(connection, entry)
        except Duplicate:  # another process was first
            return False
        return True


def root_of(heads: dict[str, Head]) -> str:
    """The RFC 6962 root, in hex, over a leaf `check sequence link` for each check, in order of their ids."""
    tree = Frontier()
    for check, head in sorted(heads.items()):
        tree.append(leaf_hash(f"{check} {head.sequence} {head.link}".encode()))
    return tree.root().hex()
