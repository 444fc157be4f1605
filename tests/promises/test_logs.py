"""Operational logs: no content, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from promise_world import named, shown
from troth.gateway.chat import ChatDesk
from troth.kernel.dispatch import Dispatcher
from troth.kernel.journal import Journal
from troth.kernel.operation import Call
from troth.kernel.record import Entry
from troth.promises.check import Check, Result
from troth.promises.checks import logs
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", logs.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_journal_that_tells_the_message_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "fault", logs._Chatty.fault)
    assert shown(named(logs.CHECKS, "canary-in-logs"), system) is Result.FAIL


def test_an_entry_with_free_text_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Dispatcher._entry

    def loose(self: Dispatcher, name: str, call: Call, *rest: Any, **more: Any) -> Entry:
        return replace(honest(self, name, call, *rest, **more), evidence=seen.get(call.request_id))

    seen: dict[str, str] = {}
    real = ChatDesk.complete

    async def noting(self: ChatDesk, call: Call, request: Any) -> Any:
        seen[call.request_id] = request.messages[0].content
        return await real(self, call, request)

    monkeypatch.setattr(ChatDesk, "complete", noting)
    monkeypatch.setattr(Dispatcher, "_entry", loose)
    assert shown(named(logs.CHECKS, "canary-in-logs"), system) is Result.FAIL
