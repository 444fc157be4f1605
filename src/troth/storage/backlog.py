"""How many entries may wait for their place in the log before operations are refused.

The sequencer places what waits several times a second. When it stands still (a fault that a person must look at, a disk
that is too slow) the outbox would grow until the disk is full; instead operations are refused while there is still room
to repair things in.
"""

from __future__ import annotations

import time

from sqlalchemy import Column, func, select

from troth.kernel.errors import Unavailable
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database

BACKLOG = 1_000_000  # entries; some 400 MB, and more than an hour of 100 operations a second
FULL = "log-backlog"
_STEP = 1000  # entries taken in between two looks; each process may go beyond the limit by so many
_LOOK_SECONDS = 1.0  # while it is full


class Backlog:
    """Room for entries in the outbox, measured now and then; threads that meet may lose a count, not a look."""

    def __init__(self, database: Database, sequence: Column[int], most: int) -> None:
        """`sequence` numbers what waits."""
        self._database = database
        lowest, highest = (select(end(sequence)).scalar_subquery() for end in (func.min, func.max))
        self._ends = select(lowest, highest)  # apart, or SQLite reads the whole table for them
        self._count = select(func.count()).select_from(sequence.table)
        self._most = most
        self._room = 0
        self._full_until = 0.0

    def take(self, count: int) -> None:
        """Room for `count` more. Raises `Unavailable` (`log-backlog`) when `most` wait already."""
        self._room -= count
        if self._room >= 0:
            return
        if time.monotonic() < self._full_until:
            raise full()
        free = self._most - self._waiting()
        if free <= 0:
            self._full_until = time.monotonic() + _LOOK_SECONDS
            raise full()
        self._room = min(free, _STEP) - count

    def _waiting(self) -> int:
        """How many wait; counted only when the numbers, which may have gaps, say that they are too many."""
        with self._database.read(SYSTEM) as connection:
            first, last = connection.execute(self._ends).one()
            waiting = 0 if first is None else int(last) - int(first) + 1
            return waiting if waiting < self._most else int(connection.scalar(self._count) or 0)


def full() -> Unavailable:
    """The refusal."""
    return Unavailable(
        "Too many audit entries wait for their place in the log, so nothing was done; tell the operator that the log "
        "stands still.",
        code=FULL,
    )
