"""What is due runs once a slot; what was missed stays missed; a changed check waits for an operator."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from check_world import CheckWorld, bad, check, good
from database_world import DATABASES, opened
from troth.kernel.errors import Conflict, IntegrityError
from troth.promises import scheduler, store
from troth.promises.check import Facts
from troth.promises.schedule import digest_of, slots, text_of
from troth.promises.schedule_operations import ScheduleOperations, ShowSchedule
from troth.promises.schedules import LEAD_MS
from troth.promises.status import State

DAILY = {"every": 86_400, "fresh": 90_000}


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CheckWorld]:
    with opened(request.param, tmp_path) as database:
        yield CheckWorld(database, tmp_path)


def _filled(world: CheckWorld) -> list[int | None]:
    with world.database.read() as connection:
        return list(connection.scalars(select(store.check_run.c.slot).order_by(store.check_run.c.id)))


def test_a_slot_is_filled_once_and_the_next_one_when_it_comes(world: CheckWorld) -> None:
    assert [world.scheduler.tick(), world.scheduler.tick()] == [1, 0]
    world.clock.forward(minutes=59)
    assert world.scheduler.tick() == 0
    world.clock.forward(minutes=1)
    assert [world.scheduler.tick(), world.another().scheduler.tick()] == [1, 0]
    first, second = _filled(world)
    assert (first is None, second) == (False, (first or 0) + 3_600_000)


def test_a_round_that_takes_long_is_cut_and_goes_on_with_who_waited(
    world: CheckWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "LONGEST_SECONDS", -1.0)
    other = world.another([check(), check("two", ("CRY-02",))])
    assert other.scheduler.tick() == 0
    monkeypatch.setattr(scheduler, "LONGEST_SECONDS", 20.0)
    other.runner.run(other.checks[0])
    other.clock.forward(minutes=1)
    seen: list[str] = []
    run = other.runner.run
    monkeypatch.setattr(other.runner, "run", lambda one, slot: (seen.append(one.id), run(one, slot)))
    assert other.scheduler.tick() == 2
    assert seen == ["two", "one"]


def test_the_pace_of_each_check_is_its_own(world: CheckWorld) -> None:
    other = world.another([check(), check("daily", ("CRY-02",), **DAILY)])
    ran = []
    for _ in range(25):
        ran.append(other.scheduler.tick())
        other.clock.forward(hours=1)
    assert (ran[0], ran[24], sum(ran)) == (2, 2, 25 + 2)


def test_what_was_missed_is_not_made_up_and_shows(world: CheckWorld) -> None:
    world.scheduler.tick()
    begun = world.now
    world.clock.forward(hours=10)
    assert world.state() is State.UNKNOWN
    assert [world.scheduler.tick(), world.scheduler.tick()] == [1, 0]
    due = slots(world.schedules.versions(), "one", begun, world.now + 1)
    assert len(due) == 11
    assert set(_filled(world)) == {begun, begun + 10 * 3_600_000}


def test_two_servers_fill_a_slot_once(world: CheckWorld) -> None:
    """Both look and pass; the one that is later finds the slot filled, and records nothing."""
    meeting = threading.Barrier(2, timeout=60)
    world.schedules.ensure()

    def together(_system: object) -> Facts:
        meeting.wait()
        return good(_system)

    pair = [world.another([check(observe=together)]) for _ in range(2)]
    slot = world.now

    def serve(one: CheckWorld) -> str:
        try:
            one.runner.run(one.checks[0], slot)
        except Conflict as refusal:
            return refusal.code
        return "ran"

    with ThreadPoolExecutor(2) as threads:
        ended = list(threads.map(serve, pair))
    assert sorted(ended) == ["ran", "slot-taken"]
    assert _filled(world) == [slot]


@pytest.mark.parametrize("found", [{"observe": bad}, {"sabotage": good}])
def test_a_pass_that_another_server_wrote_first_hides_nothing(world: CheckWorld, found: dict[str, Any]) -> None:
    world.schedules.ensure()
    second = world.another([check(**found)])
    slot = world.now
    assert world.runner.run(world.checks[0], slot).slot == slot
    kept = second.runner.run(second.checks[0], slot)
    assert (kept.slot, kept.sequence) == (None, 2)
    assert second.state() is (State.NOT_KEPT if "observe" in found else State.UNKNOWN)
    with pytest.raises(Conflict):
        world.runner.run(world.checks[0], slot)
    assert _filled(world) == [slot, None]


def test_the_schedule_is_in_the_log_before_the_first_run(world: CheckWorld) -> None:
    world.scheduler.tick()
    world.place()
    assert world.log_world is not None
    names = [leaf.split(b'"op":"')[1].split(b'"')[0] for leaf in world.log_world.leaves()]
    assert names == [b"check.scheduled", b"check.run"]


def test_a_changed_check_is_unknown_until_an_operator_confirms_it(world: CheckWorld) -> None:
    world.scheduler.tick()
    other = world.another([check(parameters={"days": 30})])
    assert world.state() is State.KEPT
    assert other.state() is State.UNKNOWN
    other.clock.forward(hours=1)
    assert other.scheduler.tick() == 1, "it goes on running, so that an operator sees what it says"
    assert other.state() is State.UNKNOWN
    other.confirm()
    other.scheduler.tick()
    assert other.state() is State.KEPT


def test_a_confirmation_counts_a_minute_later_and_only_for_what_was_read(world: CheckWorld) -> None:
    world.scheduler.tick()
    other = world.another([check(parameters={"days": 30})])
    with pytest.raises(Conflict) as refusal:
        other.schedules.confirm("usr_a", "0" * 64)
    assert refusal.value.code == "schedule-changed"
    made = other.schedules.confirm("usr_a", digest_of(text_of(other.schedules.proposed())))
    assert (made.version, made.confirmed_by, made.starts) == (2, "usr_a", other.now + LEAD_MS)
    with pytest.raises(Conflict) as refusal:
        other.schedules.confirm("usr_b", digest_of(text_of(other.schedules.proposed())))
    assert refusal.value.code == "nothing-to-confirm"


def test_a_change_is_told_once(world: CheckWorld) -> None:
    world.scheduler.tick()
    other = world.another([check(parameters={"days": 30})])
    other.scheduler.tick()
    other.scheduler.tick()
    world.place()
    assert world.log_world is not None
    assert sum(b'"op":"check.changed"' in leaf for leaf in world.log_world.leaves()) == 1


@pytest.mark.parametrize(
    "values", [{"text": "{}"}, {"digest": "0" * 64}, {"effective_at": 1}, {"signature": b"x" * 64}]
)
def test_a_schedule_that_was_edited_lets_nothing_run_or_be_kept(world: CheckWorld, values: dict[str, object]) -> None:
    world.scheduler.tick()
    with world.database.write() as connection:
        connection.execute(store.check_schedule.update().values(values))
    assert world.state() is State.UNKNOWN
    with pytest.raises(IntegrityError):
        world.scheduler.tick()


def test_a_schedule_that_is_gone_is_not_begun_anew(world: CheckWorld) -> None:
    world.scheduler.tick()
    world.place()
    with world.database.write() as connection:
        connection.execute(store.check_schedule.delete())
    again = world.another([check(observe=good, every=7 * 86_400, fresh=8 * 86_400)])
    with pytest.raises(IntegrityError):
        again.scheduler.tick()
    assert again.state() is State.UNKNOWN


@pytest.mark.parametrize("left", [1, 0])
def test_after_a_restore_an_operator_confirms_and_the_checks_go_on(world: CheckWorld, left: int) -> None:
    """A backup has the schedule of its day, or none; the log has all of it, and runs are in no backup."""
    world.scheduler.tick()
    world.another([check(parameters={"days": 30})]).confirm()
    world.place()
    with world.database.write() as connection:
        connection.execute(store.check_schedule.delete().where(store.check_schedule.c.version > left))
        for table in (store.check_run, store.check_head):
            connection.execute(table.delete())
    restored = world.another([check(parameters={"days": 30})])
    with pytest.raises(IntegrityError):
        restored.scheduler.tick()
    shown = ScheduleOperations(restored.schedules).schedule(None, ShowSchedule())  # type: ignore[arg-type]
    assert (shown.version, shown.in_force, shown.checks) == (2, False, ())
    assert [(one.check, one.change) for one in shown.changes] == [("one", "added")]
    made = restored.schedules.confirm("usr_a", shown.proposed)
    assert (made.version, restored.state()) == (3, State.UNKNOWN)
    world.clock.forward(milliseconds=LEAD_MS)
    for _ in range(2):
        assert restored.scheduler.tick() == 1
        assert (restored.state(), world.another(restored.checks).state()) == (State.KEPT, State.KEPT)
        restored.place()
        world.clock.forward(hours=1)
    assert ScheduleOperations(restored.schedules).schedule(None, ShowSchedule()).changes == ()  # type: ignore[arg-type]


def test_a_version_between_two_is_not_confirmed_away(world: CheckWorld) -> None:
    world.scheduler.tick()
    for days in (30, 60):
        other = world.another([check(parameters={"days": days})])
        other.confirm()
    with world.database.write() as connection:
        connection.execute(store.check_schedule.delete().where(store.check_schedule.c.version == 2))
    again = world.another([check()])
    with pytest.raises(IntegrityError):
        again.confirm()
    assert other.state() is State.UNKNOWN


def test_after_a_clock_that_was_ahead_checks_go_on(world: CheckWorld) -> None:
    world.scheduler.tick()
    first = world.now
    world.clock.forward(hours=2)
    assert world.scheduler.tick() == 1, "the clock is two hours ahead"
    world.clock.forward(hours=-1)
    assert [world.scheduler.tick(), world.scheduler.tick()] == [1, 0], "right again, and not blind for an hour"
    assert world.state() is State.UNKNOWN
    world.clock.forward(hours=1)
    assert [world.scheduler.tick(), world.scheduler.tick()] == [1, 0], "its slot has a run already, of then"
    assert world.state() is State.KEPT
    assert _filled(world) == [first, first + 7_200_000, first + 3_600_000, None]


def test_a_server_whose_clock_is_a_little_behind_runs_no_slot_again(world: CheckWorld) -> None:
    world.scheduler.tick()
    world.clock.forward(hours=1)
    world.scheduler.tick()
    world.clock.forward(milliseconds=-60_000)
    assert world.scheduler.tick() == 0


def test_a_first_version_from_the_future_is_confirmed_again(world: CheckWorld) -> None:
    world.clock.forward(days=100)
    world.scheduler.tick()
    world.place()
    world.clock.forward(days=-100)
    assert world.scheduler.tick() == 0
    world.confirm()
    assert world.scheduler.tick() == 1
    world.clock.forward(hours=1)
    assert (world.scheduler.tick(), world.state()) == (1, State.KEPT)
    with pytest.raises(Conflict):
        world.confirm()
