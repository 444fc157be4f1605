"""Rights: export and erasure know the same stores; rights without an operation are not called kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.identity.holder import IdentityHolder
from troth.kernel.personal import Forgotten
from troth.promises.check import Check, Result, judge
from troth.promises.checks import rights
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault.consent import Consents


def test_export_equals_erasure(run_once: Callable[[Check], Run]) -> None:
    run = run_once(named(rights.CHECKS, "export-equals-erasure"))
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


def test_a_holder_that_shows_but_does_not_forget_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Consents, "forget", lambda _self, _tenant, _subject: [])
    assert shown(named(rights.CHECKS, "export-equals-erasure"), system) is Result.FAIL


def test_a_holder_that_forgets_but_does_not_show_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IdentityHolder, "holdings", lambda _self, _tenant, _subject: [])
    assert shown(named(rights.CHECKS, "export-equals-erasure"), system) is Result.FAIL


def test_an_account_that_stays_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IdentityHolder, "forget", lambda _self, _tenant, _subject: Forgotten("identity"))
    monkeypatch.setattr(IdentityHolder, "holdings", lambda _self, _tenant, _subject: [])
    assert shown(named(rights.CHECKS, "export-equals-erasure"), system) is Result.FAIL


def test_missing_rights_are_said_aloud(run_once: Callable[[Check], Run]) -> None:
    run = run_once(named(rights.CHECKS, "rights-have-operations"))
    assert (run.result, run.control) == (Result.FAIL, Result.FAIL)
    assert judge(rights._offered(set(rights._RIGHTS.values()))) is Result.PASS
