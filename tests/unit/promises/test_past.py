"""The bars as strangers get them: out of the table and the log, few rows at a time, never greener than these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from check_world import DAILY, ONE, OTHER, CheckWorld, bad, check, four_days
from database_world import opened
from troth.kernel.errors import NotFound, Unavailable
from troth.promises import store, turns
from troth.promises.past import Past
from troth.promises.showing import PromiseViews, ShowHistory
from troth.promises.standings import Standings
from troth.promises.status import State


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CheckWorld]:
    with opened("sqlite", tmp_path) as database:
        yield four_days(database, tmp_path)


def _days(past: Past, promise: str) -> dict[State, int]:
    return dict(past.bar(promise).months[-1].days)


def _past(world: CheckWorld) -> Past:
    return Past(world.runner, world.database, world.clock, fresh=0)


def test_days_are_counted_by_state(world: CheckWorld) -> None:
    past = _past(world)
    assert _days(past, ONE) == {State.UNKNOWN: 22, State.KEPT: 4}, "the day of the first run counts as not looked at"
    assert _days(past, OTHER)[State.NOT_KEPT] == 2, "until somebody looked again"
    assert len(past.bar(ONE).months) == 12
    assert {one.state for one in past.bar("GOV-01").months} == {State.UNKNOWN}
    assert past.bars()[ONE] == past.bar(ONE)


def test_it_goes_on_with_what_was_written_since(world: CheckWorld) -> None:
    past = _past(world)
    before = _days(past, ONE)
    world.clock.forward(days=1)
    world.scheduler.tick()
    assert _days(past, ONE)[State.KEPT] == before[State.KEPT] + 1


def test_one_answer_for_a_crowd(world: CheckWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    past = Past(world.runner, world.database, world.clock)
    told = past.bars()
    monkeypatch.setattr(world.runner, "declared", lambda: pytest.fail("asked again"))
    assert past.bars() == told
    assert past.bar(ONE) == told[ONE]


def test_who_comes_while_a_year_is_read_waits_for_a_moment_only(
    world: CheckWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = _past(world)
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    with past._lock, pytest.raises(Unavailable, match="ask again"):
        past.bars()


def test_an_old_row_that_is_edited_is_seen_while_the_server_runs(world: CheckWorld) -> None:
    past = _past(world)
    assert _days(past, OTHER)[State.NOT_KEPT] == 2
    with world.database.write() as connection:
        third = (store.check_run.c.check_id == "two", store.check_run.c.result == "fail")
        connection.execute(store.check_run.update().where(*third).values(result="pass"))
    assert {past.look_on(), past.look_on()} == {1}
    assert State.NOT_KEPT not in _days(past, OTHER)
    assert _days(past, OTHER)[State.UNKNOWN] > 22, "edited is unknown, never kept"
    assert _days(past, ONE)[State.KEPT] == 4


@pytest.mark.parametrize("summed", [False, True])
def test_a_chain_whose_beginning_was_deleted_shows_nothing_there(world: CheckWorld, *, summed: bool) -> None:
    """What was broken on the third day is unknown then, to who reads rows alone and to who had read a sound chain."""
    world.place()
    if summed:
        assert _past(world).summarise()
    known, kept = _past(world), _days(_past(world), ONE)[State.KEPT]
    known.bars()
    with world.database.write() as connection:
        early = (store.check_run.c.check_id == "two", store.check_run.c.sequence <= 3)
        connection.execute(store.check_run.delete().where(*early))
        connection.execute(store.check_day.delete())
    for _ in range(4):
        known.look_on()
    for past in (known, _past(world)):
        assert _days(past, OTHER) == {State.UNKNOWN: 26}
        assert _days(past, ONE)[State.KEPT] == kept


def test_summaries_that_begin_in_the_middle_of_a_chain_without_its_rows_say_so(world: CheckWorld) -> None:
    world.place()
    assert _past(world).summarise()
    with world.database.write() as connection:
        days = sorted(connection.scalars(select(store.check_day.c.day)))
        connection.execute(store.check_day.delete().where(store.check_day.c.day.in_(days[:-1])))
        counts = store.tallies(connection)[-2].counts["two"]
        early = (store.check_run.c.check_id == "two", store.check_run.c.sequence <= counts)
        connection.execute(store.check_run.delete().where(*early))
    assert _days(_past(world), OTHER) == {State.UNKNOWN: 26}


def test_a_run_that_was_passed_over_counts_once_its_chain_is_read_again(
    world: CheckWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that write at once one may come later with the smaller id: days that were judged without it are again."""
    past = _past(world)
    past.bars()
    past._to += 2
    world.clock.forward(days=1)
    world.scheduler.tick()
    for _ in range(2):
        world.clock.forward(days=1)
        world.scheduler.tick()
    world.place()
    told = _days(_past(world), ONE)
    assert _days(past, ONE)[State.KEPT] < told[State.KEPT]
    monkeypatch.setattr(past, "_read_at", dict.fromkeys(past._read_at, -1e9))
    assert _days(past, ONE) == told


def test_a_new_process_reads_what_nobody_asked_for_yet(world: CheckWorld) -> None:
    past = _past(world)
    assert past.look_on() == 2
    assert past.look_on() == 1, "then one of them again"


def test_a_changed_check_makes_today_unknown_and_not_the_days_before(world: CheckWorld) -> None:
    before = _days(_past(world), ONE)
    other = world.another((check("one", (ONE,), observe=bad, sabotage=bad, parameters={"n": 1}, **DAILY),))
    world.clock.forward(hours=1)
    after = _days(_past(other), ONE)
    assert after == {State.UNKNOWN: before[State.UNKNOWN] + 1, State.KEPT: before[State.KEPT] - 1}


def test_one_promise_with_its_year_and_its_runs(world: CheckWorld) -> None:
    views = PromiseViews(world.runner, Standings(world.runner), _past(world))
    shown = views.shown(OTHER)
    assert (shown.id, shown.state, len(shown.months), shown.log) == (OTHER, "kept", 12, "operator")
    assert [(one.check, one.every, one.confirmed) for one in shown.checks] == [("two", 86_400, True)]
    assert [one.result for one in shown.recent] == ["pass", "pass", "fail", "pass", "pass"]
    assert {one.flaw for one in shown.recent} == {""}
    with pytest.raises(NotFound):
        views.shown("CRY-99")
    table = views.history(None, ShowHistory())  # type: ignore[arg-type]
    assert len(table.data) == 134
    assert sum(next(one for one in table.data if one.id == ONE).months[-1].days.values()) == 26


def test_a_crowd_is_told_to_come_back_and_not_kept_waiting(world: CheckWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds another view in the making for too long gets an answer, and a view that is there is given at once."""
    views = PromiseViews(world.runner, Standings(world.runner), _past(world), fresh=3600.0)
    shown = views.shown(OTHER)
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    with views._lock:
        assert views.shown(OTHER) is shown
        with pytest.raises(Unavailable) as refused:
            views.shown(ONE)
    assert refused.value.code == "history-busy"
    assert views.shown(ONE).id == ONE


def test_a_run_that_was_edited_says_so(world: CheckWorld) -> None:
    with world.database.write() as connection:
        rows = connection.execute(select(store.check_run.c.id).where(store.check_run.c.check_id == "two"))
        connection.execute(store.check_run.update().where(store.check_run.c.id == list(rows)[1].id).values(tested=1))
    shown = PromiseViews(world.runner, Standings(world.runner), _past(world)).shown(OTHER)
    assert [bool(one.flaw) for one in shown.recent] == [False, False, False, True, False]
