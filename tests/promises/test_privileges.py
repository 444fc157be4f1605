"""Privileged people show a passkey, and a road that does not ask for one is seen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.identity.privileged import PasskeyGrace
from troth.promises.check import Check, Result
from troth.promises.checks import privileges
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", privileges.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


@pytest.mark.parametrize("asked", [True, False])
def test_who_is_never_asked_and_who_is_never_let_in_are_seen(
    asked: bool, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PasskeyGrace, "over", lambda _self, _caller: asked)
    assert shown(named(privileges.CHECKS, "privileged-passkey"), system) is Result.FAIL
