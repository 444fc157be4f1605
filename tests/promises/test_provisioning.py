"""Leavers by a provider's word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from troth.promises.check import Check, Result
from troth.promises.checks import provisioning
from troth.promises.status import Run


@pytest.mark.parametrize("check", provisioning.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0
