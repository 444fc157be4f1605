"""Walls between clients: tenants, people, stolen keys, failing parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from promise_world import named, shown
from troth.promises.check import Check, Result
from troth.promises.checks import isolation
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault import store
from troth.vault.erasure import Reader
from troth.vault.store import Row


@pytest.mark.parametrize("check", isolation.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_query_without_the_person_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    query = store.page

    def page(connection: Any, tenant: str, _subject: str, now: int, **rest: Any) -> list[Row]:
        everybody = {row.subject for row in store.rows_of(connection, select(store.objects))}
        return [row for one in everybody for row in query(connection, tenant, one, now, **rest)]

    monkeypatch.setattr(store, "page", page)
    assert shown(named(isolation.CHECKS, "own-data-only"), system) is Result.FAIL


def test_an_erasure_that_colleagues_may_see_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "may_see", lambda _self, _erasure: True)
    assert shown(named(isolation.CHECKS, "own-data-only"), system) is Result.FAIL


def test_a_look_up_without_the_tenant_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(connection: Any, _tenant: str, _subject: str, object_id: str, **_: Any) -> Row | None:
        rows = store.rows_of(connection, select(store.objects).where(store.objects.c.id == object_id))
        return rows[0] if rows else None

    monkeypatch.setattr(store, "find", find)
    assert shown(named(isolation.CHECKS, "tenants-apart"), system) is Result.FAIL


def test_a_route_that_the_check_does_not_know_is_not_green(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_named", lambda _operation, things: {"new": things["new"]})
    with pytest.raises(KeyError):
        shown(named(isolation.CHECKS, "tenants-apart"), system)
