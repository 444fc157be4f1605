"""Waiting for a job with a bar."""

from __future__ import annotations

from typing import Any

import pytest

from troth.cli import waiting


def job(state: str, done: int, units: int = 4, fault: str | None = None) -> dict[str, Any]:
    return {"state": state, "done": done, "units": units, "fault": fault}


@pytest.mark.parametrize("last", ["done", "called-off", "waiting"])
def test_it_asks_until_there_is_nothing_more_to_wait_for(
    last: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "_EVERY_SECONDS", 0.0)
    answers = [job("open", 0, 0), job("open", 2, fault="store-away"), job("open", 2, fault="store-away"), job(last, 4)]
    asked = iter(answers)
    assert waiting.wait(lambda: next(asked)) == answers[-1]
    assert list(asked) == []
    assert capsys.readouterr().err.count("store-away") == 1
