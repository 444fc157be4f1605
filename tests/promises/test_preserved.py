"""The check of preserved evidence: kept as it is built, and broken by each that lets evidence go or be seen."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from troth.gateway.moderation.preserved import Preserved
from troth.gateway.moderation.tables import cases, evidence
from troth.promises.check import Result, judge
from troth.promises.checks.preserved import CHECKS
from troth.promises.system import System
from troth.vault.holds import holds

(CHECK,) = CHECKS


def test_evidence_is_kept_and_looking_leaves_nothing(system: System) -> None:
    assert (judge(CHECK.observe(system)), judge(CHECK.sabotage(system))) == (Result.PASS, Result.FAIL)
    with system.base.database.read() as connection:
        left = [connection.execute(select(func.count()).select_from(one)).scalar() for one in (cases, evidence)]
        active = connection.execute(select(func.count()).select_from(holds).where(holds.c.lifted_at.is_(None))).scalar()
    assert (left, active) == ([0, 0], 0)


def test_who_opens_alone_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = Preserved._standing
    monkeypatch.setattr(Preserved, "_agreed", lambda self, tenant, name, _actor, _wish: standing(self, tenant, name))
    assert CHECK.observe(system).broken >= 2


def test_a_report_that_somebody_changes_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def swept(self: Preserved) -> int:
        with system.base.database.write() as connection:
            return connection.execute(evidence.update().values(reference="another")).rowcount

    monkeypatch.setattr(Preserved, "sweep", swept)
    assert CHECK.observe(system).broken == 1


def test_roles_that_may_ask_for_evidence_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.promises.checks.preserved._ROLES", ("member", "privacy-officer"))
    asked = [one for one in system.dispatcher.registry if one.name.startswith("preserved.")]
    assert CHECK.observe(system).broken == len(asked) > 3
