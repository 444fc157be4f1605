"""Figures of a period: expected = done + missed, episodes, gaps, what is late; two computations agree, and `status`."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from period_world import HOUR, START, PeriodWorld, Ran
from troth.promises.check import Result
from troth.promises.period.building import DAY_MS, Gathered, report_of
from troth.promises.period.report import CheckPeriod, PeriodReport
from troth.promises.period.verify import unpacked, verify_period
from troth.promises.runs import Run
from troth.promises.status import Declared, Evidence, Period, State, status
from troth.promises.waiving import Waiver

ONE = "check-000"


def _reported(**members: Any) -> tuple[PeriodReport, Gathered]:
    """A report that the other code found to hold, too."""
    world = PeriodWorld(**{"checks": 1, "days": 3, "changed": False, **members})
    verify_period(unpacked(world.bundle()[0]), world.signers, world.trust)
    gathered = world.gathered()
    return report_of(gathered)[0], gathered


def _check(**members: Any) -> CheckPeriod:
    return _reported(**members)[0].checks[0]


def _place(runs: list[Ran], hour: int) -> int:
    return next(place for place, one in enumerate(runs) if one.slot == START + hour * HOUR)


def test_a_whole_period_is_kept() -> None:
    found = _check()
    assert (found.expected, found.done, found.missed, found.state) == (72, 72, 0, State.KEPT)
    assert (found.episodes, found.gaps, found.outcomes) == ((), (), {"pass": 72})


def test_missed_slots_are_gaps_and_a_long_one_is_unknown() -> None:
    found = _check(bend=lambda _, runs: runs[: _place(runs, 10)] + runs[_place(runs, 16) :])
    assert (found.expected, found.done, found.missed, found.state) == (72, 66, 6, State.UNKNOWN)
    assert [(one.start, one.end, one.slots) for one in found.gaps] == [(START + 10 * HOUR, START + 16 * HOUR, 6)]
    short = _check(bend=lambda _, runs: runs[: _place(runs, 10)] + runs[_place(runs, 12) :])
    assert (short.missed, short.state, len(short.gaps)) == (2, State.KEPT, 1)


def test_a_failure_opens_and_closes_with_runs_and_one_at_the_end_stays_open() -> None:
    def bend(_: str, runs: list[Ran]) -> list[Ran]:
        bad = {_place(runs, 5), _place(runs, 6), _place(runs, 71), _place(runs, 71) + 1}
        return [replace(one, result="fail") if place in bad else one for place, one in enumerate(runs)]

    found = _check(bend=bend)
    first, last = found.episodes
    assert found.state is State.NOT_KEPT
    assert START + 5 * HOUR < first.opened < START + 6 * HOUR
    assert first.closed is not None
    assert START + 7 * HOUR < first.closed < START + 8 * HOUR
    assert (first.last - first.first, last.closed) == (1, None)


@pytest.mark.parametrize(
    ("members", "outcome"),
    [
        ({"control": "pass"}, "error"),
        ({"control": "error"}, "error"),
        ({"clock": "off"}, "error"),
        ({"result": "not-configured"}, "not-configured"),
    ],
)
def test_what_shows_nothing_is_not_a_pass(members: dict[str, str], outcome: str) -> None:
    found = _check(bend=lambda _, runs: [replace(one, **members) for one in runs])  # type: ignore[arg-type]
    assert found.outcomes == {outcome: 72}
    assert found.state in (State.UNKNOWN, State.NOT_CONFIGURED)


def test_code_that_the_schedule_does_not_name_shows_nothing() -> None:
    gathered = PeriodWorld(checks=1, days=2).gathered()
    one = gathered.chains[ONE][0]
    other = {ONE: (replace(one, code=["c" * 64] * len(one.at)),)}
    with pytest.raises(Exception, match="not those that the log tells of"):
        report_of(replace(gathered, chains=other))
    assert _check(changed=True).state is State.KEPT  # its new code was confirmed


@pytest.mark.parametrize("shift", [7 * HOUR, 26 * HOUR])
def test_evidence_that_came_late_fills_no_slot(shift: int) -> None:
    """A run that says an earlier time than the log allows: in its slot by its own word alone."""

    def bend(_: str, runs: list[Ran]) -> list[Ran]:
        place = _place(runs, 20)
        late = replace(runs[place], written=runs[place].at + shift)
        later = [one for one in runs if one.at < late.written and one is not runs[place]]  # type: ignore[operator]
        return [*later, late, *[one for one in runs if one.at >= late.written]]  # type: ignore[operator]

    found = _check(bend=bend)
    assert (found.done, found.missed, found.late) == (71, 1, 1)
    assert found.expected == found.done + found.missed


def test_a_run_outside_its_slot_fills_none() -> None:
    def bend(_: str, runs: list[Ran]) -> list[Ran]:
        place = _place(runs, 20)
        return [replace(one, at=one.slot + HOUR + 400_000) if one is runs[place] else one for one in runs
                if one is not runs[place + 1]]  # type: ignore[operator]  # fmt: skip

    found = _check(bend=bend)
    assert (found.done, found.missed, found.late) == (70, 2, 1)


def test_runs_by_hand_count_apart() -> None:
    def bend(_: str, runs: list[Ran]) -> list[Ran]:
        place = _place(runs, 9)
        return [*runs[:place], Ran(None, runs[place].at - 60_000), *runs[place:]]

    found = _check(bend=bend)
    assert (found.expected, found.done, found.extra, sum(found.outcomes.values())) == (72, 72, 1, 73)


def test_the_first_days_of_an_installation_are_a_period_too() -> None:
    report, _ = _reported(before=0)
    assert (report.expected, report.missed, report.untold) == (72, 0, ())


def test_a_change_of_code_is_told_with_who_confirmed_it() -> None:
    report, _ = _reported(changed=True, checks=2)
    assert [(one.check, one.change, one.version, one.confirmed_by) for one in report.changes] == [
        (ONE, "code", 2, "usr_operator")
    ]


def _waiver(**members: Any) -> Waiver:
    values = {"id": "rec_w", "promise": "CRY-01", "scope": ONE, "reason": "a part is on its way", "compensating": ""}
    people = {"asked_by": "usr_a", "approved_by": "usr_b", "starts": START - DAY_MS, "ends": START + 9 * DAY_MS}
    return Waiver(**{**values, **people, **members})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("waiver", "state"),
    [
        (_waiver(), State.EXCEPTION),
        (_waiver(approved_by="usr_a"), State.NOT_KEPT),
        (_waiver(scope="check-001"), State.NOT_KEPT),
        (_waiver(ends=START + 5 * HOUR), State.NOT_KEPT),
        (_waiver(starts=START + 6 * HOUR), State.NOT_KEPT),
    ],
)
def test_a_waiver_excuses_only_what_it_covers(waiver: Waiver, state: State) -> None:
    def bend(_: str, runs: list[Ran]) -> list[Ran]:
        return [replace(one, result="fail") if place == _place(runs, 5) else one for place, one in enumerate(runs)]

    report, _ = _reported(waivers=(waiver,), bend=bend)
    assert report.promises[0].state is state


@pytest.mark.parametrize("seed", range(12))
def test_both_computations_and_status_agree(seed: int) -> None:
    """Runs bent at random; `_reported` asks the verifier, which has its own code."""
    dice = random.Random(seed)

    def bend(_: str, runs: list[Ran]) -> list[Ran]:
        bent = []
        for one in runs:
            way = dice.randrange(100)
            if way < 8:
                continue
            members = {8: {"result": "fail"}, 9: {"control": "pass"}, 10: {"clock": "off"}}.get(way, {})
            bent.append(replace(one, **members))
        return bent

    report, gathered = _reported(seed=seed, bend=bend, changed=dice.random() < 0.5, waivers=(_waiver(),))
    period, check = report.period, report.checks[0]
    assert check.expected == check.done + check.missed
    assert check.missed == sum(one.slots for one in check.gaps)
    version = gathered.versions[-1].plan(ONE)
    assert version
    declared = [Declared(ONE, version.promises, version.fresh, version.code, version.code)]
    span = Period(period.start - 1, period.end - 1)  # `status` looks at what is behind its start, up to its end
    said = status("CRY-01", declared, {ONE: _evidence(gathered)}, waivers=(_waiver(),), period=span, now=period.end)
    assert report.promises[0].state is said.state


def _evidence(gathered: Gathered) -> list[Evidence]:
    one = gathered.chains[ONE][0]
    rows = zip(one.at, one.result, one.control, one.code, one.clock, strict=True)
    return [
        Evidence(Run(ONE, at, Result(result), Result(control), 1, 1, code, sequence=place, clock=clock), code)
        for place, (at, result, control, code, clock) in enumerate(rows, one.first)
    ]
