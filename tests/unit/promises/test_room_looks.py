"""What a room sees of the promises: all runs of a period, page by page, and samples that nobody chooses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from check_world import ONE, CheckWorld, check
from database_world import opened
from troth.kernel.errors import Conflict, Invalid
from troth.promises.room_looks import RoomLooks

NONCE = "a-nonce-of-mine"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckWorld]:
    """Twelve hourly runs; the day is over, and its tally in the log."""
    folder = tmp_path_factory.mktemp("looks")
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
