"""Sessions bound to a device: without its key they count for nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.identity.devices.shown import Binding
from troth.identity.devices.spent import SpentProofs
from troth.promises.check import Check, Result
from troth.promises.checks import bound
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", bound.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_cookie_that_outlives_its_time_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Binding, "renewed_lately", lambda _self, cookie, _now: cookie is not None)
    assert shown(named(bound.CHECKS, "bound-sessions"), system) is Result.FAIL


def test_proofs_that_count_twice_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpentProofs, "spend", lambda _self, _proof, _method: None)
    assert shown(named(bound.CHECKS, "bound-sessions"), system) is Result.FAIL
