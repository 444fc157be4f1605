"""Training data: what comes out of the pipeline, and what the pipeline refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.gateway.intake import Admitted
from troth.promises.check import Check, Result
from troth.promises.checks import redaction
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", redaction.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_blind_detector_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "rules_detector", redaction.Blind)
    assert shown(named(redaction.CHECKS, "training-canaries"), system) is Result.FAIL


def test_an_intake_that_keeps_metadata_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "admit_image", Admitted)
    assert shown(named(redaction.CHECKS, "intake-by-modality"), system) is Result.FAIL


def test_a_gate_that_lets_raw_pictures_out_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "admissible", lambda *_: None)
    assert shown(named(redaction.CHECKS, "intake-by-modality"), system) is Result.FAIL


def test_a_policy_with_a_gap_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    gap = redaction._shipped("vendor").replace("  phone: pseudonym\n", "")
    monkeypatch.setattr(redaction, "_shipped", lambda _name: gap)
    assert shown(named(redaction.CHECKS, "training-policy-complete"), system) is Result.FAIL
