"""Time: what passes its deadline is gone, class by class."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from promise_world import Broken, named, shown
from troth.audit.log import Filter
from troth.kernel import periodic
from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.periodic import Periodic
from troth.promises.check import Check, Result
from troth.promises.checks import retention
from troth.promises.probe import probe
from troth.promises.status import Run
from troth.promises.system import Door, Listener, System
from troth.vault.retention import Retention
from troth.wiring import Troth


@pytest.mark.parametrize("check", retention.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


@pytest.mark.parametrize("name", ["gone-after-deadline", "bodies-are-transient"])
def test_a_sweep_that_does_nothing_is_seen(name: str, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retention, "sweep", lambda _self: None)
    assert shown(named(retention.CHECKS, name), system) is Result.FAIL


def test_a_class_without_a_clock_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(system.vault.retention._deadlines._limits, DataClass.USER_GENERATED, None)
    assert shown(named(retention.CHECKS, "limit-of-each-class"), system) is Result.FAIL


@contextmanager
def serving(system: System, *work: Callable[[], object], begin: bool = True) -> Iterator[System]:
    """The system as it is while a server runs, with this work on its schedule."""
    somewhere = Path("unused")
    listener = Listener("127.0.0.1", 0, "localhost", None, somewhere, somewhere)
    schedule = [Periodic("test", one, seconds=3600, delay=3600, faults=system.base.journal) for one in work]
    for one in schedule if begin else []:
        one.start()
    yield replace(system, door=Door(listener), schedule=schedule)
    for one in schedule:
        one.stop()


def test_work_that_is_not_scheduled_is_seen(system: System) -> None:
    check, vault = named(retention.CHECKS, "gone-after-deadline"), system.vault
    whole = [vault.retention.sweep, vault.erasures.resume, vault.erasures.tidy]
    with serving(system, *whole) as running:
        assert shown(check, running) is Result.PASS
    for missing in range(len(whole)):
        with serving(system, *whole[:missing], *whole[missing + 1 :]) as running:
            assert not all(retention._on_schedule(running))
    with serving(system) as running:
        assert shown(check, running) is Result.FAIL
    with serving(system, lambda: None, lambda: None, lambda: None) as running:  # scheduled, and does nothing
        assert not any(retention._on_schedule(running))
    with serving(system, *whole, begin=False) as running:
        assert not any(retention._on_schedule(running))


def test_work_that_is_late_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = system.vault
    with serving(system, vault.retention.sweep, vault.erasures.resume, vault.erasures.tidy) as running:
        now = time.monotonic()
        monkeypatch.setattr(periodic, "time", Broken(time, monotonic=lambda: now + 4 * 3600))
        assert not any(retention._on_schedule(running))
        monkeypatch.undo()
        assert all(retention._on_schedule(running))


def test_the_ages_of_bodies_stand_in_the_signed_entry_of_the_run(
    run_once: Callable[[Check], Run], installation: Troth
) -> None:
    run, base = run_once(named(retention.CHECKS, "bodies-are-transient")), installation.system.base
    base.sequencer.flush()
    page = base.reader.page("operator", Filter(naming=run.request), before=None, limit=1)
    counts = json.loads(page.entries[0].leaf)["facts"]["counts"]
    assert set(counts) == {"hour", "day", "week", "month", "older", "oldest-hours"}
    assert counts["older"] == 0


def test_ages_by_their_border(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    with probe(system) as person:
        person.keep(b"old one day")
        monkeypatch.setattr(retention, "_now", lambda _system: epoch_ms(system.base.clock.now()) + 25 * 3_600_000)
        ages = retention._ages(system)
    assert (ages["hour"], ages["day"]) == (0, 0)
    assert ages["week"] >= 1
    assert ages["oldest-hours"] >= 25
