"""The check of receipts: kept by what is kept and logged, and broken by each that says something else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete

from troth.gateway.receipts import Receipts
from troth.gateway.store import ReceiptRow, find_receipt, receipts
from troth.kernel.clock import epoch_ms
from troth.promises.check import Result, judge
from troth.promises.checks.receipts import CHECKS
from troth.promises.system import System
from troth.vault.moving.arriving import arrivals

(CHECK,) = CHECKS


def test_a_receipt_says_what_is_kept_and_logged(system: System) -> None:
    seen = CHECK.observe(system)
    assert (judge(seen), judge(CHECK.sabotage(system))) == (Result.PASS, Result.FAIL)
    assert seen.tested >= 20


def test_a_receipt_of_another_region_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    show = Receipts.show
    elsewhere: dict[str, Any] = {"regions": ["elsewhere"]}
    monkeypatch.setattr(Receipts, "show", lambda *given: show(*given).model_copy(update=elsewhere))
    assert CHECK.observe(system).broken == 1


def test_a_row_that_somebody_edited_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def edited(connection: Connection, tenant: str, request: str) -> ReceiptRow:
        found = find_receipt(connection, tenant, request)
        assert found is not None
        return replace(found, model="another")

    monkeypatch.setattr("troth.promises.checks.receipts.find_receipt", edited)
    assert CHECK.observe(system).broken == 1


def test_a_receipt_that_no_log_knows_is_seen(system: System) -> None:
    now = system.base.clock.now() - timedelta(minutes=1)
    row = {"tenant": "ten_none", "request": "req_none", "object": "obj_none", "vendor": "local-studio", "model": "m",
           "sent_at": epoch_ms(now), "outcome": "answered", "objects": "[]"}  # fmt: skip
    with system.base.database.write() as connection:
        connection.execute(receipts.insert(), row)
    try:
        assert CHECK.observe(system).broken == 1
        came = {"tenant": "ten_none", "origin": "0" * 64, "begun_at": epoch_ms(now) + 1, "done_at": None}
        with system.base.database.write() as connection:
            connection.execute(arrivals.insert(), came)
        assert CHECK.observe(system).broken == 0, "it came along when its tenant moved here"
    finally:
        with system.base.database.write() as connection:
            for table in (receipts, arrivals):
                connection.execute(delete(table).where(table.c.tenant == "ten_none"))
