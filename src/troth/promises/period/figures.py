"""What the runs of a check come to in a period: expected = done + missed, when it failed, when nobody looked. Pure.

Expected looks come from the schedule alone. Everything is computed a second time, by other code, in `verify`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import le

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
STALE, NEVER, DISORDER, UNCLEAR = "stale", "never-run", "out-of-order", "no-verdict"
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
    planned = list(_planned(check, versions, period))
    runs = [row for one in stretches for row in _rows(one, versions, tallies, planned)]
    filled = {slot for slot, _, _, _, late in runs if slot is not None and not late}
    slots = [slot for one in planned for slot in one.slots]
    missed = [slot for slot in slots if slot not in filled]
    within = [row for row in runs if period.start <= row[1] < period.end]
    before = [row for row in runs if row[1] < period.start][-1:]
    known, plan = set(slots), planned[-1].plan
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
        late=sum(row[4] for row in within),
        extra=sum(row[0] not in known for row in within),
        outcomes=dict(Counter(row[2] for row in within)),
        episodes=tuple(_episodes([*before, *within])),
        gaps=tuple(_gaps(missed, planned)),
        first=within[0][3] if within else 0,
        last=within[-1][3] if within else 0,
    )
    return _judged(figures, before, within, _covered(planned, period))


_Row = tuple[int | None, int, str, int, bool]  # slot, at, outcome, sequence, late


def _planned(check: str, versions: Sequence[ScheduleVersion], period: Period) -> Iterator[_Span]:
    for version, start, end in spans(versions):
        plan = version.plan(check)
        if plan is not None and start < period.end and end > period.start:
            step = plan.every * _SECOND
            first = start + max(0, -(-(period.start - start) // step)) * step
            yield _Span(plan, start, range(first, min(end, period.end), step))


def _covered(planned: Sequence[_Span], period: Period) -> Period:
    """From when on the check was planned in the period; to its end, for what was dropped shows nothing any more."""
    return Period(max(period.start, planned[0].start), period.end)


def _rows(
    one: Stretch, versions: Sequence[ScheduleVersion], tallies: Sequence[Told], planned: Sequence[_Span]
) -> Iterator[_Row]:
    codes = list(_codes(one, versions))
    lates = _late(one, tallies, planned)
    seen: dict[tuple[str, ...], str] = {}
    columns = zip(one.slot, one.at, one.result, one.control, one.code, codes, one.clock, strict=True)
    for place, (slot, at, *said) in enumerate(columns):
        key = tuple(said)
        outcome = seen.get(key)
        if outcome is None:
            outcome = seen[key] = _outcome(*key)
        yield slot, at, outcome, one.first + place, place in lates


def _outcome(result: str, control: str, code: str, planned: str, clock: str) -> str:
    """A run counts only when its control failed, its code is what the schedule names, and its clock was right."""
    sound = control == _FAIL and code == planned and not clock
    return result if sound and result in _SAYS else _ERROR


def _codes(one: Stretch, versions: Sequence[ScheduleVersion]) -> Iterable[str]:
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
    timed = [
        (place, slot, at) for place, (slot, at) in enumerate(zip(one.slot, one.at, strict=True)) if slot is not None
    ]
    shortest = min((span.slots.step for span in planned), default=0)
    offsets = [at - slot for _, slot, at in timed]
    if offsets and not (min(offsets) >= -AHEAD_MS and max(offsets) < shortest + SLACK_MS):
        found.update(
            place for place, slot, at in timed if not -AHEAD_MS <= at - slot < _length(slot, planned) + SLACK_MS
        )
    return found


def _length(slot: int, planned: Sequence[_Span]) -> int:
    """How long a slot is, in milliseconds; without an end when no version has it here."""
    return next((one.slots.step for one in planned if slot in one.slots), 1 << 62)


def _episodes(rows: Sequence[_Row]) -> Iterator[Episode]:
    together = [(outcome, list(same)) for outcome, same in groupby(rows, key=lambda row: row[2])]
    for place, (outcome, same) in enumerate(together):
        if outcome in (_FAIL, _ERROR):
            closed = together[place + 1][1][0][1] if place + 1 < len(together) else None
            yield Episode(outcome, same[0][1], closed, same[0][3], same[-1][3])


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


def _judged(figures: CheckPeriod, before: Sequence[_Row], within: Sequence[_Row], span: Period) -> Looked:
    """The state without waivers, as `status` gives it for the same runs; late runs do not keep evidence fresh."""
    rows = [*before, *within]
    said = {_SAYS[row[2]] for row in rows}
    found = [(state, _REASONS[state]) for state in said]
    timely = [min(span.start, row[1]) if row in before else row[1] for row in rows if not row[4]]
    flawed = _flaw(timely, figures.fresh, span)
    if flawed:
        found.append((State.UNKNOWN, flawed))
    state, reason = min(found, key=lambda one: (_WORST.index(one[0]), one[1]))
    failing = tuple(
        (max(row[1], span.start), span.end) if place + 1 == len(rows) else (max(row[1], span.start),)
        for place, row in enumerate(rows)
        if row[2] == _FAIL
    )
    unknown = bool(flawed) or State.UNKNOWN in said
    return Looked(replace(figures, state=state, reason=reason), failing, unknown)


def _flaw(times: Sequence[int], fresh: int, span: Period) -> str:
    if not times:
        return NEVER
    if not _sorted(times):
        return DISORDER
    points = [min(span.start, times[0]), *times, span.end]
    return STALE if max(later - earlier for earlier, later in pairwise(points)) > fresh * _SECOND else ""


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
