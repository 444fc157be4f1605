"""A clock that jumped ahead makes nothing old: not before it was lived through, and not against network time."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from log_world import World
from troth.audit.believed_time import BelievedTime
from troth.audit.details import Details
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Unavailable
from troth.storage.detail_rows import audit_details


def live(world: World, days: int, start: int = 0) -> None:
    """One entry a day, as the clock says."""
    for day in range(days):
        world.wait_for(1, start=start + day, time=epoch_ms(world.clock.now()))
        world.clock.forward(days=1)
    world.sequencer.flush()


def believed(world: World, confirmed: bool | None = None) -> bool:
    try:
        BelievedTime(world.database, world.clock, lambda: confirmed).require()
    except Unavailable as refusal:
        assert refusal.code == "clock-not-believed"
        return False
    return True


@pytest.mark.parametrize("days", [0, 1, 2, 5, 12])
def test_a_log_without_a_hole_is_believed(world: World, days: int) -> None:
    live(world, days)
    assert believed(world)
    assert believed(world, confirmed=True)


@pytest.mark.parametrize("before", [1, 12])
def test_a_jump_is_believed_when_it_was_lived_through(world: World, before: int) -> None:
    live(world, before)
    world.clock.forward(days=400)
    assert not believed(world)
    live(world, 6, start=before)  # these entries bear the wrong time
    assert not believed(world)
    assert not believed(world, confirmed=True)  # time servers are not authenticated
    live(world, 4, start=before + 6)
    assert believed(world)


def test_a_log_that_began_under_a_clock_ahead_excuses_no_hole(world: World) -> None:
    live(world, 2)
    world.clock.forward(days=-3000)
    live(world, 12, start=2)
    assert believed(world)
    world.clock.forward(days=700)
    assert not believed(world)


def test_network_time_that_differs_or_is_silent_is_no_yes(world: World) -> None:
    live(world, 12)
    assert not believed(world, confirmed=False)


def test_details_stay_while_the_clock_is_not_believed(world: World) -> None:
    live(world, 12)
    row = {"log": "operator", "request": "req_1", "commitment": b"\x01" * 32, "tenant": "operator", "subject": "usr_a"}
    with world.database.write() as connection:
        connection.execute(insert(audit_details), row | {"sealed": b"s", "at": epoch_ms(world.clock.now())})
    details, time = Details(world.database, None), BelievedTime(world.database, world.clock, lambda: None)  # type: ignore[arg-type]
    assert details.expire(time, 365) == 0
    world.clock.forward(days=366)
    with pytest.raises(Unavailable):
        details.expire(time, 365)
    with world.database.read() as connection:
        assert len(connection.execute(select(audit_details)).all()) == 1
    live(world, 10, start=12)
    assert details.expire(time, 365) == 1
