"""Signing in: strong passwords, sessions that end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.identity import sessions
from troth.identity.blocklist import BlockList
from troth.promises.check import Check, Result
from troth.promises.checks import identity
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", identity.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_session_that_never_rests_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "IDLE_MS", 10 * sessions.ABSOLUTE_MS)
    assert shown(named(identity.CHECKS, "sessions"), system) is Result.FAIL


def test_a_policy_without_a_block_list_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BlockList, "__contains__", lambda _self, _password: False)
    assert shown(named(identity.CHECKS, "passwords"), system) is Result.FAIL
