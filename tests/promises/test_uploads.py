"""What comes in by the gateway has a custody from the door to the erasure."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.promises.check import Check, Result
from troth.promises.checks import uploads
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault import custody


@pytest.mark.parametrize("check", uploads.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


@pytest.mark.parametrize(("operation", "word"), [("object.kept", "ingest"), ("object.deleted", "deletion")])
def test_a_custody_without_beginning_or_end_is_seen(
    system: System, monkeypatch: pytest.MonkeyPatch, operation: str, word: str
) -> None:
    others = {name: told for name, told in custody._WHAT.items() if told != word and name != operation}
    monkeypatch.setattr(custody, "_WHAT", others)
    assert shown(named(uploads.CHECKS, "custody-of-uploads"), system) is Result.FAIL
