"""What a room sees of the promises: all runs of a period, page by page, and samples that nobody chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from check_world import ONE, CheckWorld, check
from database_world import opened
from troth.kernel.errors import Conflict, IntegrityError, Invalid
from troth.promises import store
from troth.promises.history import DAY_MS
from troth.promises.room_looks import RoomLooks

NONCE = "a-nonce-of-mine"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckWorld]:
    """Twelve hourly runs of each check."""
    yield from _worlds(tmp_path_factory.mktemp("looks"))


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckWorld]:
    """The same a day later, with the tally in the log; tests leave its rows as they were."""
    for made in _worlds(tmp_path_factory.mktemp("closed")):
        made.clock.forward(days=1)
        assert made.tallies.write()
        made.place()
        yield made


def _worlds(folder: Path) -> Iterator[CheckWorld]:
    with opened("sqlite", folder) as database:
        made = CheckWorld(database, folder, (check(), check("two", ("CRY-02",))))
        for _ in range(12):
            made.scheduler.tick()
            made.clock.forward(hours=1)
        yield made


@pytest.fixture
def looks(world: CheckWorld) -> RoomLooks:
    return RoomLooks(world.database, lambda: world.runner)


def test_promises_with_their_checks(looks: RoomLooks) -> None:
    (seen,) = looks.promises({ONE})
    assert (seen.promise, seen.checks) == (ONE, ("one",))
    assert looks.covers("one") == (ONE,)
    assert looks.covers("three") == ()


def test_the_whole_population_page_by_page(world: CheckWorld, looks: RoomLooks) -> None:
    every = looks.runs("one", 0, world.now, after=0, limit=200)
    assert [one.sequence for one in every] == list(range(1, 13))
    assert {one.check for one in every} == {"one"}
    first = looks.runs("one", 0, world.now, after=0, limit=5)
    assert [*first, *looks.runs("one", 0, world.now, after=first[-1].sequence, limit=200)] == every
    assert looks.runs("one", every[3].at, every[6].at, after=0, limit=200) == every[3:6]


def test_a_sample_waits_for_the_tally_and_is_then_always_the_same(world: CheckWorld, looks: RoomLooks) -> None:
    end = world.now
    with pytest.raises(Conflict, match="not closed") as refused:
        looks.draw("one", 0, end, nonce=NONCE, size=5)
    assert refused.value.code == "period-open"
    world.clock.forward(days=1)
    world.scheduler.tick()
    drawn = looks.draw("one", 0, end, nonce=NONCE, size=5)
    assert (drawn.population, len({one.sequence for one in drawn.runs})) == (12, 5)
    assert looks.draw("one", 0, end, nonce=NONCE, size=5) == drawn
    assert looks.draw("one", 0, end, nonce=f"{NONCE}-2", size=5) != drawn
    assert len(looks.draw("one", 0, end, nonce=NONCE, size=50).runs) == 12
    with pytest.raises(Invalid):
        looks.draw("one", 0, end, nonce="short", size=5)


def _rewritten(connection: Connection) -> None:
    """Run 5 and all behind it, linked anew: a chain that holds, of which the log says otherwise."""
    rows = store.check_run.c
    before = ""
    for run, stated in list(store.linked(connection, rows.check_id == "one")):
        if run.sequence < 5:
            before = stated
            continue
        values = {"tested": 9, "previous": before}
        before = replace(run, **values).link  # type: ignore[arg-type]
        mine = store.check_run.update().where(rows.check_id == "one", rows.sequence == run.sequence)
        connection.execute(mine.values(**values, link=before))


def _at(sequence: int, **values: object) -> Callable[[Connection], object]:
    which = (store.check_run.c.check_id == "one", store.check_run.c.sequence == sequence)
    if values:
        return lambda connection: connection.execute(store.check_run.update().where(*which).values(**values))
    return lambda connection: connection.execute(store.check_run.delete().where(*which))


@pytest.mark.parametrize(
    "touch",
    [_at(8, result="fail"), _at(8, at=1), _at(8), _at(1), _at(12), _rewritten],
    ids=["edited", "moved", "deleted", "first", "last", "rewritten"],
)
def test_what_was_edited_or_deleted_is_not_shown_as_if_it_were_all(
    closed: CheckWorld, touch: Callable[[Connection], object]
) -> None:
    looks, end = RoomLooks(closed.database, lambda: closed.runner), closed.now - DAY_MS
    with closed.database.read() as connection:
        rows = [dict(one._mapping) for one in connection.execute(select(store.check_run))]
    assert looks.draw("one", 0, end, nonce=NONCE, size=5).population == 12
    try:
        with closed.database.write() as connection:
            touch(connection)
        for ask in (
            lambda: looks.runs("one", 0, end, after=0, limit=200),
            lambda: looks.draw("one", 0, end, nonce=NONCE, size=5),
        ):
            with pytest.raises(IntegrityError) as refused:
                ask()
            assert refused.value.code == "period-broken"
        assert looks.runs("two", 0, end, after=0, limit=200)
    finally:
        with closed.database.write() as connection:
            connection.execute(store.check_run.delete())
            connection.execute(store.check_run.insert(), rows)
