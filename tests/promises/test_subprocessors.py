"""Who processes data is announced before it happens."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import delete, insert

from gateway_world import due_diligence
from promise_world import shown
from troth.gateway.store import vendors as table
from troth.gateway.vendors import filing
from troth.gateway.vendors.record import Observed
from troth.kernel.scope import SYSTEM, within
from troth.promises.check import Check, Result
from troth.promises.checks.subprocessors import CHECKS
from troth.promises.status import Run
from troth.promises.system import System

NOTICE = CHECKS[0]


def test_kept_and_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(NOTICE)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


def test_a_gate_that_forgets_the_notice_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.gateway.vendors.gate.unannounced", lambda *_: False)
    assert shown(NOTICE, system) is Result.FAIL


def test_a_vendor_in_use_of_whom_nobody_was_told_turns_the_promise_red(system: System) -> None:
    on_file = filing.written(due_diligence(int(time.time() * 1000)), Observed())
    row = {"id": "red", "state": "approved", "facts": on_file, "requested_by": "usr_one", "approved_by": "usr_two"}
    try:
        with within(SYSTEM), system.base.database.write() as connection:
            connection.execute(insert(table).values(**row, changed_at=1))
        assert shown(NOTICE, system) is Result.FAIL
    finally:
        with within(SYSTEM), system.base.database.write() as connection:
            connection.execute(delete(table).where(table.c.id == "red"))
