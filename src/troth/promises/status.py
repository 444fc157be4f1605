"""The state of a promise is a pure function of the evidence, a period and the time. Unknown is never green."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from troth.kernel.clock import iso
from troth.promises.check import EMPTY, UNNAMED, Result
from troth.promises.runs import Run
from troth.promises.waiving import Waiver

__all__ = ["Declared", "Evidence", "Period", "Run", "Standing", "State", "status", "verdict", "worst"]

_SECOND = 1000
SLACK_MS = 300_000
"""How long after it a run may come into the log: a look takes five minutes at most."""
NOTHING = "nothing looks at it yet"


class State(StrEnum):
    """What can honestly be said of a promise."""

    KEPT = "kept"
    EXCEPTION = "kept with exception"
    NOT_KEPT = "not kept"
    UNKNOWN = "unknown"
    NOT_CONFIGURED = "not configured"


@dataclass(frozen=True, slots=True)
class Declared:
    """A check as the schedule in force states it. `fresh` in seconds.

    `code` is the digest of the code that the schedule names, `running` that of the code which runs here now, or None
    when there is no such check any more.
    """

    check: str
    promises: tuple[str, ...]
    fresh: int
    code: str
    running: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run as it was read back. `planned`: the code that the schedule of its time names; `flaw`: why it counts as
    nothing (no entry in the log, another link, a signature that does not hold), or nothing. `since`: when (epoch ms)
    the log had a tally that does not count it yet, where it says that it is older.
    """

    run: Run
    planned: str
    flaw: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, in epoch milliseconds; a moment when they are the same."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A promise's state with the runs it rests on, why, and the waivers that excuse what is broken."""

    state: State
    runs: tuple[Run, ...]
    reason: str
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """Evidence at the time that it counts for (epoch ms). What says less than what came before it is `late` and counts
    for the time of that: nothing that comes later changes what was said of a time before.
    """

    at: int
    one: Evidence
    late: bool


@dataclass(frozen=True, slots=True)
class _Finding:
    state: State
    reason: str
    waiver: Waiver | None = None


_WORST = (State.NOT_KEPT, State.UNKNOWN, State.NOT_CONFIGURED, State.EXCEPTION, State.KEPT)
_SAYS = {
    Result.PASS: _Finding(State.KEPT, "checked, and the known-bad fixture failed as it must"),
    Result.FAIL: _Finding(State.NOT_KEPT, "a check found it broken"),
    Result.ERROR: _Finding(State.UNKNOWN, "a check could not look"),
    Result.NOT_CONFIGURED: _Finding(State.NOT_CONFIGURED, "not set up on this installation"),
}
_WHY = {UNNAMED: "no house is named", EMPTY: "nothing is entered in the register"}


def verdict(run: Run) -> Result:
    """A run counts only when its control failed; otherwise it could not have failed and is an error."""
    return run.result if run.control is Result.FAIL else Result.ERROR


def status(
    promise: str,
    declared: Iterable[Declared],
    evidence: Mapping[str, Sequence[Evidence]],
    *,
    waivers: Sequence[Waiver],
    period: Period,
    now: int,
    missing: str = NOTHING,
) -> Standing:
    """State of a promise over a period, as far as it has passed at `now` (ms). The worst that any check says counts.

    `evidence` has the runs of each check, those of the period and at least the last one before it. `missing` is the
    reason when no check covers the promise.
    """
    covering = [one for one in declared if promise in one.promises]
    if not covering:
        return Standing(State.UNKNOWN, (), missing)
    span = Period(period.start, min(period.end, now))
    found: list[_Finding] = []
    runs: list[Run] = []
    for one in covering:
        seen = sorted(evidence.get(one.check, ()), key=lambda entry: entry.run.sequence)
        excuses = [waiver for waiver in waivers if (waiver.promise, waiver.scope) == (promise, one.check)]
        found += _findings(one, seen, excuses, span, now)
        runs += [entry.run for entry in seen if entry.run.at <= span.end][-1:]
    said = min(found, key=lambda finding: _WORST.index(finding.state))
    live = [finding.waiver for finding in found if finding.waiver is not None]
    return Standing(said.state, tuple(runs), said.reason, tuple(dict.fromkeys(live)))


def worst(states: Iterable[State]) -> State:
    """The worst of several states, of at least one."""
    return min(states, key=_WORST.index)


def _findings(
    declared: Declared, seen: Sequence[Evidence], waivers: Sequence[Waiver], span: Period, now: int
) -> Iterator[_Finding]:
    present = span.end >= now
    if present and declared.running != declared.code:
        yield _unknown("the check changed and nobody confirmed it yet")
        return
    if present and any(one.run.at > now for one in seen):
        yield _unknown("there is evidence from the future")
    found = list(placed(seen))
    before = [one for one in found if one.at <= span.start][-1:]
    within = [one for one in found if span.start < one.at <= span.end]
    yield from _gaps(declared, [one.at for one in (*before, *within)], span)
    for one in (*before, *within):
        last = one is (within or before)[-1]
        yield _said(declared, one, waivers, _moments(one.at, span, last=last))


def placed(seen: Sequence[Evidence]) -> Iterator[Placed]:
    """In the order of the chain. What counts as nothing, or had a clock that was not right, makes no other one late."""
    reached = 0
    for one in seen:
        at, reached = one.run.at, max(reached, one.since - SLACK_MS)
        yield Placed(max(at, reached), one, at < reached)
        if not one.flaw and not one.run.clock:
            reached = max(reached, at)


def _moments(at: int, span: Period, *, last: bool) -> tuple[int, ...]:
    """When what it shows must have been excused: when it was seen, and still now if nobody looked since."""
    first = max(at, span.start)
    return (first, span.end) if last else (first,)


def _said(declared: Declared, place: Placed, waivers: Sequence[Waiver], moments: tuple[int, ...]) -> _Finding:
    one, run = place.one, place.one.run
    if one.flaw:
        return _unknown(one.flaw)
    if run.digest != one.planned:
        return _unknown("it ran with code that the schedule does not name")
    if run.clock:
        return _unknown("the clock was not right")
    if place.late:
        return _unknown("runs are out of order in time")
    found = _shown(run)
    if found.state is State.NOT_KEPT:
        live = [
            waiver for waiver in waivers if all(waiver.excuses(waiver.promise, declared.check, at) for at in moments)
        ]
        if not live:
            return found
        ends = iso(live[0].ends)
        return _Finding(State.EXCEPTION, f"broken, and excused until {ends}: {live[0].reason}", live[0])
    return found


def _shown(run: Run) -> _Finding:
    """What a run shows; of a look that found nothing to look at, why."""
    said = verdict(run)
    why = [_WHY[one] for one in run.details if one in _WHY]
    return _unknown(why[0]) if said is Result.ERROR and why else _SAYS[said]


def _gaps(declared: Declared, seen: Sequence[int], span: Period) -> Iterator[_Finding]:
    if not seen:
        yield _unknown("never run")
        return
    times = [min(span.start, seen[0]), *seen, span.end]
    if max(later - earlier for earlier, later in pairwise(times)) > declared.fresh * _SECOND:
        yield _unknown("evidence is stale")


def _unknown(reason: str) -> _Finding:
    return _Finding(State.UNKNOWN, reason)
