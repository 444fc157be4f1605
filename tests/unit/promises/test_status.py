"""Unknown is never green: the state of a promise from its runs."""

from __future__ import annotations

import pytest

from troth.promises.catalogue import catalogue
from troth.promises.check import Check, Facts, Result, counted, judge
from troth.promises.checks import all_checks
from troth.promises.status import Run, State, standing

NOW = 1_800_000_000_000
HOUR = 3_600_000


def _look(_system: object) -> Facts:
    return counted([True])


CHECK = Check("one", ("CRY-01",), "one thing", _look, _look, fresh=7200)
OTHER = Check("two", ("CRY-01", "CRY-02"), "another thing", _look, _look, fresh=7200)


def _run(check: Check = CHECK, result: Result = Result.PASS, control: Result = Result.FAIL, at: int = NOW) -> Run:
    return Run(check.id, at, result, control, 1, 1, check.digest)


def _state(*runs: Run, checks: tuple[Check, ...] = (CHECK,), promise: str = "CRY-01") -> State:
    return standing(promise, checks, {run.check: run for run in runs}, NOW).state


def test_kept_needs_a_pass_and_a_failed_control() -> None:
    assert _state(_run()) is State.KEPT


@pytest.mark.parametrize("control", [Result.PASS, Result.ERROR, Result.NOT_CONFIGURED])
def test_a_check_whose_bad_fixture_did_not_fail_is_unknown(control: Result) -> None:
    assert _state(_run(control=control)) is State.UNKNOWN


def test_no_check_no_run_and_stale_runs_are_unknown() -> None:
    assert _state(promise="GOV-01") is State.UNKNOWN
    assert _state() is State.UNKNOWN
    assert _state(_run(at=NOW - 3 * HOUR)) is State.UNKNOWN


def test_a_run_from_the_future_proves_nothing() -> None:
    assert _state(_run(at=NOW + 1)) is State.UNKNOWN


def test_a_changed_check_must_run_again() -> None:
    changed = Run("one", NOW, Result.PASS, Result.FAIL, 1, 1, "0" * 64)
    assert _state(changed) is State.UNKNOWN


def test_the_worst_check_counts() -> None:
    both = (CHECK, OTHER)
    assert _state(_run(), _run(OTHER), checks=both) is State.KEPT
    assert _state(_run(), _run(OTHER, Result.FAIL), checks=both) is State.NOT_KEPT
    assert _state(_run(), _run(OTHER, Result.ERROR), checks=both) is State.UNKNOWN
    assert _state(_run(), _run(OTHER, Result.NOT_CONFIGURED), checks=both) is State.NOT_CONFIGURED
    assert _state(_run(), checks=both) is State.UNKNOWN


def test_an_empty_population_proves_nothing() -> None:
    assert judge(Facts(0, 0, 0)) is Result.ERROR
    assert judge(Facts(5, 0, 0)) is Result.ERROR
    assert judge(Facts(5, 5, 1)) is Result.FAIL
    assert judge(Facts(5, 5, 0)) is Result.PASS
    assert judge(Facts(0, 0, 0, configured=False)) is Result.NOT_CONFIGURED


@pytest.mark.parametrize(
    ("promise", "wanted"), [("LOC-02", "facility register"), ("LOC-03", "report period"), ("LOC-05", "per platform")]
)
def test_what_only_people_can_show_is_unknown_and_says_what_to_enter(promise: str, wanted: str) -> None:
    """Facilities, the provider's SOC 2 and attestations: no check claims them, so they cannot turn green."""
    assert not [check.id for check in all_checks() if promise in check.promises]
    found = standing(promise, all_checks(), {}, 0, catalogue()[promise].missing)
    assert (found.state, found.runs) == (State.UNKNOWN, ())
    assert wanted in found.reason
    assert found.reason.startswith("nobody has entered")
    assert catalogue()["TRN-01"].missing == "nothing looks at it yet" or catalogue()["TRN-01"].record
