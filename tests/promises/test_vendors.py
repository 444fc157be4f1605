"""Suppliers: reviewed, bound, and sent only what is needed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.promises.check import Check, Result
from troth.promises.checks import vendors
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", vendors.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


@pytest.mark.parametrize("check", vendors.CHECKS, ids=lambda check: check.id)
def test_a_gate_that_lets_everybody_in_is_seen(check: Check, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.gateway.clearance.admissible", lambda *_: None)
    assert shown(check, system) is Result.FAIL


def test_a_redactor_that_passes_everything_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.gateway.redaction.Redaction.redact", lambda _self, payload, _places: dict(payload))
    assert shown(named(vendors.CHECKS, "vendor-retention"), system) is Result.FAIL
    assert shown(named(vendors.CHECKS, "sharing-limited"), system) is Result.FAIL
