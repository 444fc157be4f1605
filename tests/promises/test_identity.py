"""Signing in: strong passwords, sessions that end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from promise_world import named, shown
from troth.identity.blocklist import BlockList
from troth.identity.sessions import Sessions
from troth.promises.check import Check, Result
from troth.promises.checks import identity
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", identity.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


@pytest.mark.parametrize("limit", ["idle_ms", "absolute_ms"])
def test_a_session_that_lasts_too_long_is_seen(limit: str, system: System) -> None:
    lax = Sessions(system.base.database, system.base.clock, **{limit: 2 * 24 * 3600 * 1000})
    broken = replace(system, identity=replace(system.identity, sessions=lax))
    assert shown(named(identity.CHECKS, "sessions"), broken) is Result.FAIL


def test_a_policy_without_a_block_list_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BlockList, "__contains__", lambda _self, _password: False)
    assert shown(named(identity.CHECKS, "passwords"), system) is Result.FAIL
