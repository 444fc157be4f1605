"""Who watches the administrators: reviews in time, decisions with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from promise_world import Broken, named, shown
from troth.audit.review import queue
from troth.kernel import dispatch
from troth.promises.check import Check, Facts, Result, judge
from troth.promises.checks import reviews
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize(
    ("name", "result"), [("administrators-reviewed", Result.NOT_CONFIGURED), ("decisions-name-why", Result.PASS)]
)
def test_what_a_fresh_installation_shows(name: str, result: Result, run_once: Callable[[Check], Run]) -> None:
    run = run_once(named(reviews.CHECKS, name))
    assert (run.result, run.control) == (result, Result.FAIL)


def _with(system: System, **methods: Any) -> System:
    watch: Any = Broken(system.reviewing.watch, **methods)
    return replace(system, reviewing=replace(system.reviewing, watch=watch))


def _standing(closed: int, sound: bool, late: bool) -> dict[str, Any]:
    duty = Broken(object(), overdue=lambda _now: late)
    return {"logs": lambda: ["operator"], "closed": lambda _: closed, "sound": lambda _: sound, "duty": lambda _: duty}


@pytest.mark.parametrize(
    ("closed", "sound", "late", "result"),
    [
        (0, True, False, Result.NOT_CONFIGURED),
        (2, True, False, Result.PASS),
        (2, False, False, Result.FAIL),
        (2, True, True, Result.FAIL),
        (0, True, True, Result.FAIL),
    ],
)
def test_gaps_and_lateness_break_the_promise(
    system: System, closed: int, sound: bool, late: bool, result: Result
) -> None:
    facts: Facts = named(reviews.CHECKS, "administrators-reviewed").observe(
        _with(system, **_standing(closed, sound, late))
    )
    assert judge(facts) is result


def test_reviewers_who_judge_themselves_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_require_apart", lambda *_: None)
    assert shown(named(reviews.CHECKS, "administrators-reviewed"), system) is not Result.PASS


def test_a_road_that_forgets_why_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_say_why", lambda *_: None)
    assert shown(named(reviews.CHECKS, "decisions-name-why"), system) is Result.FAIL


def test_decisions_under_no_named_set_of_policies_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_rules_of", lambda *_: {})
    assert shown(named(reviews.CHECKS, "decisions-name-why"), system) is Result.FAIL


def test_a_decision_that_names_no_reason_any_more_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not left out of the look: those with words of their own are known by name."""
    monkeypatch.setattr(reviews, "_OTHER_WORDS", reviews._OTHER_WORDS - {"hold.place"})
    assert named(reviews.CHECKS, "decisions-name-why").observe(system).broken == 1
