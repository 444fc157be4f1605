"""The figures of each day, written into the operator's log once: what the page says later can be held against them."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.exc import IntegrityError as Duplicate

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder, checked_facts
from troth.kernel.scope import as_system
from troth.storage.database import Database
from troth.telemetry import samples
from troth.telemetry.figures import day_of
from troth.telemetry.samples import DAY_MS

OPERATION = "status.day"
LOG = "operator"
_LOOKED_BACK = 7  # days: a server that was off for longer took no looks anyway


class LogProofs(Protocol):
    """Finds and proves entries of a log; `audit` has it."""

    def locate(self, log: str, request_id: str) -> list[int]:
        """The indexes of a request's entries, in order; empty while they wait."""
        ...

    def proof(self, log: str, index: int) -> str:
        """A `.tlog-proof`. Raises `NotFound`, `Unavailable`."""
        ...


class LogEntries(Protocol):
    """Reads entries of a log; `audit` has it."""

    def entry(self, log: str, index: int) -> bytes:
        """The leaf. Raises `NotFound`."""
        ...


class Days:
    """Signs past days, and gives out the entries of signed ones - no other entry of the log."""

    def __init__(
        self, database: Database, recorder: Recorder, clock: Clock, *, proofs: LogProofs, entries: LogEntries
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._proofs = proofs
        self._entries = entries

    @as_system
    def sign(self) -> int:
        """Record every day that is over, was looked at and has no entry; how many. For a job."""
        now = epoch_ms(self._clock.now())
        today = now - now % DAY_MS
        count = 0
        for start in range(today - _LOOKED_BACK * DAY_MS, today, DAY_MS):
            count += self._sign(start, now)
        return count

    @as_system  # the log is the operators'; what a stranger gets of it are these entries alone
    def entry(self, day: str) -> bytes:
        """The log's entry of a day, byte for byte. Raises `NotFound`, `Unavailable`."""
        return self._entries.entry(LOG, self._index(day))

    @as_system
    def proof(self, day: str) -> str:
        """Its `.tlog-proof` under the newest checkpoint. Raises `NotFound`, `Unavailable`."""
        return self._proofs.proof(LOG, self._index(day))

    def _index(self, day: str) -> int:
        with self._database.read() as connection:
            request = samples.signed_days(connection).get(day)
        if request is None:
            raise NotFound("The figures of this day are not in the log.", code="no-such-day")
        found = self._proofs.locate(LOG, request)
        if not found:
            raise Unavailable("The entry has no place in the log yet; try again in a second.", code="entry-waits")
        return found[0]

    def _sign(self, start: int, now: int) -> int:
        day, request = day_of(start), new_id("run")
        try:
            with self._database.write() as connection:
                rows = [one for one in samples.recorded(connection, start) if one.hour < start + DAY_MS]
                if not rows or day in samples.signed_days(connection):
                    return 0
                counts = {
                    f"{target}.{name}": number
                    for target, (looks, available, due) in samples.totals(rows).items()
                    for name, number in (("looks", looks), ("available", available), ("due", due))
                }
                facts = checked_facts({"period": day, "counts": counts})
                entry = Entry(LOG, OPERATION, "event", Outcome.DONE, request, "svc_status", None, now, facts=facts)
                samples.mark_signed(connection, day, request, now)
                self._recorder.record_within(connection, entry)
        except Duplicate:  # another process was first
            return 0
        return 1
