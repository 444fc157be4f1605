"""Sums and files of what was used: one's own, and the tenant's for who administers it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from gateway_world import PERSON, TENANT
from troth.gateway.limits import store
from troth.gateway.limits.store import UsageRow
from troth.gateway.limits.usage import Usage
from troth.gateway.usage_operations import UsageOperations
from troth.gateway.wire.usage import ExportUsage, ShowUsage
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from worlds import MovableClock, sqlite

OTHER = new_id("usr")


class Desk:
    """Two people's requests."""

    def __init__(self, folder: Path) -> None:
        self.clock, database = MovableClock(), sqlite(folder)
        usage = Usage(database, self.clock, keep_days=62)
        self.operations = UsageOperations(usage)
        with database.write() as connection:
            for person, days in ((PERSON, 0), (OTHER, 0), (PERSON, 1), (PERSON, 40)):
                at = usage.now().now - days * store.DAY_MS
                store.add_row(connection, UsageRow(
                    TENANT, at, new_id("req"), person, "", "chat.complete", "m-1", "acme",
                    10, 5, 0, 0, 40, 7, "EUR", "answered"))  # fmt: skip

    def call(self, tenant: str = TENANT) -> Call:
        return Call(Caller(PERSON, "user", tenant, PERSON), new_id("req"), self.clock.now())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_person_sees_their_own_and_who_administers_all(desk: Desk) -> None:
    mine, all_of_it = (one(desk.call(), ShowUsage()) for one in (desk.operations.show, desk.operations.tenant))
    assert (mine.month, mine.total.requests, mine.total.costs, set(mine.people)) == (
        "2026-11",
        2,
        {"EUR": 14},
        {PERSON},
    )
    assert list(mine.days) == ["2026-11-21", "2026-11-22"]
    assert (all_of_it.total.requests, set(all_of_it.people)) == (3, {PERSON, OTHER})
    assert desk.operations.show(desk.call(), ShowUsage(month="2026-10")).total.requests == 1
    assert desk.operations.tenant(desk.call(new_id("ten")), ShowUsage()).total.requests == 0


def test_files_have_a_line_for_each_request(desk: Desk) -> None:
    mine = desk.operations.export(desk.call(), ExportUsage())
    lines = list(csv.DictReader(io.StringIO(mine.content.decode())))
    assert ([one["subject"] for one in lines], mine.filename) == ([PERSON] * 2, "usage-2026-11.csv")
    today = desk.operations.tenant_export(desk.call(), ExportUsage(format="json", day=22))
    assert {one["subject"] for one in json.loads(today.content)} == {PERSON, OTHER}
    with pytest.raises(Invalid):
        desk.operations.export(desk.call(), ExportUsage(day=31))
