"""Zero trust: whole evidence, bound sessions, and a log that says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from troth.promises.check import Check, Result
from troth.promises.checks import zero_trust
from troth.promises.status import Run


@pytest.mark.parametrize("check", zero_trust.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested >= 4
