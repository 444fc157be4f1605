"""Consent: exports follow it, withdrawals count, defaults are private."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from promise_world import Broken, named, shown
from troth.identity import privacy
from troth.promises.check import Check, Result
from troth.promises.checks import consent
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", consent.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_register_that_does_not_hear_a_withdrawal_is_seen(system: System) -> None:
    deaf: Any = Broken(system.vault.consents, withdraw=lambda *_: None)
    broken = replace(system, vault=replace(system.vault, consents=deaf))
    assert shown(named(consent.CHECKS, "consent-withdrawn"), broken) is Result.FAIL


def test_a_default_that_opens_up_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "PRIVATE", {**privacy.PRIVATE, "analytics": "aggregate"})
    assert shown(named(consent.CHECKS, "defaults-private"), system) is Result.FAIL
