"""New uses of data are assessed before a release."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import shown
from troth.promises.check import Check, Result
from troth.promises.checks import gates
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", gates.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


@pytest.mark.parametrize("check", gates.CHECKS, ids=lambda check: check.id)
def test_a_gate_that_takes_every_assessment_is_seen(
    check: Check, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("troth.governance.gate._why_not", lambda *_: [])
    monkeypatch.setattr("troth.governance.gate._unplanned", lambda *_: ())
    assert shown(check, system) is Result.FAIL


def test_a_gate_that_holds_everything_back_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.governance.gate._why_not", lambda *_: ["no reason"])
    assert {shown(check, system) for check in gates.CHECKS} == {Result.FAIL}
