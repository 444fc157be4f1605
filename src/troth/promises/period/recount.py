"""Counts a period again from its runs, its schedule and its tallies, with code that the service never runs.

What the words mean: docs/how-to/period-report.md. `figures` computes the same for the service in another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troth.promises.period.reread import Run

_SLACK, _AHEAD = 300_000, 60_000
_RANK = {"not kept": 0, "unknown": 1, "not configured": 2, "kept with exception": 3, "kept": 4}
_STATE = {"pass": "kept", "fail": "not kept", "error": "unknown", "not-configured": "not configured"}
_WHY = {"pass": "passed", "fail": "failed", "error": "no-verdict", "not-configured": "not-configured"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A check in a version of the schedule, and the time in which that version counted."""

    told: Mapping[str, Any]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Count:
    """What one tally says: when, and how many runs the check had had."""

    at: int
    runs: int


@dataclass(slots=True)
class Seen:
    """A run with what it comes to."""

    number: int
    slot: int | None
    at: int
    outcome: str
    late: bool


def recounted(
    check: str, runs: Sequence[Run], plans: Sequence[Plan], counts: Sequence[Count], period: tuple[int, int]
) -> tuple[dict[str, Any], list[list[int]], bool]:
    """The figures of a check as the report has them; the moments of its failing runs; whether it is unknown too."""
    start, end = period
    here = [one for one in plans if one.start < end and one.end > start]
    seen = [_seen(run, plans, here, counts, period) for run in runs]
    good = {one.slot for one in seen if one.slot is not None and not one.late}
    expected = [(slot, stop) for one in here for slot, stop in _slots(one, period)]
    inside = [one for one in seen if start <= one.at < end]
    earlier = [one for one in seen if one.at < start][-1:]
    asked, told = {slot for slot, _ in expected}, here[-1].told
    opened = counts[0].runs if counts[0].at <= start else 0
    outcomes: dict[str, int] = {}
    for one in inside:
        outcomes[one.outcome] = outcomes.get(one.outcome, 0) + 1
    figures = {
        "check": check,
        **{name: told[name] for name in ("promises", "every", "fresh", "scope", "population")},
        "expected": len(expected),
        "done": sum(slot in good for slot, _ in expected),
        "missed": sum(slot not in good for slot, _ in expected),
        "late": sum(one.late for one in inside),
        "extra": sum(one.slot not in asked for one in inside),
        "lost": counts[-1].runs - opened - len(runs),
        "outcomes": outcomes,
        "episodes": _episodes(earlier + inside),
        "gaps": _gaps([pair for pair in expected if pair[0] not in good]),
        "first": inside[0].number if inside else 0,
        "last": inside[-1].number if inside else 0,
    }
    return _stated(figures, earlier + inside, max(start, here[0].start), end)


def _slots(plan: Plan, period: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Each slot of a plan that begins in the period, with its end."""
    step, stop = plan.told["every"] * 1000, min(plan.end, period[1])
    slot = plan.start
    if slot < period[0]:
        slot += -(-(period[0] - slot) // step) * step
    while slot < stop:
        yield slot, min(slot + step, stop)
        slot += step


def _seen(run: Run, plans: Sequence[Plan], here: Sequence[Plan], counts: Sequence[Count], period: Any) -> Seen:
    number, slot, at, result, control, code, clock = run
    planned = ""
    for one in plans:
        if one.start <= at < one.end:
            planned = one.told["code"]
            break
    sound = control == "fail" and code == planned and not clock and result in _STATE
    late = _contradicted(number, at, counts)
    if slot is not None and not late:
        length = _length(slot, here, period)
        late = at < slot - _AHEAD or (length is not None and at >= slot + length + _SLACK)
    return Seen(number, slot, at, result if sound else "error", late)


def _contradicted(number: int, at: int, counts: Sequence[Count]) -> bool:
    """A tally that was written well after it does not have it, or one that was written well before it does."""
    low, high = 0, len(counts)
    while low < high:
        middle = (low + high) // 2
        if counts[middle].runs < number:
            low = middle + 1
        else:
            high = middle
    without = low > 0 and at + _SLACK < counts[low - 1].at
    return without or (low < len(counts) and at > counts[low].at + _AHEAD)


def _length(slot: int, here: Sequence[Plan], period: tuple[int, int]) -> int | None:
    for one in here:
        step = one.told["every"] * 1000
        if max(one.start, period[0]) <= slot < min(one.end, period[1]) and (slot - one.start) % step == 0:
            return int(step)
    return None


def _episodes(seen: Sequence[Seen]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before = ""
    for one in seen:
        if one.outcome != before:
            if before in ("fail", "error"):
                found[-1]["closed"] = one.at
            if one.outcome in ("fail", "error"):
                found.append({"outcome": one.outcome, "opened": one.at, "closed": None, "first": one.number})
        if one.outcome in ("fail", "error"):
            found[-1]["last"] = one.number
        before = one.outcome
    return found


def _gaps(missed: Sequence[tuple[int, int]]) -> list[dict[str, int]]:
    found: list[dict[str, int]] = []
    for slot, stop in missed:
        if found and found[-1]["end"] == slot:
            found[-1] = {"start": found[-1]["start"], "end": stop, "slots": found[-1]["slots"] + 1}
        else:
            found.append({"start": slot, "end": stop, "slots": 1})
    return found


def _stated(
    figures: dict[str, Any], seen: Sequence[Seen], start: int, end: int
) -> tuple[dict[str, Any], list[list[int]], bool]:
    said = {one.outcome for one in seen}
    found = [(_RANK[_STATE[one]], _WHY[one], _STATE[one]) for one in said]
    flaw = "lost" if figures["lost"] else _flaw([one.at for one in seen if not one.late], figures["fresh"], start, end)
    if flaw:
        found.append((1, flaw, "unknown"))
    _, reason, state = min(found)
    failing = [
        [max(one.at, start), end] if one is seen[-1] else [max(one.at, start)] for one in seen if one.outcome == "fail"
    ]
    return {**figures, "state": state, "reason": reason}, failing, bool(flaw) or "error" in said


def _flaw(times: Sequence[int], fresh: int, start: int, end: int) -> str:
    if not times:
        return "never-run"
    if any(times[place] < times[place - 1] for place in range(1, len(times))):
        return "out-of-order"
    points = [min(start, times[0]), *times, end]
    longest = max(points[place] - points[place - 1] for place in range(1, len(points)))
    return "stale" if longest > fresh * 1000 else ""


def promised(
    checks: Sequence[tuple[dict[str, Any], list[list[int]], bool]], waivers: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Each promise with the worst that its checks say, where waivers of two people may excuse what is broken."""
    covering: dict[str, list[tuple[dict[str, Any], list[list[int]], bool]]] = {}
    for one in checks:
        for promise in one[0]["promises"]:
            covering.setdefault(promise, []).append(one)
    found = []
    for promise in sorted(covering):
        said = [_excused(promise, one, waivers) for one in covering[promise]]
        state, reason = min(((state, reason) for state, reason, _ in said), key=lambda one: (_RANK[one[0]], one[1]))
        used = sorted({name for _, _, names in said for name in names})
        names = sorted(one[0]["check"] for one in covering[promise])
        found.append({"promise": promise, "state": state, "reason": reason, "checks": names, "waivers": used})
    return found


def _excused(promise: str, one: Any, waivers: Sequence[Mapping[str, Any]]) -> tuple[str, str, list[str]]:
    figures, failing, unknown = one
    if figures["state"] != "not kept":
        return figures["state"], figures["reason"], []
    used = []
    for moments in failing:
        fit = [each["id"] for each in waivers if _fits(each, promise, figures["check"], moments)]
        if not fit:
            return "not kept", figures["reason"], []
        used.append(fit[0])
    if unknown:
        return "unknown", "no-verdict", used
    if figures["outcomes"].get("not-configured"):
        return "not configured", "not-configured", used
    return "kept with exception", "excused", used


def _fits(waiver: Mapping[str, Any], promise: str, check: str, moments: Sequence[int]) -> bool:
    """Asked for and approved by two people, with a reason, for a year at most, and live at each of these moments."""
    asked, approved, starts, ends = (waiver[name] for name in ("asked_by", "approved_by", "starts", "ends"))
    two = asked and approved and asked != approved and waiver["reason"].strip()
    valid = two and 0 < ends - starts <= 366 * 86_400_000
    fits = (waiver["promise"], waiver["scope"]) == (promise, check)
    return bool(valid) and fits and all(starts <= moment < ends for moment in moments)
