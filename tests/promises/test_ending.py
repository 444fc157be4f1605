"""Data that may no longer be used: restricted, or kept for a purpose that its person left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.promises.check import Check, Result
from troth.promises.checks import ending
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault import fences


@pytest.mark.parametrize("check", ending.CHECKS, ids=lambda one: one.id)
def test_holds_and_its_known_bad_fails(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


def test_a_fence_that_lets_the_restricted_be_used_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fences, "require_open", lambda *_, **__: None)
    monkeypatch.setattr("troth.vault.restriction.Restrictions._keys", lambda *_, **__: None)
    assert shown(named(ending.CHECKS, "restriction-holds"), system) is Result.FAIL


def test_a_withdrawal_without_effect_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.vault.consent.end_consent", lambda *_: None)
    assert shown(named(ending.CHECKS, "purpose-ends-with-consent"), system) is Result.FAIL
