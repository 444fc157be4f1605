"""Rights: export and erasure know the same stores; a right that does nothing is not called kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.identity.holder import IdentityHolder
from troth.identity.own_account import OwnAccount
from troth.identity.rectification import Rectification
from troth.kernel.personal import Forgotten
from troth.promises.check import Check, Result
from troth.promises.checks import rights
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault.consent import Consents
from troth.vault.restriction import Restrictions
from troth.vault.rights.holder import RightsHolder
from troth.vault.rights.register import Register


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


def test_rights_act(run_once: Callable[[Check], Run]) -> None:
    run = run_once(named(rights.CHECKS, "rights-act"))
    assert (run.result, run.control, run.tested) == (Result.PASS, Result.FAIL, 5)


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (Rectification, "rectify"),
        (Restrictions, "place"),
        (Register, "stop"),
    ],
)
def test_a_right_that_does_nothing_is_seen(
    system: System, monkeypatch: pytest.MonkeyPatch, owner: type, method: str
) -> None:
    real = getattr(owner, method)

    def idle(*arguments: object, **named: object) -> object:
        return real(*arguments, **named) if method == "place" and named.get("reason") == "by-request" else []

    monkeypatch.setattr(owner, method, idle)
    assert shown(named(rights.CHECKS, "rights-act"), system) is Result.FAIL


def test_a_correction_without_a_code_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OwnAccount, "prove", lambda _self, _caller, _code: None)
    assert shown(named(rights.CHECKS, "rights-act"), system) is Result.FAIL


def test_a_holder_of_rights_that_forgets_nothing_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RightsHolder, "forget", lambda _self, _tenant, _subject: Forgotten("rights"))
    assert shown(named(rights.CHECKS, "export-equals-erasure"), system) is Result.FAIL
