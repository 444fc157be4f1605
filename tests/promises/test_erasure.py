"""Deletion: erased people do not come back, and a stranger can check it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import Broken, named, shown
from troth.promises.check import Check, Result
from troth.promises.checks import erasure
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault.disposal import Disposal


@pytest.mark.parametrize("check", erasure.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_an_erasure_that_leaves_the_ciphertext_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disposal, "discard", lambda _self, _rows: 0)
    assert shown(named(erasure.CHECKS, "erased-live"), system) is Result.FAIL


def test_an_erasure_that_ignores_holds_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.vault.erasure_marks.binding_person", lambda *_: None)
    assert shown(named(erasure.CHECKS, "hold-beats-erasure"), system) is Result.FAIL


def test_a_vault_that_forgets_what_derives_from_what_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.vault.endings.closure", lambda _connection, roots: sorted(roots))
    assert shown(named(erasure.CHECKS, "derived-copies-follow"), system) is Result.FAIL


def test_a_verifier_that_believes_everything_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    real = erasure.verify_certificate
    monkeypatch.setattr(erasure, "verify_certificate", lambda document, *_, **__: Broken(document))
    assert real is not erasure.verify_certificate
    with pytest.raises(AttributeError):
        shown(named(erasure.CHECKS, "certificate-holds"), system)
