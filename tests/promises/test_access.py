"""Access: nothing without a role, an identity or a second factor."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from troth.promises.check import Check, Result
from troth.promises.checks import access
from troth.promises.status import Run


@pytest.mark.parametrize("check", access.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0
