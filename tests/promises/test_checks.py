"""All checks together: how many promises a fresh installation keeps, and that looking leaves nothing behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from troth.governance.forms.reading import shipped
from troth.promises.catalogue import catalogue
from troth.promises.check import Check
from troth.promises.checks import all_checks
from troth.promises.status import Run, State
from troth.promises.system import PROBE_TENANT
from troth.vault.store import LIVE, objects
from troth.wiring import Troth

AT_LEAST = 35
# What this software does not do, and therefore must not show as kept.
HONEST = {
    "BCK-01": State.NOT_CONFIGURED,
    "CRY-03": State.NOT_KEPT,
    "CRY-05": State.NOT_CONFIGURED,
}


@pytest.fixture(scope="module")
def runs(installation: Troth, run_once: Callable[[Check], Run]) -> dict[str, Run]:
    return {check.id: run_once(check) for check in installation.runner.checks}


def test_a_fresh_installation_keeps_at_least_35(installation: Troth, runs: dict[str, Run]) -> None:
    states = {promise.id: standing.state for promise, standing in installation.runner.table()}
    assert Counter(states.values())[State.KEPT] >= AT_LEAST
    assert {promise: states[promise] for promise in HONEST} == HONEST
    assert len(runs) == len(all_checks())


def test_what_is_kept_rests_on_checks_that_could_have_failed(installation: Troth, runs: dict[str, Run]) -> None:
    for promise, standing in installation.runner.table():
        if standing.state is State.KEPT:
            assert standing.runs, promise.id
            assert all((run.result, run.control) == ("pass", "fail") for run in standing.runs), promise.id
    assert runs


def test_looking_leaves_no_object_and_no_person(installation: Troth, runs: dict[str, Run]) -> None:
    base, tenants = installation.system.base, installation.system.identity.tenants
    probes = {tenant.id for tenant in tenants.list() if tenant.name.startswith(PROBE_TENANT)}
    with base.database.read() as connection:
        live = connection.execute(select(objects.c.id).where(objects.c.state == LIVE)).all()
    assert probes
    assert not live
    assert not [user for tenant in probes for user in installation.system.identity.users.list(tenant)]
    assert runs


def test_each_run_stands_in_the_log(installation: Troth, runs: dict[str, Run]) -> None:
    base = installation.system.base
    base.sequencer.flush("operator")
    assert all(base.prover.locate("operator", run.request) for run in runs.values())


def test_every_promise_is_reached_by_a_check_or_a_register() -> None:
    """Of 134, but for those that are listed with the reason."""
    reached = {promise for check in all_checks() for promise in check.promises}
    listed = yaml.safe_load((Path(__file__).parent / "unreached.yaml").read_text(encoding="utf-8"))
    assert len(catalogue()) == 134
    assert set(catalogue()) - reached <= set(listed) <= set(catalogue())
    assert all(len(reason) > 20 for reason in listed.values())


def test_checks_are_named_once_and_say_what_they_look_at() -> None:
    checks = all_checks()
    assert len({check.id for check in checks}) == len(checks)
    for check in checks:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.id)
        assert set(check.promises) <= set(catalogue())
        assert check.looks_at.endswith(".")
        assert 40 < len(check.looks_at) < 400
        assert 0 < check.every < check.fresh


def test_each_check_has_its_own_words_for_scope_and_population() -> None:
    """Neither a default nor the sentence or the name again, and short enough for a column."""
    usual = {field.name: field.default for field in fields(Check)}
    for check in all_checks():
        name = check.id.replace("-", " ")
        for words, default in ((check.scope, usual["scope"]), (check.population, usual["population"])):
            assert words != default, check.id
            assert 8 <= len(words) <= 60, check.id
            assert words.strip(" .") == words, check.id
            assert words.lower().removeprefix("the ") not in (name, check.looks_at.lower()), check.id
        assert check.scope != check.population, check.id
        assert check.part in {"installation", "house", "edge"}, check.id


def test_the_parts_of_checks_are_those_that_an_exception_may_name() -> None:
    assert {check.part for check in all_checks()} <= set(shipped()["exceptions"].fields["scope"].of)
