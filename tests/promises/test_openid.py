"""OpenID Connect: the check passes on a whole installation, and sees each wall that is taken down."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.identity.sso import tokens
from troth.promises.check import Check, Result
from troth.promises.checks import openid
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", openid.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


@pytest.mark.parametrize("wall", ["_require_parties", "_require_times"])
def test_a_wall_that_is_gone_is_seen(system: System, monkeypatch: pytest.MonkeyPatch, wall: str) -> None:
    monkeypatch.setattr(tokens, wall, lambda *_: None)
    assert shown(named(openid.CHECKS, "openid"), system) is Result.FAIL
