"""Promises of budgets that a store keeps: what happens when its answer is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from troth.gateway.limits import promises
from troth.gateway.limits.promises import Script, SharedRunning
from troth.kernel.errors import Unavailable


class Lossy:
    """A store that keeps what it is told and loses its first answers."""

    def __init__(self, lost: int) -> None:
        self.lost, self.held = lost, set[str]()

    def script(self, lua: str) -> Script:
        def run(keys: Sequence[str], values: Sequence[Any]) -> Any:
            name = values[1] if "HSET" in lua else values[0]
            if "HSET" in lua:
                self.held.add(name)
            elif not self.lost:
                self.held.discard(name)
            if self.lost:
                self.lost -= 1
                raise Unavailable("no answer", code="limits-away")
            return [b"promised", [b"0"]]

        return run


def test_a_promise_whose_answer_was_lost_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promises, "_PAUSES", (0.0, 0.0, 0.0))
    store = Lossy(lost=2)  # of the promise, and of the first attempt to take it back
    running = SharedRunning(store, b"s")
    with pytest.raises(Unavailable):
        running.promise("ten_a", {"bdg_a": 10}, 1, (0, 60_000), 0)
    running.close()
    assert store.held == set()
