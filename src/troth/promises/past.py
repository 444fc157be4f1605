"""Serves the bars of all promises: chains read once and kept thin, days that are over judged once, both looked at anew.

Strangers ask for this. A bar therefore costs the runs since the last time; a chain is read whole when it is asked for
first, and again in turn while the server runs (`look_on`), so that edited rows of old days are noticed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, func, select

from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.scope import as_system
from troth.promises.catalogue import catalogue
from troth.promises.chains import Chain, codes_of, shortest
from troth.promises.history import DAY_MS, History, Plans, Told, day_state, days, first_day, in_months
from troth.promises.own_rule import OwnRule
from troth.promises.runner import Runner
from troth.promises.schedule import ScheduleVersion
from troth.promises.schedules import standing_versions
from troth.promises.status import Declared, Evidence, Period, State
from troth.promises.store import AHEAD_MS, Tally, check_run, linked
from troth.promises.summaries import Summaries, Window
from troth.promises.told_tallies import ToldTallies
from troth.promises.turns import taken
from troth.promises.waiving import Waiver
from troth.storage.database import Database

_FRESH_SECONDS = 5.0  # a crowd that asks is given the same answer
_ROUND_SECONDS = 5.0
_ODD_SECONDS = 60.0  # between two looks at a chain in which something is wrong
_SETTLED_MS = 600_000  # after midnight, UTC: runs of yesterday are written by then
_SUMMED_SECONDS = 2.0  # of a round, for summaries of days
_LEAD_MS = 32 * DAY_MS  # read before the first month: longer than any evidence stays fresh
_QUIET_MS = _LEAD_MS - DAY_MS  # without any run at the beginning: then runs are missing


@dataclass(frozen=True, slots=True)
class _Moment:
    """What holds at the moment of an answer."""

    now: int
    present: Sequence[Declared]
    waivers: tuple[Waiver, ...]
    newest: dict[str, Evidence]


class Past:
    """The bars of twelve months, at most some seconds old. One lock: who comes while it is taken waits for a moment."""

    def __init__(self, runner: Runner, database: Database, clock: Clock, *, fresh: float = _FRESH_SECONDS) -> None:
        self._runner = runner
        self._database = database
        self._clock = clock
        self._fresh = fresh
        evidence = runner.evidence
        self._told_tallies = ToldTallies(database, evidence.log)
        versions = partial(standing_versions, evidence.schedules.versions)
        self._summaries = Summaries(database, evidence.log, versions, evidence.signer)
        self._lock = threading.Lock()
        self._chains: dict[str, Chain] = {}
        self._read_at: dict[str, float] = {}  # monotonic: when a chain was read whole
        self._to = 0  # the newest row, by its id, that was read
        self._told_counts: dict[str, tuple[list[int], list[int]]] = {}  # of each check, what the tallies say
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
        with taken(self._lock):
            return {one: dict(self._settled[one][1]) for one in catalogue() if one in self._settled}

    @as_system
    def days_of(self, own: Sequence[OwnRule]) -> dict[OwnRule, dict[int, State]]:
        """How promises that no catalogue has stood on each day of those months, by the day's beginning (epoch ms).

        Raises as `bars`.
        """
        with taken(self._lock):
            return self._days_of(own)

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

    @as_system
    def summarise(self, seconds: float = _SUMMED_SECONDS) -> int:
        """Keep what the runs of days that are over come to, for so long at most; how many days it took."""
        return self._summaries.make(self._since(), seconds)

    def _waiting(self) -> tuple[str | None, str | None]:
        with taken(self._lock):
            self._follow(standing_versions(self._runner.evidence.schedules.versions))
            planned = {one.check for version in self._versions[-1:] for one in version.checks}
            unread = min(planned - self._chains.keys(), default=None)
            return unread, min(self._chains, key=lambda one: self._read_at[one], default=None)

    def _look_at(self, check: str) -> None:
        with taken(self._lock):
            self._forward(set())
            with self._database.read() as connection:
                self._read_again(connection, check)

    def _told(self, promises: Sequence[str]) -> dict[str, History]:
        with taken(self._lock):
            stale = time.monotonic() - self._fresh
            if any(one not in self._said or self._said[one][0] <= stale for one in promises):
                found, at = self._bars(promises), time.monotonic()
                self._said |= {one: (at, bar) for one, bar in found.items()}
            return {one: self._said[one][1] for one in promises}

    def _bars(self, promises: Sequence[str]) -> dict[str, History]:
        moment = self._moment()
        told = self._evidence(moment, {check for one in promises for check in self._checks(one, moment.present)})
        found, plans = {}, Plans(self._versions, moment.present)
        for promise in promises:
            known = self._over(promise, self._upon(moment, self._checks(promise, ())))
            found[promise] = in_months(promise, _days(promise, plans, told, moment, known))
        return found

    def _days_of(self, own: Sequence[OwnRule]) -> dict[OwnRule, dict[int, State]]:
        moment = self._moment()
        told = self._evidence(moment, {check for one in own for check in one.checks})
        found = {}
        for one in own:
            plans = Plans(one.versions(self._versions), one.declared(moment.present))
            known = self._over(one.key, self._upon(moment, one.checks))
            found[one] = {day.start: said for day, said in _days(one.id, plans, told, moment, known)}
        return found

    def _moment(self) -> _Moment:
        evidence = self._runner.evidence
        now, present, waivers = epoch_ms(self._clock.now()), self._runner.declared(), tuple(evidence.waivers())
        newest = {check: runs[-1] for check, runs in evidence.reading.now().items() if runs}
        self._follow(standing_versions(evidence.schedules.versions))
        return _Moment(now, present, waivers, newest)

    def _evidence(self, moment: _Moment, wanted: set[str]) -> Told:
        self._forward(wanted)
        return Told({check: self._chains[check].evidence(moment.newest.get(check)) for check in wanted})

    def _upon(self, moment: _Moment, checks: Collection[str]) -> object:
        """What days that are over were judged upon."""
        flaws = {check: moment.newest[check].flaw if check in moment.newest else None for check in checks}
        return moment.waivers, self._versions, flaws

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
        self._versions, codes = versions, codes_of(versions)
        for check, chain in list(self._chains.items()):
            end = chain.last.at if chain.last else 0
            mine, fresh = codes.get(check, []), shortest(versions, check)
            if fresh != chain.fresh or _until(mine, end) != _until(chain.codes, end):
                del self._chains[check], self._read_at[check]
            else:
                chain.codes = mine

    def _forward(self, wanted: set[str]) -> None:
        """Read what was written since, and whole chains that were not asked for before."""
        late = time.monotonic() - _ODD_SECONDS
        odd = {one for one, chain in self._chains.items() if chain.broken and self._read_at[one] < late}
        with self._database.read() as connection:
            end = connection.scalar(select(func.max(check_run.c.id))) or 0
        if self._to < end:
            now = epoch_ms(self._clock.now())
            self._told_counts = counted(self._told_tallies.all(self._since(), now), now)
            for check, known in self._chains.items():
                known.told = self._told_counts.get(check, ([], []))
        written = (check_run.c.id > self._to, check_run.c.id <= end)
        with self._database.read() as connection:
            for run, link in linked(connection, *written, by_check=True) if self._to else ():
                chain = self._chains.get(run.check)
                if chain is not None and (run.sequence or 0) > chain.end[0]:
                    chain.take(run, link)
            self._to = end
            for check in wanted & odd:
                self._read_again(connection, check)
        if unread := wanted - self._chains.keys():
            self._begin(unread)

    def _begin(self, wanted: set[str]) -> None:
        """Chains that were not asked for before: out of the summaries of days, and of rows where there are none."""
        windows = self._summaries.windows(self._since())
        codes = codes_of(self._versions)
        with self._database.read() as connection:
            for check in wanted:
                told = self._told_counts.get(check, ([], []))
                chain = Chain(check, codes.get(check, []), shortest(self._versions, check), told)
                if not _joined(connection, chain, windows):
                    self._read(connection, check)
                    continue
                chain.begun_by(self._since() + _QUIET_MS)
                self._chains[check] = chain
                self._read_at[check] = 0.0  # its rows were not looked at yet: those of others wait

    def _read_again(self, connection: Connection, check: str) -> None:
        """The whole chain; what was said upon another one is judged anew."""
        before = self._chains.get(check)
        self._read(connection, check)
        if before is not None and not before.same(self._chains[check]):
            self._settled.clear()
            self._said.clear()

    def _read(self, connection: Connection, check: str) -> None:
        told = self._told_counts.get(check, ([], []))
        chain = Chain(check, codes_of(self._versions).get(check, []), shortest(self._versions, check), told)
        mine = (check_run.c.check_id == check, check_run.c.sequence.is_not(None), check_run.c.at >= self._since())
        for run, link in linked(connection, *mine):
            chain.take(run, link)
        chain.begun_by(self._since() + _QUIET_MS)
        self._chains[check] = chain
        self._read_at[check] = time.monotonic()

    def _since(self) -> int:
        return first_day(epoch_ms(self._clock.now())) - _LEAD_MS


def _days(
    promise: str, plans: Plans, told: Told, moment: _Moment, known: dict[int, State]
) -> Iterator[tuple[Period, State]]:
    """The days of those months with their states; `known` has those that are over and were judged."""
    now = moment.now
    for day in days(first_day(now), now):
        if day.start not in known:
            said = day_state(promise, day, plans, told, waivers=moment.waivers, now=now)
            if day.end + _SETTLED_MS >= now:
                yield day, said
                continue
            known[day.start] = said
        yield day, known[day.start]


def counted(known: Sequence[Tally], now: int) -> dict[str, tuple[list[int], list[int]]]:
    """Of each check: how many runs each tally counts, rising, and when one that counts no more was last written (epoch
    ms); without tallies of clocks that were ahead of `now`.
    """
    found: dict[str, tuple[list[int], list[int]]] = {}
    for one in sorted(known, key=lambda one: sum(one.counts.values())):
        if one.at > now + AHEAD_MS:
            continue
        for check, count in one.counts.items():
            counts, times = found.setdefault(check, ([], []))
            counts.append(max(count, counts[-1]) if counts else count)
            times.append(max(one.at, times[-1]) if times else one.at)
    return found


def _joined(connection: Connection, chain: Chain, windows: Sequence[Window]) -> bool:
    """Fill a chain out of summaries, and out of rows between and behind them. False: no summary has it."""
    mine = [one for one in windows if chain.check in one.tally.counts]
    if not any(one.parts for one in mine):
        return False
    first: int | None = mine[0].before.get(chain.check, 0)
    for one in mine:
        if one.parts is not None:
            if first is not None and first < one.before.get(chain.check, 0):
                _rows(connection, chain, first, one.before.get(chain.check, 0))
            chain.join(one.parts[chain.check])
            first = None
        elif first is None:
            first = one.before.get(chain.check, 0)
    _rows(connection, chain, chain.end[0] if first is None else first, 1 << 62)
    return True


def _rows(connection: Connection, chain: Chain, behind: int, last: int) -> None:
    which = (check_run.c.check_id == chain.check, check_run.c.sequence > behind, check_run.c.sequence <= last)
    for run, link in linked(connection, *which):
        chain.take(run, link)


def _until(codes: Sequence[tuple[int, str]], end: int) -> list[tuple[int, str]]:
    return [one for one in codes if one[0] <= end]
