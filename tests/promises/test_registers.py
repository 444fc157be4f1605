"""Registers as checks: only the house's count, an empty one proves nothing, and each known-bad record is seen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from troth.governance import specimens
from troth.governance.forms.reading import shipped, shipped_text
from troth.governance.loading import Forms
from troth.governance.moves import By
from troth.governance.registers import Registers
from troth.promises.catalogue import catalogue
from troth.promises.check import EMPTY, UNNAMED, Check, Result, judge
from troth.promises.checks import all_checks
from troth.promises.checks.registers import JUDGES, register_checks
from troth.promises.code import source_of
from troth.promises.status import State
from troth.promises.system import System
from troth.storage.placement import installation as row
from troth.wiring import Troth

RISK = {"name": "A fire", "touches": ["A"]}
OWNER = frozenset({"owner"})


@pytest.fixture(scope="module")
def checks() -> dict[str, Check]:
    return {one.id.removeprefix("register-"): one for one in all_checks() if one.id.startswith("register-")}


@pytest.fixture
def house(system: System) -> Iterator[str]:
    """A tenant that is the house for one test; its registers are empty."""
    tenant = system.identity.tenants.create("A publisher", "eu").id
    system.governance.house.name(tenant, "usr_one")
    yield tenant
    with system.base.database.write() as connection:
        connection.execute(update(row).values(house=None))


def test_without_a_house_nothing_counts(installation: Troth, checks: dict[str, Check]) -> None:
    run = installation.runner.run(checks["pentests"])
    assert (run.result, run.control, run.details) == (Result.ERROR, Result.FAIL, {UNNAMED: 1})
    found = next(standing for promise, standing in installation.runner.table() if promise.id == "GOV-19")
    assert (found.state, found.reason) == (State.UNKNOWN, "no house is named")


def test_each_known_bad_record_of_each_form_is_seen(system: System, checks: dict[str, Check]) -> None:
    assert len(checks) >= 25
    for name, check in checks.items():
        facts = check.sabotage(system)
        assert facts.broken == facts.population == len(shipped()[name].examples.known_bad) > 0, name


def test_one_known_bad_record_that_passes_makes_the_control_pass(
    system: System, checks: dict[str, Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = specimens.known_bad

    def blind(form: Any, look: Any) -> Iterator[Any]:
        yield from real(form, look)
        yield specimens.good(form, look)

    monkeypatch.setattr("troth.promises.checks.registers.known_bad", blind)
    assert judge(checks["risks"].sabotage(system)) is Result.PASS


def test_an_empty_register_of_the_house_proves_nothing(system: System, checks: dict[str, Check], house: str) -> None:
    """Only the data map is never empty: it comes with the software."""
    assert house
    for name, check in checks.items():
        facts = check.observe(system)
        assert (judge(facts), facts.details) == (
            (Result.PASS, {}) if name == "activities" else (Result.ERROR, {EMPTY: 1})
        )


def test_records_of_the_house_are_judged_and_those_of_others_are_not(
    system: System, checks: dict[str, Check], house: str
) -> None:
    registers: Registers = system.governance.registers
    other = system.identity.tenants.create("A customer", "eu").id
    for tenant in (other, house):
        assert checks["risks"].observe(system).population == 0
        registers.open(By(tenant, "usr_a", "usr_a", OWNER, "req_a"), "risks", RISK)
    facts = checks["risks"].observe(system)
    assert (facts.population, facts.tested) == (1, 1)
    assert judge(facts) is Result.FAIL, "nobody judged the risk yet"
    assert sum(facts.details.values()) > 0


def test_the_digest_covers_the_form_and_what_judges_it(checks: dict[str, Check]) -> None:
    check = checks["risks"]
    assert check.parameters["form"] == shipped()["risks"].digest
    for name in check.parameters:
        assert replace(check, parameters={**check.parameters, name: "other"}).digest != check.digest


def test_every_module_that_judges_is_in_the_digest() -> None:
    found, waiting = set(), ["troth.governance.standing"]
    while waiting:
        name = waiting.pop()
        text = source_of(name)
        if name not in found and text is not None:
            found.add(name)
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("troth.governance"):
                    waiting += [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
    assert {one for one in found if source_of(one)} - {"troth.governance.forms"} == set(JUDGES)


def _own(folder: Path, name: str, *changes: tuple[str, str]) -> Forms:
    text = shipped_text(name)
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    (folder / f"{name}.yaml").write_text(text)
    return Forms(folder)


def test_a_form_of_ones_own_becomes_a_check_and_takes_no_promise_away(tmp_path: Path, system: System) -> None:
    forms = _own(tmp_path, "pentests", ("promises: [GOV-19]", "promises: [GOV-20, XXX-99]"))
    check = next(one for one in register_checks(forms, ()) if one.id == "register-pentests")
    assert check.promises == ("GOV-20", "GOV-19")
    assert check.parameters["form"] == forms.get("pentests").digest
    with pytest.raises(Exception, match="another than its check"):
        check.observe(system)


def test_a_form_that_cannot_be_read_is_a_check_all_the_same(tmp_path: Path) -> None:
    forms = _own(tmp_path, "pentests", ("version: 1", "version: none"))
    check = next(one for one in register_checks(forms, ()) if one.id == "register-pentests")
    assert check.promises == ("GOV-19",)
    assert "pentests" in forms.sound()[1]


def test_where_software_refuses_the_refusing_check_is_the_evidence() -> None:
    free = {one.id: set(one.promises) for one in register_checks(Forms(), ())}
    held = {one.id: set(one.promises) for one in register_checks(Forms(), catalogue())}
    for name, form in shipped().items():
        enforced = {one for one in form.promises if catalogue()[one].kind == "enforced"}
        asked = set(form.promises)
        assert free.get(f"register-{name}", set()) == (asked - enforced if form.source else asked)
        assert held.get(f"register-{name}", set()) == (set() if form.source else asked - enforced)
