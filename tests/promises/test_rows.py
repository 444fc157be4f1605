"""Rows apart, and everything counted where it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text, update

from database_world import fresh_place, owned
from promise_world import named, shown
from troth.identity.store import tenants
from troth.promises.check import Check, Result, judge
from troth.promises.checks import rows
from troth.promises.status import Run
from troth.promises.system import System
from troth.settings.load import load
from troth.storage.placement import MARKER
from troth.wiring import opened


@pytest.mark.parametrize("check", rows.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_tenant_of_elsewhere_and_a_lost_marker_are_seen(system: System) -> None:
    check, base = named(rows.CHECKS, "placement-counted"), system.base
    assert shown(check, system) is Result.PASS
    stray = system.identity.tenants.create("stray", "us").id
    assert shown(check, system) is Result.FAIL
    with base.database.write() as connection:
        connection.execute(update(tenants).where(tenants.c.id == stray).values(jurisdiction="eu"))
    assert shown(check, system) is Result.PASS
    marker = base.mirror.get(MARKER)
    base.mirror.delete(MARKER)
    assert shown(check, system) is Result.FAIL
    base.mirror.create(MARKER, marker)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[System]:
    with fresh_place("postgresql", tmp_path, alone=True) as place:
        data = {"folder": tmp_path / "data", "keys": tmp_path / "keys", **place.settings}
        with opened(load(data=data)) as troth:
            troth.system.base.database.owner_url = place.owner  # type: ignore[attr-defined]
            yield troth.system


@pytest.mark.postgres
def test_on_postgresql_the_walls_themselves_are_tried(served: System) -> None:
    check = named(rows.CHECKS, "rows-apart")
    assert served.base.database.dialect == "postgresql"
    assert judge(check.observe(served)) is Result.PASS
    assert judge(check.sabotage(served)) is Result.FAIL
    with owned(served.base.database) as connection:
        connection.execute(text("ALTER TABLE vault_object DISABLE ROW LEVEL SECURITY"))
    assert judge(check.observe(served)) is Result.FAIL
