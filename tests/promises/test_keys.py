"""Keys: an installation with software roots says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from troth.promises.check import Check, Result, judge
from troth.promises.checks import keys
from troth.promises.status import Run, State
from troth.promises.system import System
from troth.wiring import Troth


def test_software_roots_break_the_promise(run_once: Callable[[Check], Run], installation: Troth) -> None:
    run = run_once(keys.CHECKS[0])
    assert (run.result, run.control) == (Result.FAIL, Result.FAIL)
    states = {promise.id: standing.state for promise, standing in installation.runner.table()}
    assert states["CRY-03"] is State.NOT_KEPT


def test_roots_in_hardware_keep_it(system: System) -> None:
    in_use = [replace(root, assurance="A2") for root in keys._roots(system)]
    assert judge(keys._in_hardware(in_use)) is Result.PASS


def test_one_software_root_among_many_breaks_it(system: System) -> None:
    in_use = [replace(root, assurance="A2") for root in keys._roots(system)] + [keys._SOFTWARE]
    assert judge(keys._in_hardware(in_use)) is Result.FAIL


def test_no_root_at_all_proves_nothing() -> None:
    assert judge(keys._in_hardware([])) is Result.ERROR
