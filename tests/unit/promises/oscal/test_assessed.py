"""What the documents are made of: the table of a moment, or the report of a period."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from check_world import check
from troth.promises.catalogue import catalogue
from troth.promises.oscal import words
from troth.promises.oscal.assessed import of_now, of_period
from troth.promises.oscal.documents import documents
from troth.promises.period.report import CheckPeriod, Episode, PeriodReport, PromisePeriod
from troth.promises.report import PromiseRow, PromiseTable, RunRow
from troth.promises.status import Period, State

NOW, DAY = 1_790_000_000_000, 86_400_000
PROMISES = tuple(catalogue().values())
NAMED: dict[str, Any] = {"origin": "troth.example/log/op", "system": "0.1.0"}


def run(**members: Any) -> RunRow:
    told: dict[str, Any] = {"check": "one", "looks_at": "Looks.", "at": NOW - 5, "result": "pass", "control": "fail"}
    counts = {"population": 2, "tested": 2, "record": "req_a", "sequence": 7, "link": "ab" * 32, "schedule": 1}
    return RunRow(**(told | counts | members))


def table(*runs: RunRow, state: str = "kept") -> PromiseTable:
    data = [
        PromiseRow(
            id=one.id,
            statement=one.statement,
            kind=one.kind,
            capability=one.capability,
            state=state if one.id == "CRY-01" else "unknown",
            reason="as seen",
            runs=list(runs) if one.id == "CRY-01" else [],
            waivers=[],
        )
        for one in PROMISES
    ]
    return PromiseTable(counts={}, data=data)


def test_the_table_of_a_moment() -> None:
    told = of_now(table(run()), [check()], PROMISES, now=NOW, **NAMED)
    assert (told.start, told.end) == (NOW, NOW)
    assert [(one.check, one.verdict, one.sequence) for one in told.observed] == [("one", "pass", 7)]
    assert documents(told)


def test_a_run_whose_fixture_passed_showed_nothing() -> None:
    told = of_now(table(run(control="pass"), state="unknown"), [check()], PROMISES, now=NOW, **NAMED)
    assert [one.verdict for one in told.observed] == ["error"]


def looked(check: str, promise: str, state: State, **members: Any) -> CheckPeriod:
    told: dict[str, Any] = {"check": check, "promises": (promise,), "state": state, "every": 3600, "fresh": 7200}
    said = {"scope": "installation", "population": "things", "reason": "seen"}
    counts = {"expected": 10, "done": 0, "missed": 10, "late": 0, "extra": 0, "lost": 0, "outcomes": {}}
    known = {one.name for one in fields(CheckPeriod)}
    given = {**told, **said, **counts, "episodes": (), "gaps": (), **members}
    return CheckPeriod(**{name: one for name, one in given.items() if name in known})


def test_a_period_tells_of_missed_runs_and_of_failures() -> None:
    episodes = (Episode("fail", NOW - DAY, NOW - DAY + 5, 3, 4), Episode("error", NOW - 9, None, 8, 9))
    bad = looked("one", "CRY-01", State.NOT_KEPT, done=8, missed=2, late=1, episodes=episodes, first=1, last=9)
    never = looked("other", "CRY-02", State.UNKNOWN)
    promises = (
        PromisePeriod("CRY-01", State.NOT_KEPT, "broken", ("one",)),
        PromisePeriod("CRY-02", State.UNKNOWN, "never run", ("other",)),
    )
    report = PeriodReport(Period(NOW - 30 * DAY, NOW), "00" * 32, (bad, never), promises, (), (), (), 0, (), {})
    told = of_period(report, [check(), check("other", ("CRY-02",))], PROMISES, **NAMED)
    assert {one.state for one in told.found if one.id not in ("CRY-01", "CRY-02")} == {"unknown"}
    (seen,) = told.observed
    assert (seen.counts["missed"], seen.failures) == (2, ((NOW - DAY, NOW - DAY + 5),))
    result = documents(told)[words.RESULTS]["assessment-results"]["results"][0]
    assert result["start"] < result["end"]
    (entry,) = result["risks"][0]["risk-log"]["entries"]
    assert (entry["status-change"], entry["end"]) == ("closed", words.moment(NOW - DAY + 5))
