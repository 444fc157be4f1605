"""The tallies as the log tells of them: rows that were edited or taken away make no run of later an old one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from troth.kernel.scope import as_system
from troth.promises.history import DAY_MS
from troth.promises.run_log import RunLog
from troth.promises.store import Tally, tallies
from troth.storage.database import Database

_LATE_MS = 600_000  # after midnight, UTC, the tally of the day is written by then
_STILL_MS = 3 * DAY_MS  # after a day: what was written for it has its place in the log


class ToldTallies:
    """Keeps what it read, for an entry never changes; a day without one is looked for in the log once."""

    def __init__(self, database: Database, log: RunLog) -> None:
        self._database = database
        self._log = log
        self._known: dict[str, Tally] = {}
        self._searched: set[int] = set()

    @as_system
    def all(self, since: int, now: int) -> list[Tally]:
        """Those of the log, of days from `since` on (epoch ms), and rows that it has no entry of, waiting or pruned.

        Raises `IntegrityError` (log-broken).
        """
        with self._database.read() as connection:
            rows = tallies(connection)
        self._add(self._log.tallies_of({one.request for one in rows} - self._known.keys()))
        told = {one.day for one in self._known.values()}
        ended = range(since // DAY_MS * DAY_MS, now - DAY_MS - _LATE_MS, DAY_MS)
        missing = [day for day in ended if day not in self._searched and _name(day) not in told]
        for first, last in _stretches(missing):
            self._add(self._log.tallies_between(first + DAY_MS, last + 2 * DAY_MS + _LATE_MS))
        self._searched |= {day for day in missing if day + _STILL_MS < now}
        return [*self._known.values(), *(one for one in rows if one.request not in self._known)]

    @as_system
    def written(self, since: int, now: int) -> list[Tally]:
        """Those of the log and those that wait for their place there, by the time when they were written."""
        self.all(since, now)
        waiting = {one.request: one for one in self._log.tallies_waiting()}
        return sorted((waiting | self._known).values(), key=lambda one: one.at)

    def _add(self, found: Sequence[Tally]) -> None:
        self._known |= {one.request: one for one in found}


def _name(day: int) -> str:
    return datetime.fromtimestamp(day / 1000, UTC).strftime("%Y-%m-%d")


def _stretches(missing: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of days that follow each other."""
    first = None
    for place, day in enumerate(missing):
        first = day if first is None else first
        if missing[place + 1 : place + 2] != [day + DAY_MS]:
            yield first, day
            first = None
