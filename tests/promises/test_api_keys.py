"""Limits of API keys hold, and a look at keys without them shows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.identity import keys
from troth.identity.api_keys import limits
from troth.promises.check import Check, Result
from troth.promises.checks import api_keys
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", api_keys.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_networks_that_nobody_looks_at_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "require_network", lambda *_: None)
    assert shown(named(api_keys.CHECKS, "api-keys-limited"), system) is Result.FAIL


def test_keys_that_never_lapse_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "lapse", lambda *_: 1 << 60)
    assert shown(named(api_keys.CHECKS, "api-keys-limited"), system) is Result.FAIL
