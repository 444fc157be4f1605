"""Planted false greens: each is read back through `promise.list`, and none of them may come out green.

`tests/promises/test_checks.py` looks at the real checks; here it is the machinery around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from check_world import ONE, CheckWorld, bad, check, good
from database_world import opened
from planted_greens import DAY, following, forge, looked, shown
from planted_schedules import PLANTS
from troth.promises import store
from troth.promises.operations import Nothing, PromiseOperations
from troth.promises.status import Period, State, status
from troth.promises.waiving import Waiver


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CheckWorld]:
    with opened("sqlite", tmp_path) as database:
        yield CheckWorld(database, tmp_path)


def test_the_world_is_green_without_a_plant(world: CheckWorld) -> None:
    """Otherwise nothing below could fail."""
    assert shown(looked(world, good)) == "kept"
    world.clock.forward(hours=1)
    world.place()
    world.scheduler.tick()
    assert shown(world) == "kept"


def test_there_are_enough_of_them() -> None:
    assert len(PLANTS) >= 24


@pytest.mark.parametrize("name", PLANTS)
def test_no_planted_false_green_comes_out_green(world: CheckWorld, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = PLANTS[name](world, monkeypatch) or world
    assert shown(found) in ("unknown", "not kept")
    assert {one for _, one in _states(found)} & {State.KEPT, State.EXCEPTION} == set()


def _states(world: CheckWorld) -> list[tuple[str, State]]:
    return [(promise.id, standing.state) for promise, standing in world.runner.table()]


def test_evidence_that_comes_late_fills_no_earlier_gap(world: CheckWorld) -> None:
    """Somebody writes the runs of a missed night the next morning, with the key and the log at hand."""
    world.scheduler.tick()
    night = Period(world.now, world.now + 12 * 3_600_000)
    world.clock.forward(hours=12)
    morning = world.runner.run_all()[0]
    late = replace(following(morning), at=morning.at - 6 * 3_600_000)
    forge(world, late, world.key)
    world.clock.forward(minutes=1)
    evidence = world.reading.over(night, 7200)
    found = status(ONE, world.runner.declared(), evidence, waivers=(), period=night, now=world.now)
    assert found.state is State.UNKNOWN


def test_a_run_deleted_from_the_middle_shows_in_its_period(world: CheckWorld) -> None:
    for _ in range(4):
        world.scheduler.tick()
        world.clock.forward(hours=1)
    whole = Period(world.now - 3 * 3_600_000, world.now)

    def over() -> State:
        evidence = world.reading.over(whole, 7200)
        return status(ONE, world.runner.declared(), evidence, waivers=(), period=whole, now=world.now).state

    assert over() is State.KEPT
    with world.database.write() as connection:
        connection.execute(store.check_run.delete().where(store.check_run.c.sequence == 3))
    assert over() is State.UNKNOWN


def test_an_installation_that_nobody_runs_keeps_nothing(world: CheckWorld) -> None:
    assert {state for _, state in _states(world)} == {State.UNKNOWN}
    with world.database.read() as connection:
        assert connection.execute(select(store.check_schedule)).all() == [], "looking at it schedules nothing"


def test_a_waiver_is_said_where_the_promise_is(world: CheckWorld) -> None:
    waiver = Waiver("exc_a", ONE, "one", "old client", "filtered", "usr_a", "usr_b", world.now - DAY, world.now + DAY)
    other = world.another([check(observe=bad)], waivers=(waiver,))
    other.scheduler.tick()
    table = PromiseOperations(other.runner).list(None, Nothing())  # type: ignore[arg-type]
    row = next(one for one in table.data if one.id == ONE)
    assert (row.state, [one.reason for one in row.waivers]) == ("kept with exception", ["old client"])
    other.clock.forward(days=1)
    other.runner.run_all()
    assert shown(other) == "not kept"
