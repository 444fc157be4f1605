"""What the operator's log tells of checks: the newest run of each, and which schedule is the newest.

Read forward from where it was read last; entries that still wait for their place count too. What stands here was in
one transaction with its row, so a row without an entry, or an entry without its row, was made by somebody else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from troth.audit.log import Filter, LogReader
from troth.audit.store import entries, logs
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound
from troth.kernel.scope import as_system
from troth.promises.runs import Run
from troth.promises.store import Tally
from troth.storage.database import Database
from troth.storage.outbox import pending

LOG = "operator"
RUN, SCHEDULED, TALLY = "check.run", "check.scheduled", "check.tally"
_WINDOW_MS = 3 * 86_400_000  # read when a process begins: longer than evidence stays fresh
_WAITING = 20_000  # entries that wait for their place; there are never as many unless the log is stopped


@dataclass(frozen=True, slots=True)
class Logged:
    """What the log tells of one run of a check."""

    check: str
    sequence: int
    link: str
    request: str
    at: int
    schedule: int


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What the log tells of one version of the schedule: when it was written and when it begins (epoch ms).

    `previous` is the version that it follows; not the one before it where an operator went on over versions that a
    restore had lost.
    """

    version: int
    digest: str
    at: int
    since: int
    previous: int = field(default=0, compare=False)


class RunLog:
    """Reads the entries of runs and schedules; keeps the newest of each check."""

    def __init__(self, database: Database, reader: LogReader, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self._read_to: int | None = None
        self._newest: dict[str, Logged] = {}
        self._version = 0
        self._whole = False
        self._schedules: dict[str, Scheduled] = {}  # by request; an entry never changes
        self._reading = threading.Lock()

    @as_system
    def newest(self) -> dict[str, Logged]:
        """The newest run of each check that the log tells of: of the last three days, or of those before a silence."""
        with self._reading:
            waiting = self._waiting()  # before the log: what moves meanwhile is found there
            self._forward()
            return _newer(self._newest, waiting)

    @as_system
    def of(self, check: str) -> Logged | None:
        """The newest run of one check in the whole log; for a chain that has no head here."""
        found = self.newest().get(check)
        if found is None and not self._whole:
            with self._reading:
                self._read_to, self._whole = 0, True
            found = self.newest().get(check)
        return found

    @as_system
    def version(self) -> int:
        """The newest version of the schedule that runs or entries name, also those before a silence; 0 for none."""
        told = [one.schedule for one in self.newest().values()]
        return max([self._version, *told, *(one.version for _, one in self._scheduled())])

    @as_system
    def ever_scheduled(self) -> bool:
        """True when the log tells of any schedule, however long ago."""
        if self._scheduled():
            return True
        try:
            return self._reader.count(LOG, Filter(operation=SCHEDULED), 0, self._reader.size(LOG)) > 0
        except NotFound:
            return False

    @as_system
    def scheduled(self, request: str) -> Scheduled | None:
        """The version of the schedule that the entry of that request tells of, waiting or placed; None without one."""
        if request not in self._schedules:
            waiting = [told for name, told in self._scheduled() if name == request]
            found = waiting or self._placed(request)  # in this order: what moves meanwhile is found in the log
            if not found:
                return None
            self._schedules[request] = found[0]
        return self._schedules[request]

    @as_system
    def tallied(self, requests: Collection[str]) -> dict[str, tuple[str, dict[str, int]]]:
        """Root and counts of the tallies that the log has, by request; of those that wait for their place nothing.

        Raises `IntegrityError` (log-broken).
        """
        return {one.request: (one.root, one.counts) for one in self.tallies_of(requests)}

    @as_system
    def tallies_of(self, requests: Collection[str]) -> list[Tally]:
        """The tallies that the log has of these requests, as `tallied`; `at` is when the entry was written."""
        try:
            return _tallies(one.leaf for one in self._reader.of_requests(LOG, requests)) if requests else []
        except NotFound:  # nothing was ever recorded
            return []

    @as_system
    def tallies_waiting(self) -> list[Tally]:
        """The tallies that wait for their place."""
        with self._database.read() as connection:
            return _tallies(self._leaves(connection))

    @as_system
    def holds(self, run: Run) -> bool:
        """Whether the log, or what waits for its place there, tells of this very run; or was pruned behind it."""
        with self._reading:
            waiting = self._waiting()  # before the log: what moves meanwhile is found there
        try:
            placed = [_run(one.leaf) for one in self._reader.of_requests(LOG, {run.request})]
        except NotFound:  # nothing was ever recorded
            placed = []
        told = {(one.check, one.sequence, one.link) for one in (*waiting, *placed) if one}
        return (run.check, run.sequence, run.link) in told or run.at < self.pruned_before()

    @as_system
    def tallies_between(self, start: int, end: int) -> list[Tally]:
        """The tallies that the log has about that time (epoch ms). Reads all entries of it: for days without a row."""
        found: list[Tally] = []
        try:
            low, high = self._reader.since(LOG, start), self._reader.since(LOG, end)
            while low < high and (some := self._reader.stretch(LOG, Filter(operation=TALLY), low, high)):
                found, low = [*found, *_tallies(one.leaf for one in some)], some[-1].index + 1
        except NotFound:  # nothing was ever recorded
            return []
        return found

    @as_system
    def pruned_before(self) -> int:
        """The time (epoch ms) of the first entry that is kept, where older ones were pruned; 0 where none were."""
        try:
            first = self._reader.entries(LOG, 0, 1)
        except NotFound:
            return 0
        return int(json.loads(first[0].leaf)["time"]) if first and first[0].index else 0

    def _placed(self, request: str) -> list[Scheduled]:
        of_log = select(logs.c.number).where(logs.c.log == LOG).scalar_subquery()
        which = (entries.c.number == of_log, entries.c.request == request)
        with self._database.read() as connection:
            places = list(connection.scalars(select(entries.c.position).where(*which).order_by(entries.c.position)))
        try:
            told = [_schedule(self._reader.entry(LOG, place)) for place in places]
        except NotFound:  # it is being pruned
            return []
        return [one[1] for one in told if one is not None]

    def _waiting(self) -> list[Logged]:
        with self._database.read() as connection:
            return [one for leaf in self._leaves(connection) if (one := _run(leaf)) is not None]

    def _scheduled(self) -> list[tuple[str, Scheduled]]:
        with self._database.read() as connection:
            return [one for leaf in self._leaves(connection) if (one := _schedule(leaf)) is not None]

    def _leaves(self, connection: Any) -> list[bytes]:
        return [bytes(leaf) for _, log, leaf in pending(connection, _WAITING) if log == LOG]

    def _forward(self) -> None:
        try:
            if self._read_to is None:
                self._read_to = self._beginning()
            end = self._reader.size(LOG)
        except NotFound:  # nothing was ever recorded
            return
        for operation in (RUN, SCHEDULED):
            start = self._read_to
            while found := self._reader.stretch(LOG, Filter(operation=operation), start, end):
                self._take(one.leaf for one in found)
                start = found[-1].index + 1
        self._read_to = max(self._read_to, end)

    def _beginning(self) -> int:
        """From where on to read: three days ago, and after a longer silence from before it, so that what the log told
        last is known however long ago that was.
        """
        now, end, span = epoch_ms(self._clock.now()), self._reader.size(LOG), _WINDOW_MS
        while True:
            start = self._reader.since(LOG, now - span)
            if span >= now or self._told_between(start, end):
                return start
            end, span = start, span * 2

    def _told_between(self, start: int, end: int) -> bool:
        for operation in (RUN, SCHEDULED):
            found = self._reader.stretch(LOG, Filter(operation=operation), start, end)
            if any(_run(one.leaf) or _schedule(one.leaf) for one in found):
                return True
        return False

    def _take(self, leaves: Iterable[bytes]) -> None:
        for leaf in leaves:
            if (run := _run(leaf)) is not None:
                self._newest = _newer(self._newest, [run])
            elif (schedule := _schedule(leaf)) is not None:
                self._version = max(self._version, schedule[1].version)


def _newer(known: dict[str, Logged], more: Iterable[Logged]) -> dict[str, Logged]:
    """The later one of each check; of two that claim one place in a chain, the one that was told first."""
    merged = dict(known)
    for one in more:
        if one.check not in merged or one.sequence > merged[one.check].sequence:
            merged[one.check] = one
    return merged


def _run(leaf: bytes) -> Logged | None:
    members = _members(leaf, RUN)
    facts = members.get("facts", {})
    if "link" not in facts:
        return None  # a call, or a run of before the chain
    return Logged(
        str(facts["checks"]),
        int(facts["sequence"]),
        str(facts["link"]),
        str(members["request"]),
        int(members["time"]),
        int(facts.get("version", 0)),
    )


def _schedule(leaf: bytes) -> tuple[str, Scheduled] | None:
    members = _members(leaf, SCHEDULED)
    if not members:
        return None
    facts, at, version = members["facts"], int(members["time"]), int(members["facts"]["version"])
    since, previous = int(facts.get("since", at)), int(facts.get("previous", version - 1))
    return str(members["request"]), Scheduled(version, str(facts["digest"]), at, since, previous)


def _tallies(leaves: Iterable[bytes]) -> list[Tally]:
    told = ((one, one["facts"]) for leaf in leaves if (one := _members(leaf, TALLY)))
    return [
        Tally(str(facts["period"]), str(facts["root"]), facts["counts"], str(one["request"]), int(one["time"]))
        for one, facts in told
    ]


def _members(leaf: bytes, operation: str) -> dict[str, Any]:
    if f'"op":"{operation}"'.encode() not in leaf:
        return {}
    members: dict[str, Any] = json.loads(leaf)
    return members if members.get("op") == operation and members.get("phase") == "event" else {}
