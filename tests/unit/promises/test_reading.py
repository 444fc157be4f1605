"""What anybody may ask costs the same on an old installation as on a new one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from check_world import CheckWorld
from database_world import DATABASES, opened
from troth.promises import schedules, store
from troth.promises.status import State


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CheckWorld]:
    with opened(request.param, tmp_path) as database:
        made = CheckWorld(database, tmp_path)
        for _ in range(3):
            made.runner.run_all()
        yield made


def _latest(world: CheckWorld) -> tuple[list[int], list[str]]:
    """The places of the newest runs, and what the database was asked."""
    asked: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement.lower())

    with world.database.read() as connection:
        event.listen(connection, "before_cursor_execute", listen)
        return [one.run.sequence for one in store.latest(connection)], asked


def test_the_newest_runs_are_read_without_walking_over_all_of_them(world: CheckWorld) -> None:
    places, asked = _latest(world)
    assert places == [3]
    assert ["group by" in one for one in asked] == [False]


def test_where_the_newest_run_is_gone_the_one_before_it_says_so(world: CheckWorld) -> None:
    with world.database.write() as connection:
        connection.execute(store.check_run.delete().where(store.check_run.c.sequence == 3))
    assert _latest(world)[0] == [2]
    assert world.reading.tampered() == ["one"]


def test_a_schedule_is_read_once_and_again_when_its_row_is_another(
    world: CheckWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.state() is State.KEPT
    with monkeypatch.context() as patch:
        patch.delattr(schedules, "checks_of")
        assert world.state() is State.KEPT
    with world.database.write() as connection:
        connection.execute(store.check_schedule.update().values(confirmed_by="usr_other"))
    assert world.state() is State.UNKNOWN


@pytest.mark.parametrize("moves", [True, False])
def test_a_flaw_is_looked_at_again_only_where_the_chain_went_on(
    world: CheckWorld, monkeypatch: pytest.MonkeyPatch, moves: bool
) -> None:
    read, times = store.latest, []

    def slow(connection: Connection) -> list[store.KeptRun]:
        found = read(connection)
        times.append(len(found))
        if moves and len(times) == 1:
            monkeypatch.setattr(world.reading, "_evidence", evidence_later)
        return found

    evidence = world.reading._evidence

    def evidence_later(kept: Any) -> Any:
        monkeypatch.setattr(world.reading, "_evidence", evidence)
        world.runner.run_all()  # between the rows and the log
        return evidence(kept)

    monkeypatch.setattr(store, "latest", slow)
    if not moves:
        with world.database.write() as connection:
            connection.execute(store.check_run.update().values(result="fail"))
    assert (world.reading.tampered(), len(times)) == (([], 2) if moves else (["one"], 1))
