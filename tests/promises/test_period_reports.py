"""The report of a day counts every look and is the same each time; one that forgets or changes is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from troth.promises import store
from troth.promises.check import Check, Result
from troth.promises.checks import period_reports
from troth.promises.period.building import Gathered
from troth.promises.period.report import RegisterEvent
from troth.promises.runs import Run
from troth.promises.system import System
from troth.promises.tallies import Tallies
from worlds import MovableClock

(REPORTS,) = period_reports.CHECKS
EVENT = RegisterEvent("risks", "rec_1", 1, 1, "open", "1" * 64, "")


def test_kept_and_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(REPORTS)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested >= 5


@pytest.fixture(scope="module")
def closed(system: System) -> System:
    """The installation after its first day, as far as the log goes."""

    class Tomorrow:
        def now(self) -> Any:
            return system.base.clock.now() + timedelta(days=1, minutes=6)

    base = system.base
    with base.database.write() as connection:
        run = Run("closed", 1, Result.PASS, Result.FAIL, 1, 1, "a" * 64, "run_closed", 1)
        store.add(connection, run, store.Signed("nobody", b"s" * 64), None)
    Tallies(base.database, base.outbox, Tomorrow()).write()  # type: ignore[arg-type]
    base.sequencer.flush("operator")
    return system


@pytest.fixture(autouse=True)
def _the_day_after(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    real = period_reports.gather

    def later(sources: Any, period: Any) -> Gathered:
        class Then:
            def now(self) -> Any:
                return system.base.clock.now() + timedelta(days=2)

        return real(replace(sources, clock=Then()), period)

    monkeypatch.setattr(period_reports, "gather", later)


def test_the_newest_day_here_is_reported_twice(closed: System) -> None:
    facts = REPORTS.observe(closed)
    assert (facts.tested, facts.broken) == (7, 0)


def test_a_gathering_that_changes_is_seen(closed: System, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = period_reports.gather, []

    def changing(sources: Any, period: Any) -> Gathered:
        asked.append(period)
        found = real(sources, period)
        return found if len(asked) == 1 else replace(found, events=(EVENT,))

    monkeypatch.setattr(period_reports, "gather", changing)
    assert REPORTS.observe(closed).broken == 1


def test_an_edited_run_of_the_newest_day_is_seen(closed: System) -> None:
    with closed.base.database.write() as connection:
        connection.execute(store.check_run.update().where(store.check_run.c.check_id == "closed").values(tested=7))
    try:
        assert REPORTS.observe(closed).broken == 1
    finally:
        with closed.base.database.write() as connection:
            connection.execute(store.check_run.update().where(store.check_run.c.check_id == "closed").values(tested=1))


@pytest.mark.parametrize(("minutes", "broken"), [(1, 0), (11, 1), (-1, 1)], ids=["young", "old", "to come"])
def test_a_newest_tally_that_cannot_be_proven_is_seen(closed: System, minutes: int, broken: int) -> None:
    """Its row names a request that the log has not: nothing for some minutes, and a fault then."""
    with closed.base.database.read() as connection:
        tally = store.newest_tally(connection)
    assert tally is not None
    clock = MovableClock(datetime.fromtimestamp(tally.at / 1000, UTC) + timedelta(minutes=minutes))
    then = replace(closed, base=replace(closed.base, clock=clock))
    mine = store.check_tally.update().where(store.check_tally.c.day == tally.day)
    try:
        with closed.base.database.write() as connection:
            connection.execute(mine.values(request="run_nobody"))
        assert REPORTS.observe(then).broken == broken
    finally:
        with closed.base.database.write() as connection:
            connection.execute(mine.values(request=tally.request))


@pytest.mark.parametrize("wrong", ["missed", "gaps", "episodes"])
def test_a_report_that_forgets_is_seen(system: System, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    real = period_reports.report_of

    def forgetting(gathered: Gathered) -> Any:
        report, files = real(gathered)
        checks = tuple(replace(one, **{wrong: 0 if wrong == "missed" else ()}) for one in report.checks)
        return replace(report, checks=checks), files

    monkeypatch.setattr(period_reports, "report_of", forgetting)
    assert REPORTS.observe(system).broken >= 1
