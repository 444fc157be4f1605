"""The life of keys: kept by a fresh installation, and what breaks the promises is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from troth.kernel.errors import TrothError
from troth.keys.units import address
from troth.promises.check import Check, Result, judge
from troth.promises.checks import lifecycle
from troth.promises.status import Run
from troth.promises.system import System
from troth.settings.load import load
from troth.wiring import opened

LIFE, LOST = lifecycle.CHECKS


@pytest.fixture
def two_domains(tmp_path: Path) -> Iterator[System]:
    """An installation with a second key domain."""
    domains = [{"kind": "local", "name": "local"}, {"kind": "local", "name": "second"}]
    settings = load(data={"folder": tmp_path / "data", "keys": tmp_path / "keys"}, keys={"domains": domains})
    with opened(settings) as troth:
        yield troth.system


def test_a_fresh_installation_keeps_the_rules(run_once: Callable[[Check], Run]) -> None:
    run = run_once(LIFE)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 8


def test_a_root_past_its_cryptoperiod_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    state = system.base.tree._state
    monkeypatch.setattr(state.periods.__class__, "root_ms", 0)
    assert judge(lifecycle._by_rule(system)) is Result.FAIL


def test_a_suspension_that_is_not_kept_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.keys.tree.KeyTree.suspend", lambda *_: None)
    assert judge(lifecycle._by_rule(system)) is Result.FAIL


def test_one_domain_says_that_there_is_no_second_copy(run_once: Callable[[Check], Run]) -> None:
    run = run_once(LOST)
    assert (run.result, run.control) == (Result.NOT_CONFIGURED, Result.FAIL)


def test_two_domains_stand_in_for_each_other(two_domains: System) -> None:
    assert judge(lifecycle._lost_and_found(two_domains)) is Result.PASS
    blobs = two_domains.base.domains[1].blobs
    for name in list(blobs.names()):
        blobs.delete(name)
    with pytest.raises(TrothError):
        two_domains.base.tree.verify()
    place = address("ten_test", "usr_test", two_domains.base.tree.own_unit("ten_test", "usr_test", lifecycle._CLASS).id)
    for name in list(blobs.names()):
        blobs.delete(name)
    seen = lifecycle._recoverable(two_domains.base.domains, "eu", place, bytes(36))
    assert seen == [True, True, False, True]
