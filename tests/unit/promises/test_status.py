"""Unknown is never green: the state of a promise from evidence, a period and the time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from troth.promises.catalogue import catalogue
from troth.promises.check import Facts, Result, judge
from troth.promises.checks import all_checks
from troth.promises.status import Declared, Evidence, Period, Run, Standing, State, status
from troth.promises.waiving import Waiver

NOW = 1_800_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
CODE = "a" * 64
CHECK = Declared("one", ("CRY-01",), 7200, CODE, CODE)
OTHER = Declared("two", ("CRY-01", "CRY-02"), 7200, CODE, CODE)
WAIVER = Waiver("exc_a", "CRY-01", "one", "old client", "filtered", "usr_a", "usr_b", NOW - DAY, NOW + DAY)
FAILED = {"result": Result.FAIL}


def _run(check: str = "one", at: int = NOW, sequence: int = 1, **members: Any) -> Evidence:
    return Evidence(replace(Run(check, at, Result.PASS, Result.FAIL, 1, 1, CODE, sequence=sequence), **members), CODE)


def _standing(
    *evidence: Evidence,
    checks: tuple[Declared, ...] = (CHECK,),
    promise: str = "CRY-01",
    waivers: tuple[Waiver, ...] = (),
    period: Period = Period(NOW, NOW),  # noqa: B008 - frozen
) -> Standing:
    seen: dict[str, list[Evidence]] = {}
    for one in evidence:
        seen.setdefault(one.run.check, []).append(one)
    return status(promise, checks, seen, waivers=waivers, period=period, now=NOW)


def _state(*evidence: Evidence, **members: Any) -> State:
    return _standing(*evidence, **members).state


def test_kept_needs_a_pass_and_a_failed_control() -> None:
    assert _state(_run()) is State.KEPT


@pytest.mark.parametrize("control", [Result.PASS, Result.ERROR, Result.NOT_CONFIGURED])
def test_a_check_whose_bad_fixture_did_not_fail_is_unknown(control: Result) -> None:
    assert _state(_run(control=control)) is State.UNKNOWN


def test_no_check_no_run_and_stale_runs_are_unknown() -> None:
    assert _state(promise="GOV-01") is State.UNKNOWN
    assert _state() is State.UNKNOWN
    assert _state(_run(at=NOW - 2 * HOUR)) is State.KEPT
    assert _state(_run(at=NOW - 2 * HOUR - 1)) is State.UNKNOWN


def test_a_run_from_the_future_proves_nothing() -> None:
    assert _state(_run(at=NOW + 1)) is State.UNKNOWN
    assert _state(_run(), _run(at=NOW + 1, sequence=2)) is State.UNKNOWN


def test_code_that_the_schedule_does_not_name_proves_nothing() -> None:
    assert _state(replace(_run(), planned="b" * 64)) is State.UNKNOWN
    assert _state(replace(_run(), planned="")) is State.UNKNOWN
    for running in ("b" * 64, None):
        assert _state(_run(), checks=(replace(CHECK, running=running),)) is State.UNKNOWN


def test_what_does_not_hold_and_what_a_wrong_clock_wrote_counts_as_nothing() -> None:
    found = _standing(replace(_run(), flaw="its signature does not hold"))
    assert (found.state, found.reason) == (State.UNKNOWN, "its signature does not hold")
    assert _state(_run(clock="off")) is State.UNKNOWN
    late = _run(at=NOW - HOUR, sequence=2)
    assert _state(_run(at=NOW - HOUR // 2), late, period=Period(NOW - DAY // 12, NOW)) is State.UNKNOWN


def test_the_worst_check_counts() -> None:
    both = (CHECK, OTHER)
    assert _state(_run(), _run("two"), checks=both) is State.KEPT
    assert _state(_run(), _run("two", **FAILED), checks=both) is State.NOT_KEPT
    assert _state(_run(), _run("two", result=Result.ERROR), checks=both) is State.UNKNOWN
    assert _state(_run(), _run("two", result=Result.NOT_CONFIGURED), checks=both) is State.NOT_CONFIGURED
    assert _state(_run(), checks=both) is State.UNKNOWN


def test_a_waiver_excuses_what_is_broken_while_it_lasts() -> None:
    found = _standing(_run(**FAILED), waivers=(WAIVER,))
    assert (found.state, found.waivers) == (State.EXCEPTION, (WAIVER,))
    assert "old client" in found.reason
    for other in (
        {"ends": NOW},
        {"starts": NOW + 1},
        {"scope": "two"},
        {"promise": "CRY-02"},
        {"approved_by": "usr_a"},
    ):
        assert _state(_run(**FAILED), waivers=(replace(WAIVER, **other),)) is State.NOT_KEPT


def test_a_waiver_never_lifts_what_is_unknown_nor_says_more_than_it_excuses() -> None:
    assert _state(waivers=(WAIVER,)) is State.UNKNOWN
    assert _state(_run(result=Result.ERROR), waivers=(WAIVER,)) is State.UNKNOWN
    assert _state(_run(**FAILED, at=NOW - 3 * HOUR), waivers=(WAIVER,)) is State.UNKNOWN
    both = (CHECK, OTHER)
    assert _state(_run(**FAILED), checks=both, waivers=(WAIVER,)) is State.UNKNOWN
    assert _state(_run(**FAILED), _run("two", **FAILED), checks=both, waivers=(WAIVER,)) is State.NOT_KEPT
    assert _state(_run(), waivers=(WAIVER,)) is State.KEPT


def _hours(first: int, last: int, **members: Any) -> list[Evidence]:
    """A run each hour, from so many hours ago to so many."""
    return [_run(at=NOW - hour * HOUR, sequence=1000 - hour, **members) for hour in range(first, last - 1, -1)]


def test_a_period_is_as_good_as_its_worst_hour() -> None:
    day = Period(NOW - DAY, NOW)
    assert _state(*_hours(26, 0), period=day) is State.KEPT
    assert _state(*_hours(26, 12), *_hours(11, 11, **FAILED), *_hours(10, 0), period=day) is State.NOT_KEPT
    assert _state(*_hours(26, 12), *_hours(9, 0), period=day) is State.UNKNOWN, "silence shows as a gap"
    assert _state(*_hours(20, 0), period=day) is State.UNKNOWN, "it began too late"
    assert _state(*_hours(26, 3), period=day) is State.UNKNOWN, "it ended too early"
    assert _state(*_hours(26, 25, **FAILED), *_hours(23, 0), period=day) is State.NOT_KEPT, "broken as it began"
    assert _state(*_hours(30, 25, **FAILED), *_hours(24, 0), period=day) is State.KEPT, "what was before is before"


def test_what_was_broken_before_it_was_waived_stays_broken() -> None:
    day = Period(NOW - DAY, NOW)
    broken = [*_hours(26, 12), *_hours(11, 11, **FAILED), *_hours(10, 0)]
    assert _state(*broken, period=day, waivers=(WAIVER,)) is State.EXCEPTION
    assert _state(*broken, period=day, waivers=(replace(WAIVER, starts=NOW - 10 * HOUR),)) is State.NOT_KEPT


def test_an_empty_population_proves_nothing() -> None:
    assert judge(Facts(0, 0, 0)) is Result.ERROR
    assert judge(Facts(5, 0, 0)) is Result.ERROR
    assert judge(Facts(5, 5, 1)) is Result.FAIL
    assert judge(Facts(5, 5, 0)) is Result.PASS
    assert judge(Facts(0, 0, 0, configured=False)) is Result.NOT_CONFIGURED
    assert judge(Facts(10, 9, 0)) is Result.ERROR, "a part of it is not all of it"
    assert judge(Facts(10, 9, 1)) is Result.FAIL
    assert judge(Facts(9, 10, 0)) is Result.PASS


def test_a_source_must_say_its_age_where_one_is_wanted() -> None:
    for at, wanted in (
        (NOW - 1000, Result.PASS),
        (NOW - 1001, Result.ERROR),
        (NOW + 1, Result.ERROR),
        (None, Result.ERROR),
    ):
        assert judge(Facts(1, 1, 0, source_at=at), 1, NOW) is wanted


@pytest.mark.parametrize(
    ("promise", "wanted"), [("LOC-02", "facility register"), ("LOC-03", "report period"), ("LOC-05", "per platform")]
)
def test_what_only_people_can_show_is_unknown_and_says_what_to_enter(promise: str, wanted: str) -> None:
    """Facilities, the provider's SOC 2 and attestations: only registers of the house show them, and no other check."""
    assert {check.part for check in all_checks() if promise in check.promises} == {"house"}
    missing = catalogue()[promise].missing
    found = status(promise, (), {}, waivers=(), period=Period(0, 0), now=0, missing=missing)
    assert (found.state, found.runs) == (State.UNKNOWN, ())
    assert wanted in found.reason
    assert found.reason.startswith("nobody has entered")
    assert catalogue()["TRN-01"].missing == "nothing looks at it yet" or catalogue()["TRN-01"].record
