"""Suppliers: reviewed, bound, and sent only what is needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert

from gateway_world import DAY, due_diligence
from promise_world import named, shown
from troth.gateway.store import vendors as table
from troth.gateway.vendors import filing
from troth.gateway.vendors.papers import Tier, settled
from troth.gateway.vendors.record import Observed
from troth.kernel.scope import SYSTEM, within
from troth.promises.check import Check, Result
from troth.promises.checks import vendors
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", vendors.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


NOW = int(time.time() * 1000)
GATED = [check for check in vendors.CHECKS if check.id != "vendor-exposure"]


@pytest.mark.parametrize("check", GATED, ids=lambda check: check.id)
def test_a_gate_that_lets_everybody_in_is_seen(check: Check, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.gateway.vendors.router.admissible", lambda *_: None)
    assert shown(check, system) is Result.FAIL


def test_a_redactor_that_passes_everything_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.gateway.redaction.Redaction.redact", lambda _self, payload, _places: dict(payload))
    assert shown(named(vendors.CHECKS, "vendor-retention"), system) is Result.FAIL
    assert shown(named(vendors.CHECKS, "sharing-limited"), system) is Result.FAIL


def test_an_index_that_forgets_who_used_a_vendor_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.gateway.exposure.receipts_of_vendor", lambda *_: [])
    assert shown(named(vendors.CHECKS, "vendor-exposure"), system) is Result.FAIL


REVIEW = settled(Tier.CRITICAL, "usr_three", NOW - DAY, "ef" * 32)


@pytest.mark.parametrize(
    ("check", "facts"),
    [
        ("vendor-agreement", {"agreement_ends": NOW - DAY}),
        ("vendor-agreement", {"contract": None}),
        ("vendor-reviewed", {"diligence": None}),
        ("vendor-reviewed", {"diligence": REVIEW.model_copy(update={"answers": {}})}),
        ("vendor-care", {"diligence": REVIEW.model_copy(update={"reviewed_at": NOW - 190 * DAY})}),
        ("vendor-exposure", {"diligence": REVIEW.model_copy(update={"reviewed_at": NOW - 370 * DAY})}),
    ],
    ids=["ended", "unsigned", "unreviewed", "unanswered", "overdue", "untested"],
)
def test_one_vendor_on_file_turns_the_promise_red(check: str, facts: dict[str, Any], system: System) -> None:
    on_file = filing.written(due_diligence(NOW, **facts), Observed())
    row = {"id": "red", "state": "approved", "facts": on_file, "requested_by": "usr_one", "approved_by": "usr_two"}
    try:
        with within(SYSTEM), system.base.database.write() as connection:
            connection.execute(insert(table).values(**row, changed_at=1))
        assert shown(named(vendors.CHECKS, check), system) is Result.FAIL
    finally:
        with within(SYSTEM), system.base.database.write() as connection:
            connection.execute(delete(table).where(table.c.id == "red"))
