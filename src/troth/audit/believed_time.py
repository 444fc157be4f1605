"""From when on something is old, for what cannot be brought back: a clock that jumped ahead makes nothing old.

Two must agree with the clock. Network time, where time servers are set up: a clock that it does not confirm is not
believed. And the operators' log, which lives on disk: a clock that was set ahead leaves a hole in the times of its
entries, and so does a machine that was off. The days behind such a hole must be lived through before they count, so
the log has to have entries in each of the last three stretches of three days. A jump of less than that may pass.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from troth.audit import store
from troth.audit.log import LogReader
from troth.audit.meta import OPERATOR
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Unavailable
from troth.kernel.scope import as_system
from troth.storage.database import Database

DAY_MS = 86_400_000
STRETCH_DAYS, STRETCHES = 3, 3


class BelievedTime:
    """The clock, believed only with reason. `confirmed` says what network time does, None without servers for it."""

    def __init__(self, database: Database, clock: Clock, confirmed: Callable[[], bool | None]) -> None:
        self._database = database
        self._reader = LogReader(database)
        self._clock = clock
        self._confirmed = confirmed

    def before(self, days: int) -> int:
        """The moment `days` ago by the clock, in epoch milliseconds. Says nothing of whether that is believed."""
        return epoch_ms(self._clock.now()) - days * DAY_MS

    @as_system
    def require(self) -> None:
        """Raise `Unavailable` (clock-not-believed) while the clock may have jumped ahead."""
        if self._confirmed() is False:
            raise Unavailable(
                "Network time does not confirm this machine's clock, so nothing is old enough to be dropped; correct "
                "the clock, or TROTH_CLOCKS__SERVERS. It goes on by itself then.",
                code="clock-not-believed",
            )
        with self._database.read() as connection:
            head = store.find_head(connection, OPERATOR)
            began = _began(connection, head) if head is not None else None
        if began is not None and not all(self._lived(began, back) for back in range(1, STRETCHES + 1)):
            raise Unavailable(
                f"The operators' log has no entries in a part of the last {STRETCH_DAYS * STRETCHES} days: this "
                "machine was off, or its clock jumped ahead. Nothing is old enough to be dropped before it has run for "
                "so long; look at the clock.",
                code="clock-not-believed",
            )

    def _lived(self, began: int, back: int) -> bool:
        """Whether the log has an entry in a stretch, or began after it."""
        start = self.before(back * STRETCH_DAYS)
        end = start + STRETCH_DAYS * DAY_MS
        if began >= end:
            return True
        with self._database.read() as connection:
            head = store.head(connection, OPERATOR)
            place = self._reader.since(OPERATOR, start)
            return place < head.size and store.time_at(connection, head.number, place) < end


def _began(connection: Connection, head: store.StoredHead) -> int:
    """When the log began, in epoch ms; 0 when its newest entry is older than that: the clock was ahead then."""
    began = store.time_at(connection, head.number, head.first)
    return began if head.size == head.first or store.time_at(connection, head.number, head.size - 1) >= began else 0
