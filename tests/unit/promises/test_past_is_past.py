"""What is said of a period that is over stays said, whatever comes into the log afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from check_world import ONE, CheckWorld, check
from database_world import opened
from troth.promises import store
from troth.promises.chains import Chain
from troth.promises.check import Result
from troth.promises.history import Plans, Told, day_state
from troth.promises.past import Past, counted
from troth.promises.runs import Run
from troth.promises.schedule import Planned, ScheduleVersion
from troth.promises.status import Declared, Evidence, Period, State, status

HOUR = 3_600_000
DAY = 24 * HOUR
CODE = "a" * 64
DECLARED = [Declared("one", (ONE,), 3 * 3600, CODE, CODE)]
PLAN = ScheduleVersion(1, 0, 0, (Planned("one", (ONE,), 3600, 3 * 3600, "installation", "things", CODE),))
ENDS = 4 * DAY  # of all that is asked for; a day later somebody asks
TALLY = ENDS + 600_000

RUNS = st.tuples(
    st.integers(0, 6 * DAY),
    st.sampled_from(Result),
    st.sampled_from([Result.FAIL, Result.FAIL, Result.FAIL, Result.PASS]),
    st.sampled_from(["", "", "", "off", "back"]),
    st.sampled_from([CODE, CODE, CODE, "b" * 64]),
)


def _chain(told: list[tuple[int, Result, Result, str, str]]) -> list[Run]:
    found: list[Run] = []
    for at, result, control, clock, code in told:
        previous = found[-1].link if found else ""
        found.append(
            Run(
                "one", at, result, control, 1, 1, code, f"run_{len(found)}", len(found) + 1, None, previous, clock=clock
            )
        )
    return found


def _good(hours: list[int]) -> list[tuple[int, Result, Result, str, str]]:
    return [(hour * HOUR, Result.PASS, Result.FAIL, "", CODE) for hour in hours]


def _evidence(runs: list[Run], counted: int) -> list[Evidence]:
    """As a chain is read: what the tally did not count says so where it claims to be older."""
    return [Evidence(one, CODE, since=TALLY if one.sequence > counted and one.at <= ENDS else 0) for one in runs]


def _states(evidence: list[Evidence], now: int) -> list[State]:
    spans = [Period(day * DAY, (day + 1) * DAY) for day in range(4)] + [Period(DAY // 3, ENDS)]
    return [status(ONE, DECLARED, {"one": evidence}, waivers=(), period=one, now=now).state for one in spans]


@settings(max_examples=40)
@given(st.sets(st.integers(0, 95), min_size=20), st.lists(RUNS, max_size=6))
def test_nothing_that_comes_later_changes_a_period_that_is_over(hours: set[int], later: list[Any]) -> None:
    before = _good(sorted(hours))
    runs = _chain([*before, *later])
    then = _states(_evidence(runs[: len(before)], len(before)), ENDS + DAY)
    assert _states(_evidence(runs, len(before)), ENDS + 9 * DAY) == then


@settings(max_examples=40)
@given(st.sets(st.integers(0, 95), min_size=20), st.lists(RUNS, max_size=6))
def test_nor_does_it_in_a_bar(hours: set[int], later: list[Any]) -> None:
    before = _good(sorted(hours))
    runs = _chain([*before, *later])

    def said(some: list[Run]) -> list[State]:
        chain = Chain("one", [(0, CODE)], 3 * HOUR, ([len(before)], [TALLY]))
        for one in some:
            chain.take(one, one.link)
        told = Told({"one": chain.evidence(Evidence(some[-1], CODE))})
        days, plans = [Period(day * DAY, (day + 1) * DAY) for day in range(4)], Plans((PLAN,), ())
        return [day_state(ONE, day, plans, told, waivers=(), now=ENDS + 9 * DAY) for day in days]

    assert said(runs) == said(runs[: len(before)])


@settings(max_examples=40)
@given(st.lists(RUNS, min_size=1, max_size=12), st.lists(RUNS, max_size=6))
def test_whatever_came_before_a_run_at_the_end_decides(first: list[Any], later: list[Any]) -> None:
    """Also where clocks jumped before: a run in order behind the period closes it, without any tally."""
    closing = (ENDS + HOUR, Result.PASS, Result.FAIL, "", CODE)
    runs = _chain([*first, closing, *later])
    then = _states([Evidence(one, CODE) for one in runs[: len(first) + 1]], ENDS + 3 * DAY)
    assert _states([Evidence(one, CODE) for one in runs], ENDS + 9 * DAY) == then


def test_a_gap_that_is_filled_afterwards_stays_one() -> None:
    runs = _chain(_good([*range(10), *range(20, 96)]))
    late = _chain([*_good([*range(10), *range(20, 96)]), *_good(list(range(10, 20)))])
    told = [Evidence(one, CODE) for one in runs]
    assert _states(told, ENDS + DAY)[0] is State.UNKNOWN
    assert _states([Evidence(one, CODE) for one in late], ENDS + DAY)[0] is State.UNKNOWN
    on_time = [replace(one, run=replace(one.run, sequence=place)) for place, one in enumerate(
        sorted([Evidence(one, CODE) for one in late], key=lambda one: one.run.at), 1)]  # fmt: skip
    assert _states(on_time, ENDS + DAY)[0] is State.KEPT, "the same runs in their time would have"


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[CheckWorld]:
    """A day of looks, a day without, and its tally: what was looked at then is told."""
    with opened("sqlite", tmp_path) as database:
        world = CheckWorld(database, tmp_path, (check("one", (ONE,), every=14_400, fresh=6 * 3600),))
        for _ in range(4):
            world.scheduler.tick()
            world.clock.forward(hours=4)
        world.clock.forward(hours=21)  # 1 o'clock, two days after the first one
        world.tallies.write()
        world.place()
        yield world


@pytest.mark.parametrize("touch", ["nothing", "delete", "at"])
def test_a_clock_that_is_set_back_fills_no_day_that_was_told(silent: CheckWorld, touch: str) -> None:
    """The log tells of tallies, whatever became of their rows."""
    before = Past(silent.runner, silent.database, silent.clock, fresh=0).bar(ONE).months[-1].days
    assert State.KEPT not in before
    silent.clock.forward(hours=-25)  # to the beginning of the day without looks
    for _ in range(6):
        silent.runner.run(silent.checks[0])
        silent.clock.forward(hours=4)
    silent.clock.forward(hours=1)
    assert silent.state() is State.KEPT, "now somebody looks again"
    with silent.database.write() as connection:
        if touch == "delete":
            connection.execute(store.check_tally.delete())
        elif touch == "at":
            connection.execute(store.check_tally.update().values(at=1))
    after = Past(silent.runner, silent.database, silent.clock, fresh=0).bar(ONE).months[-1].days
    assert after == before


@pytest.mark.parametrize("mark", ["off", None])
def test_a_clock_that_was_ahead_for_a_while_stops_no_later_tally(tmp_path: Path, mark: str | None) -> None:
    """Known to be off it closes no day; where nobody knew, later days are closed all the same."""
    with opened("sqlite", tmp_path) as database:
        world = CheckWorld(database, tmp_path, (check("one", (ONE,), every=43_200, fresh=26 * 3600),))
        for look in range(12):
            if look == 3:
                world.mark = mark
                world.clock.forward(days=365)
                world.scheduler.tick()
                world.mark = None
                world.clock.forward(days=-365)
            world.scheduler.tick()
            world.clock.forward(hours=12)
        world.place()
        with database.read() as connection:
            known = store.tallies(connection)
        assert sorted(one.day for one in known if one.at <= world.now) == [f"2026-11-{day}" for day in range(21, 27)]
        assert sum(one.at > world.now for one in known) == (mark is None)
        days = Past(world.runner, database, world.clock, fresh=0).bar(ONE).months[-1].days
        assert days[State.KEPT] == (3 if mark else 1), "a run that nobody knew to be ahead stands until its time"


def test_a_tally_of_a_clock_that_was_ahead_makes_no_run_late() -> None:
    ahead = store.Tally("2029-11-22", "", {"one": 12}, "run_ahead", 10 * DAY)
    known = [store.Tally("1970-01-02", "", {"one": 6}, "run_1", 2 * DAY), ahead,
             store.Tally("1970-01-03", "", {"one": 18}, "run_2", 3 * DAY)]  # fmt: skip
    assert counted(known, 4 * DAY) == {"one": ([6, 18], [2 * DAY, 3 * DAY])}
    assert counted(known, 11 * DAY) == {"one": ([6, 12, 18], [2 * DAY, 10 * DAY, 10 * DAY])}, "its time has come"
