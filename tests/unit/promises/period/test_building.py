"""The same evidence gives the same report and the same file; runs that the log does not know give none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from period_world import PeriodWorld
from troth.kernel.errors import IntegrityError
from troth.promises.period.building import Gathered, report_of
from troth.promises.period.columns import Stretch

WORLD = PeriodWorld(checks=2, days=2)


def test_the_same_evidence_gives_the_same_bytes() -> None:
    first, second = (report_of(WORLD.gathered()) for _ in range(2))
    assert first[0].digest == second[0].digest
    assert first[1] == second[1]
    assert WORLD.bundle() == WORLD.bundle()
    assert report_of(PeriodWorld(checks=2, days=2, seed=2).gathered())[0].digest != first[0].digest


def test_the_totals_are_those_of_the_checks() -> None:
    report, _ = report_of(WORLD.gathered())
    assert report.expected == sum(one.expected for one in report.checks) == report.done + report.missed
    assert report.plain()["expected"] == report.expected
    assert report.events == 2


@pytest.mark.parametrize("part", ["at", "result", "code", "population"])
def test_rows_that_were_edited_give_no_report(part: str) -> None:
    gathered = WORLD.gathered()
    one = gathered.chains["check-001"][0]
    with pytest.raises(IntegrityError) as caught:
        report_of(
            _with(
                gathered,
                replace(one, **{part: [*getattr(one, part)[:20], _other(one, part), *getattr(one, part)[21:]]}),
            )
        )
    assert caught.value.code == "period-broken"


def test_a_run_that_was_taken_away_gives_no_report() -> None:
    gathered = WORLD.gathered()
    one = gathered.chains["check-001"][0]
    names = "slot at result control population tested details code schedule system clock".split()
    with pytest.raises(IntegrityError):
        report_of(_with(gathered, replace(one, **{name: getattr(one, name)[:-1] for name in names})))


def _with(gathered: Gathered, one: Stretch) -> Gathered:
    return replace(gathered, chains={**gathered.chains, one.check: (one,)})


def _other(one: Stretch, part: str) -> object:
    return {"at": one.at[20] + 1, "result": "fail", "code": "f" * 64, "population": 0}[part]
