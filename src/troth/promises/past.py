"""Serves the bars of all promises: chains read once and kept thin, days that are over judged once, both looked at anew.

Strangers ask for this. A bar therefore costs the runs since the last time; a chain is read whole when it is asked for
first, and again in turn while the server runs (`look_on`), so that edited rows of old days are noticed.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Unavailable
from troth.kernel.scope import as_system
from troth.promises.catalogue import catalogue
from troth.promises.chains import Chain
from troth.promises.check import Result
from troth.promises.history import DAY_MS, History, Told, day_state, days, first_day, in_months
from troth.promises.runner import Runner
from troth.promises.runs import Run
from troth.promises.schedule import ScheduleVersion, spans
from troth.promises.schedules import standing_versions
from troth.promises.status import Declared, Period, State
from troth.promises.store import check_run
from troth.promises.waiving import Waiver
from troth.storage.database import Database

_FRESH_SECONDS = 5.0  # a crowd that asks is given the same answer
_ROUND_SECONDS = 5.0
_PATIENCE = 5.0  # seconds that one waits while the runs of a year are read for another
_ODD_SECONDS = 60.0  # between two looks at a chain in which something is wrong
_SETTLED_MS = 600_000  # after midnight, UTC: runs of yesterday are written by then
_LEAD_MS = 32 * DAY_MS  # read before the first month: longer than any evidence stays fresh
_RESULTS = {one.value: one for one in Result}
_COLUMNS = tuple(
    check_run.c[name]
    for name in """check_id at result control population tested digest request sequence slot previous details schedule
    system clock link""".split()
)


class Past:
    """The bars of twelve months, at most some seconds old. One lock: who comes while it is taken waits for a moment."""

    def __init__(self, runner: Runner, database: Database, clock: Clock, *, fresh: float = _FRESH_SECONDS) -> None:
        self._runner = runner
        self._database = database
        self._clock = clock
        self._fresh = fresh
        self._lock = threading.Lock()
        self._chains: dict[str, Chain] = {}
        self._read_at: dict[str, float] = {}  # monotonic: when a chain was read whole
        self._to = 0  # the newest row, by its id, that was read
        self._versions: tuple[ScheduleVersion, ...] = ()
        self._settled: dict[str, tuple[object, dict[int, State]]] = {}  # days that are over, and what they rest on
        self._said: dict[str, tuple[float, History]] = {}

    @as_system
    def bars(self) -> dict[str, History]:
        """The months of every promise, by its id; at most five seconds old.

        Raises `Unavailable` (history-busy) while the runs of a year are read for somebody else.
        """
        return self._told(tuple(catalogue()))

    @as_system
    def bar(self, promise: str) -> History:
        """The months of one promise; only its own chains are read. Raises as `bars`."""
        return self._told((promise,))[promise]

    @as_system
    def settled(self) -> dict[str, dict[int, State]]:
        """How each promise stood on each day of those months that is over, by the day's beginning (epoch ms).

        Raises as `bars`.
        """
        self._told(tuple(catalogue()))
        with self._taken():
            return {one: dict(states) for one, (_, states) in self._settled.items()}

    @as_system
    def look_on(self, seconds: float = _ROUND_SECONDS) -> int:
        """Read chains that nobody asked for yet, for so long at most; when there are none, that again which was read
        longest ago. How many it read. What changed in old rows counts from now on.

        Raises as `bars`.
        """
        ends, count = time.monotonic() + seconds, 0
        while time.monotonic() < ends:
            unread, oldest = self._waiting()
            if not unread and (count or oldest is None):
                break
            self._look_at(unread or str(oldest))
            count += 1
        return count

    def _waiting(self) -> tuple[str | None, str | None]:
        with self._taken():
            self._follow(standing_versions(self._runner.evidence.schedules.versions))
            planned = {one.check for version in self._versions[-1:] for one in version.checks}
            unread = min(planned - self._chains.keys(), default=None)
            return unread, min(self._chains, key=lambda one: self._read_at[one], default=None)

    def _look_at(self, check: str) -> None:
        with self._taken():
            self._forward(set())
            before = self._chains.get(check)
            with self._database.read() as connection:
                self._read(connection, check)
            if before is not None and before.kept != self._chains[check].kept:
                self._settled.clear()
                self._said.clear()

    def _told(self, promises: Sequence[str]) -> dict[str, History]:
        with self._taken():
            stale = time.monotonic() - self._fresh
            if any(one not in self._said or self._said[one][0] <= stale for one in promises):
                found, at = self._bars(promises), time.monotonic()
                self._said |= {one: (at, bar) for one, bar in found.items()}
            return {one: self._said[one][1] for one in promises}

    @contextmanager
    def _taken(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_PATIENCE):
            raise Unavailable("The runs of the last months are being read; ask again in some seconds.",
                              code="history-busy")  # fmt: skip
        try:
            yield
        finally:
            self._lock.release()

    def _bars(self, promises: Sequence[str]) -> dict[str, History]:
        evidence = self._runner.evidence
        now, present, waivers = epoch_ms(self._clock.now()), self._runner.declared(), tuple(evidence.waivers())
        newest = {check: runs[-1] for check, runs in evidence.reading.now().items() if runs}
        self._follow(standing_versions(evidence.schedules.versions))
        wanted = {check for one in promises for check in self._checks(one, present)}
        self._forward(wanted)
        told = Told({check: self._chains[check].evidence(newest.get(check)) for check in wanted})
        flawed = {check: one.flaw for check, one in newest.items()}
        found = {}
        for promise in promises:
            upon = (waivers, self._versions, {one: flawed.get(one) for one in self._checks(promise, ())})
            known = self._over(promise, upon)
            found[promise] = self._bar(promise, told, known, waivers=waivers, now=now, present=present)
        return found

    def _bar(
        self,
        promise: str,
        told: Told,
        known: dict[int, State],
        *,
        waivers: tuple[Waiver, ...],
        now: int,
        present: Sequence[Declared],
    ) -> History:
        def state(day: Period) -> State:
            if day.start in known:
                return known[day.start]
            said = day_state(promise, day, self._versions, told, waivers=waivers, present=present, now=now)
            if day.end + _SETTLED_MS < now:
                known[day.start] = said
            return said

        return in_months(promise, [(day, state(day)) for day in days(first_day(now), now)])

    def _over(self, promise: str, upon: object) -> dict[int, State]:
        """The days of a promise that were judged already, upon what still holds."""
        if promise not in self._settled or self._settled[promise][0] != upon:
            self._settled[promise] = (upon, {})
        return self._settled[promise][1]

    def _checks(self, promise: str, present: Sequence[Declared]) -> set[str]:
        """Every check that covers it now, or did by any version."""
        planned = {one.check for version in self._versions for one in version.checks if promise in one.promises}
        return planned | {one.check for one in present if promise in one.promises}

    def _follow(self, versions: tuple[ScheduleVersion, ...]) -> None:
        """Chains are read again where a version says otherwise of runs that were read, which a later one does not."""
        if versions == self._versions:
            return
        self._versions, codes = versions, _codes(versions)
        for check, chain in list(self._chains.items()):
            end = chain.last.at if chain.last else 0
            mine, fresh = codes.get(check, []), _shortest(versions, check)
            if fresh != chain.fresh or _until(mine, end) != _until(chain.codes, end):
                del self._chains[check], self._read_at[check]
            else:
                chain.codes = mine

    def _forward(self, wanted: set[str]) -> None:
        """Read what was written since, and whole chains that were not asked for before."""
        with self._database.read() as connection:
            end = connection.scalar(select(func.max(check_run.c.id))) or 0
            written = select(*_COLUMNS).where(check_run.c.id > self._to, check_run.c.id <= end)
            if self._to:
                for row in connection.execute(written.order_by(check_run.c.check_id, check_run.c.sequence)):
                    chain = self._chains.get(row[0])
                    if chain is not None and (row.sequence or 0) > (chain.last.sequence if chain.last else 0):
                        chain.take(_run(row), row.link or "")
            self._to = end
            late = time.monotonic() - _ODD_SECONDS
            odd = {one for one, chain in self._chains.items() if chain.broken and self._read_at[one] < late}
            for check in (wanted - self._chains.keys()) | (wanted & odd):
                self._read(connection, check)

    def _read(self, connection: Connection, check: str) -> None:
        since = first_day(epoch_ms(self._clock.now())) - _LEAD_MS
        chain = Chain(check, _codes(self._versions).get(check, []), _shortest(self._versions, check))
        mine = (check_run.c.check_id == check, check_run.c.sequence.is_not(None), check_run.c.at >= since)
        for row in connection.execute(select(*_COLUMNS).where(*mine).order_by(check_run.c.sequence)):
            chain.take(_run(row), row.link or "")
        self._chains[check] = chain
        self._read_at[check] = time.monotonic()


def _run(row: Any) -> Run:
    check, at, result, control, population, tested, digest, request, sequence, slot, previous, details = row[:12]
    return Run(
        check, at, _RESULTS[result], _RESULTS[control], population, tested, sys.intern(digest), request, sequence,
        slot, previous or "", {} if details in (None, "{}") else json.loads(details), row[12] or 0, row[13] or "",
        row[14] or "",
    )  # fmt: skip


def _codes(versions: Sequence[ScheduleVersion]) -> dict[str, list[tuple[int, str]]]:
    """From when on which code of each check is planned; nothing where a version does not name it."""
    found: dict[str, list[tuple[int, str]]] = {}
    for version, start, _ in spans(versions):
        planned = {one.check: one.code for one in version.checks}
        for check in found.keys() | planned.keys():
            found.setdefault(check, []).append((start, planned.get(check, "")))
    return found


def _until(codes: Sequence[tuple[int, str]], end: int) -> list[tuple[int, str]]:
    return [one for one in codes if one[0] <= end]


def _shortest(versions: Sequence[ScheduleVersion], check: str) -> int:
    """The shortest time, in ms, after which its evidence was ever stale by a schedule."""
    planned = [one.fresh for version in versions for one in version.checks if one.check == check]
    return min(planned, default=0) * 1000
