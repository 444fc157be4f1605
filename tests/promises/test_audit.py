"""The log: not skipped, not changed unseen, not a memory of the forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from promise_world import Broken, named, shown
from troth.audit import publication, store
from troth.audit.details import Details, Opened, State
from troth.audit.tiles import WIDTH
from troth.identity.holder import IdentityHolder
from troth.kernel.personal import Forgotten
from troth.promises.check import Check, Result
from troth.promises.checks import audit
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", audit.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_recorder_that_loses_entries_is_seen(system: System) -> None:
    losing: Any = Broken(system.base.outbox, record=lambda *_: None)
    broken = replace(system, base=replace(system.base, outbox=losing))
    assert shown(named(audit.CHECKS, "no-record-no-act"), broken) is Result.FAIL


def test_a_verifier_that_believes_everything_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "verify_log", lambda *_, **__: None)
    assert shown(named(audit.CHECKS, "log-tampering-seen"), system) is Result.FAIL


def test_a_bundle_of_one_entry_is_not_what_is_tampered_with(system: System) -> None:
    system.base.sequencer.flush("operator")
    with system.base.database.read() as connection:
        size = store.head(connection, "operator").size
    for _ in range((WIDTH - 1 - size) % WIDTH):
        system.base.outbox.record(audit._event(system))
    assert shown(named(audit.CHECKS, "log-tampering-seen"), system) is Result.PASS


def test_a_log_that_signs_a_rolled_back_database_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "require_growth", lambda *_: None)
    assert shown(named(audit.CHECKS, "log-tampering-seen"), system) is Result.FAIL


def test_an_erasure_that_keeps_the_account_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IdentityHolder, "forget", lambda _self, _tenant, _subject: Forgotten("identity"))
    assert shown(named(audit.CHECKS, "log-forgets-names"), system) is not Result.PASS


def test_details_that_open_after_the_erasure_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {}

    def remembers(details: Details, leaf: bytes, *, only: str | None = None) -> Opened:
        found = known.setdefault(leaf, of(details, leaf, only=only))
        return found if found.state is State.OPEN else of(details, leaf, only=only)

    of = Details.of
    monkeypatch.setattr(Details, "of", remembers)
    assert shown(named(audit.CHECKS, "log-forgets-names"), system) is Result.FAIL
