"""What the runs of a check come to in a period: expected = done + missed, when it failed, when nobody looked. Pure.

Expected looks come from the schedule alone. Everything is computed a second time, by other code, in `verify`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress, groupby, pairwise
from operator import le, not_, sub

from troth.promises.check import Result
from troth.promises.period.columns import Stretch
from troth.promises.period.report import CheckPeriod, Episode, Gap, PromisePeriod
from troth.promises.schedule import Planned, ScheduleVersion
from troth.promises.status import Period, State
from troth.promises.waiving import Waiver

SLACK_MS = 300_000
"""How long after it a run may come into the log: a look takes five minutes at most."""
AHEAD_MS = 60_000
"""How far the clocks of two servers may be apart."""
_SECOND = 1000
_PASS, _FAIL, _ERROR, _ABSENT = (one.value for one in (Result.PASS, Result.FAIL, Result.ERROR, Result.NOT_CONFIGURED))
_SAYS = {_PASS: State.KEPT, _FAIL: State.NOT_KEPT, _ERROR: State.UNKNOWN, _ABSENT: State.NOT_CONFIGURED}
_WORST = (State.NOT_KEPT, State.UNKNOWN, State.NOT_CONFIGURED, State.EXCEPTION, State.KEPT)
LOST, STALE, NEVER, DISORDER, UNCLEAR = "lost", "stale", "never-run", "out-of-order", "no-verdict"
FAILED, ABSENT, PASSED, EXCUSED = "failed", "not-configured", "passed", "excused"
_REASONS = {State.NOT_KEPT: FAILED, State.UNKNOWN: UNCLEAR, State.NOT_CONFIGURED: ABSENT, State.KEPT: PASSED}


@dataclass(frozen=True, slots=True)
class Told:
    """What one tally in the log says of a check: how many runs it had had at that moment (epoch ms)."""

    at: int
    count: int


@dataclass(frozen=True, slots=True)
class Looked:
    """A check's figures, and what its failing runs need to be excused: each run's moments."""

    figures: CheckPeriod
    failing: tuple[tuple[int, ...], ...]
    unknown: bool  # for another reason than a failing run


@dataclass(frozen=True, slots=True)
class _Span:
    plan: Planned
    start: int  # when the version begins, which is where its slots are counted from
    slots: range


def spans(versions: Sequence[ScheduleVersion]) -> list[tuple[ScheduleVersion, int, int]]:
    """Each version with [start, end) of its time, empty ones left out (`schedule.slots` counts the same way)."""
    ordered, until, found = sorted(versions, key=lambda one: one.version), 1 << 62, []
    for one in reversed(ordered):
        start = min(one.starts, until)
        if start < until:
            found.append((one, start, until))
        until = start
    return found[::-1]


def look(
    check: str,
    stretches: Sequence[Stretch],
    versions: Sequence[ScheduleVersion],
    tallies: Sequence[Told],
    period: Period,
) -> Looked:
    """The figures of one check. `tallies` from the one before the period to the one that closes it, in order."""
    opened = tallies[0].at <= period.start
    planned = list(_planned(check, versions, period))
    seen = _seen(stretches, versions, tallies, planned)
    slots = [slot for one in planned for slot in one.slots]
    filled = seen.filled
    missed = [slot for slot in slots if slot not in filled]
    before, within = seen.cut(period)
    plan = planned[-1].plan
    figures = CheckPeriod(
        check,
        plan.promises,
        plan.every,
        plan.fresh,
        plan.scope,
        plan.population,
        State.UNKNOWN,
        "",
        expected=len(slots),
        done=len(slots) - len(missed),
        missed=len(missed),
        late=sum(within.late),
        extra=len(within.slot) - within.of(set(slots)),
        lost=tallies[-1].count - tallies[0].count * opened - len(seen.at),
        outcomes=dict(Counter(within.outcome)),
        episodes=tuple(_episodes(before.then(within))),
        gaps=tuple(_gaps(missed, planned)),
        first=within.number[0] if within.number else 0,
        last=within.number[-1] if within.number else 0,
    )
    # From when on it was planned; to the end, for what was dropped shows nothing any more.
    return _judged(figures, before.then(within), Period(max(period.start, planned[0].start), period.end))


@dataclass(frozen=True, slots=True)
class _Seen:
    """Runs with what they come to, in columns of one length."""

    slot: Sequence[int | None]
    at: Sequence[int]
    outcome: Sequence[str]
    number: Sequence[int]
    late: Sequence[bool]

    @property
    def filled(self) -> set[int | None]:
        """The slots that a run fills in time."""
        return set(compress(self.slot, map(not_, self.late))) if any(self.late) else set(self.slot)

    def of(self, slots: set[int]) -> int:
        """How many runs are in one of these slots."""
        return sum(slot in slots for slot in self.slot)

    def cut(self, period: Period) -> tuple[_Seen, _Seen]:
        """The last run before a period, and those in it."""
        if _sorted(self.at):
            start, end = (bisect_left(self.at, moment) for moment in (period.start, period.end))
            return self._part(slice(max(0, start - 1), start)), self._part(slice(start, end))
        early = [place for place, at in enumerate(self.at) if at < period.start]
        within = [place for place, at in enumerate(self.at) if period.start <= at < period.end]
        return self._some(early[-1:]), self._some(within)

    def then(self, more: _Seen) -> _Seen:
        """These, and more behind them."""
        return _Seen(*([*getattr(self, one), *getattr(more, one)] for one in _SEEN)) if self.at else more

    def _part(self, part: slice) -> _Seen:
        return _Seen(*(getattr(self, one)[part] for one in _SEEN))

    def _some(self, places: Sequence[int]) -> _Seen:
        return _Seen(*([getattr(self, one)[place] for place in places] for one in _SEEN))


_SEEN = ("slot", "at", "outcome", "number", "late")


def _planned(check: str, versions: Sequence[ScheduleVersion], period: Period) -> Iterator[_Span]:
    for version, start, end in spans(versions):
        plan = version.plan(check)
        if plan is not None and start < period.end and end > period.start:
            step = plan.every * _SECOND
            first = start + max(0, -(-(period.start - start) // step)) * step
            yield _Span(plan, start, range(first, min(end, period.end), step))


def _seen(
    stretches: Sequence[Stretch], versions: Sequence[ScheduleVersion], tallies: Sequence[Told], planned: Sequence[_Span]
) -> _Seen:
    found = _Seen([], [], [], [], [])
    for one in stretches:
        late = [False] * len(one.at)
        for place in _late(one, tallies, planned):
            late[place] = True
        found = found.then(_Seen(one.slot, one.at, _outcomes(one, versions), range(one.first, one.last + 1), late))
    return found


def _outcomes(one: Stretch, versions: Sequence[ScheduleVersion]) -> list[str]:
    columns = (one.result, one.control, one.code, _codes(one, versions), one.clock)
    meant = {said: _outcome(*said) for said in set(zip(*columns, strict=True))}
    if len(set(meant.values())) == 1:
        return [next(iter(meant.values()))] * len(one.at)
    return [meant[said] for said in zip(*columns, strict=True)]


def _outcome(result: str, control: str, code: str, planned: str, clock: str) -> str:
    """A run counts only when its control failed, its code is what the schedule names, and its clock was right."""
    sound = control == _FAIL and code == planned and not clock
    return result if sound and result in _SAYS else _ERROR


def _codes(one: Stretch, versions: Sequence[ScheduleVersion]) -> Sequence[str]:
    """The code that the version in force at the time of each run names; nothing when it names none."""
    known = spans(versions)
    starts = [start for _, start, _ in known]
    plans = [version.plan(one.check) for version, _, _ in known]
    codes = ["", *(plan.code if plan else "" for plan in plans)]
    if _sorted(one.at):
        edges = [0, *(bisect_left(one.at, start) for start in starts), len(one.at)]
        return [code for code, (low, high) in zip(codes, pairwise(edges), strict=True) for _ in range(low, high)]
    return [codes[sum(start <= at for start in starts)] for at in one.at]


def _late(one: Stretch, tallies: Sequence[Told], planned: Sequence[_Span]) -> set[int]:
    """The places of runs that are not where their time says: a tally contradicts it, or their slot was over."""
    found: set[int] = set()
    edges = [max(0, min(told.count + 1 - one.first, len(one.at))) for told in tallies]
    for number, told in enumerate(tallies):
        since = edges[number - 1] if number else 0
        found.update(place for place in range(since, edges[number]) if one.at[place] > told.at + AHEAD_MS)
        until = edges[number + 1] if number + 1 < len(tallies) else len(one.at)
        found.update(place for place in range(edges[number], until) if one.at[place] + SLACK_MS < told.at)
    if not _prompt(one, min((span.slots.step for span in planned), default=0)):
        found.update(
            place
            for place, (slot, at) in enumerate(zip(one.slot, one.at, strict=True))
            if slot is not None and not -AHEAD_MS <= at - slot < _length(slot, planned) + SLACK_MS
        )
    return found


def _prompt(one: Stretch, shortest: int) -> bool:
    """True when all runs are in slots, each soon after it began: the usual case, told quickly."""
    if None in one.slot:
        return False
    offsets = [at - slot for at, slot in zip(one.at, one.slot, strict=True) if slot is not None]
    return min(offsets) >= -AHEAD_MS and max(offsets) < shortest + SLACK_MS


def _length(slot: int, planned: Sequence[_Span]) -> int:
    """How long a slot is, in milliseconds; without an end when no version has it here."""
    return next((one.slots.step for one in planned if slot in one.slots), 1 << 62)


def _episodes(seen: _Seen) -> Iterator[Episode]:
    if not {_FAIL, _ERROR}.intersection(seen.outcome):
        return
    together = [(outcome, list(same)) for outcome, same in groupby(range(len(seen.at)), key=seen.outcome.__getitem__)]
    for place, (outcome, same) in enumerate(together):
        if outcome in (_FAIL, _ERROR):
            closed = seen.at[together[place + 1][1][0]] if place + 1 < len(together) else None
            yield Episode(outcome, seen.at[same[0]], closed, seen.number[same[0]], seen.number[same[-1]])


def _gaps(missed: Sequence[int], planned: Sequence[_Span]) -> Iterator[Gap]:
    """Missed slots that lie side by side, over changes of the pace too."""
    run: list[int] = []
    for span in planned:
        lost = sorted(set(missed).intersection(span.slots))
        for slot in lost:
            if run and run[2] != slot:
                yield Gap(run[0], run[2], run[1])
                run = []
            start, count = (run[0], run[1]) if run else (slot, 0)
            run = [start, count + 1, min(slot + span.slots.step, span.slots.stop)]
    if run:
        yield Gap(run[0], run[2], run[1])


def _judged(figures: CheckPeriod, seen: _Seen, span: Period) -> Looked:
    """The state without waivers, as `status` gives it for the same runs; late runs do not keep evidence fresh."""
    said = {_SAYS[outcome] for outcome in set(seen.outcome)}
    found = [(state, _REASONS[state]) for state in said]
    timely = list(compress(seen.at, map(not_, seen.late))) if any(seen.late) else seen.at
    flawed = LOST if figures.lost else _flaw(timely, figures.fresh, span)
    if flawed:
        found.append((State.UNKNOWN, flawed))
    state, reason = min(found, key=lambda one: (_WORST.index(one[0]), one[1]))
    failing = tuple(
        (max(at, span.start), span.end) if place + 1 == len(seen.at) else (max(at, span.start),)
        for place, (at, outcome) in enumerate(zip(seen.at, seen.outcome, strict=True))
        if outcome == _FAIL
    )
    unknown = bool(flawed) or State.UNKNOWN in said
    return Looked(replace(figures, state=state, reason=reason), failing, unknown)


def _flaw(times: Sequence[int], fresh: int, span: Period) -> str:
    if not times:
        return NEVER
    if not _sorted(times):
        return DISORDER
    points = [min(span.start, times[0]), *times, span.end]
    return STALE if max(map(sub, points[1:], points)) > fresh * _SECOND else ""


def promises(looked: Mapping[str, Looked], waivers: Sequence[Waiver]) -> Iterator[PromisePeriod]:
    """Each promise that a check of the period covers, with the worst that any of them says."""
    covering: dict[str, list[Looked]] = {}
    for one in looked.values():
        for promise in one.figures.promises:
            covering.setdefault(promise, []).append(one)
    for promise, some in sorted(covering.items()):
        found = [_excused(promise, one, waivers) for one in some]
        state, reason, _ = min(found, key=lambda one: (_WORST.index(one[0]), one[1]))
        used = sorted({name for _, _, names in found for name in names})
        yield PromisePeriod(promise, state, reason, tuple(sorted(one.figures.check for one in some)), tuple(used))


def _excused(promise: str, one: Looked, waivers: Sequence[Waiver]) -> tuple[State, str, tuple[str, ...]]:
    """What a check says of a promise; where each failing run is excused, what is left: unknown, or an exception."""
    figures, used = one.figures, []
    if figures.state is not State.NOT_KEPT:
        return figures.state, figures.reason, ()
    for moments in one.failing:
        live = [w.id for w in waivers if all(w.excuses(promise, figures.check, moment) for moment in moments)]
        if not live:
            return figures.state, figures.reason, ()
        used.append(live[0])
    if one.unknown:
        return State.UNKNOWN, UNCLEAR, tuple(used)
    absent = figures.outcomes.get(_ABSENT, 0) > 0
    return (State.NOT_CONFIGURED, ABSENT, tuple(used)) if absent else (State.EXCEPTION, EXCUSED, tuple(used))


def _sorted(times: Sequence[int]) -> bool:
    return all(map(le, times, times[1:]))
