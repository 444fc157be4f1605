"""RGT-11: reasons and a way to object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from troth.gateway.moderation import telling
from troth.gateway.moderation.cases import Cases
from troth.gateway.moderation.tables import cases
from troth.promises.check import Check, Result
from troth.promises.checks import reasons
from troth.promises.runs import Run
from troth.promises.system import System

(CHECK,) = reasons.CHECKS


def test_kept_and_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(CHECK)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested == 9


def test_it_leaves_no_case(system: System) -> None:
    CHECK.observe(system)
    with system.base.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(cases)) == 0


def test_a_statement_without_redress_turns_it_red(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = telling._reasons

    def silent(*told: Any) -> Any:
        return whole(*told).model_copy(update={"redress": ""})

    monkeypatch.setattr(telling, "_reasons", silent)
    assert CHECK.observe(system).broken == 3


def test_a_second_look_by_the_same_person_turns_it_red(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cases, "decide", _forgetful(Cases.decide))
    assert CHECK.observe(system).broken


def _forgetful(decide: Callable[..., Any]) -> Callable[..., Any]:
    """Whoever decides the appeal is taken for somebody else."""

    def decided(self: Any, tenant: str, case_id: str, actor: str, decision: Any) -> Any:
        try:
            return decide(self, tenant, case_id, actor, decision)
        except Exception:  # noqa: BLE001 - that is the sabotage
            return None

    return decided
