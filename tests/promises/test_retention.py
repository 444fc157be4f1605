"""Time: what passes its deadline is gone, class by class."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.kernel.data_class import DataClass
from troth.promises.check import Check, Result
from troth.promises.checks import retention
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault import deadlines
from troth.vault.retention import Retention


@pytest.mark.parametrize("check", retention.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


@pytest.mark.parametrize("name", ["gone-after-deadline", "bodies-are-transient"])
def test_a_sweep_that_does_nothing_is_seen(name: str, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retention, "sweep", lambda _self: None)
    assert shown(named(retention.CHECKS, name), system) is Result.FAIL


def test_a_class_without_a_clock_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "CLASS_DAYS", {**deadlines.CLASS_DAYS, DataClass.USER_GENERATED: None})
    assert shown(named(retention.CHECKS, "limit-of-each-class"), system) is Result.FAIL
