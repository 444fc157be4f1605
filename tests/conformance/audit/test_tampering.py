"""Twelve ways to bend a log, each caught by the command line and by the offline page, which share no code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from log_verifiers import Command, Page, Verifier
from tampering import CLASSES, Bent, Logs, require_caught
from troth.audit import verify


@pytest.fixture(scope="module")
def bent(logs: Logs) -> dict[str, Bent]:
    return {one.__name__: one(logs) for one in CLASSES}


@pytest.fixture(params=["command", "page"])
def verifier(request: pytest.FixtureRequest, tmp_path: Path) -> Verifier:
    return Command(tmp_path) if request.param == "command" else request.getfixturevalue("page")


def test_there_are_twelve() -> None:
    assert len({one.__name__ for one in CLASSES}) == 12


@pytest.mark.parametrize("name", [one.__name__ for one in CLASSES])
def test_each_is_caught(name: str, bent: dict[str, Bent], verifier: Verifier) -> None:
    require_caught(verifier, bent[name])


@pytest.mark.parametrize("name", [one.__name__ for one in CLASSES])
def test_none_is_caught_by_a_verifier_that_accepts_everything(
    name: str, bent: dict[str, Bent], verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepting: dict[str, Callable[..., Any]] = {
        "verify_log": lambda *_, **__: verify.Audited("any", 0, b""),
        "verify_joint": lambda *_: verify.Proven("any", 0, 0),
    }
    for function, accept in accepting.items():
        monkeypatch.setattr(verify, function, accept)
    stubbed = replace(verifier, stubbed=True) if isinstance(verifier, Page) else verifier
    with pytest.raises(AssertionError, match="accepted"):
        require_caught(stubbed, bent[name])
