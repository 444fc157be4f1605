from __future__ import annotations

import pytest

from log_world import World
from troth.audit import store
from troth.kernel.errors import IntegrityError, NotFound


def test_logs_that_wait_longest_are_signed_first(world: World) -> None:
    world.wait_for(1, log="ten_a")
    world.wait_for(1, log="ten_b")
    world.sequencer.flush("ten_a")
    world.clock.forward(seconds=1)
    world.sequencer.flush("ten_b")
    world.wait_for(1, log="ten_b", start=1)
    world.wait_for(1, log="ten_a", start=1)
    world.sequencer.integrate()
    with world.database.read() as connection:
        assert store.unsigned(connection) == ["ten_a", "ten_b"]
        assert store.names(connection) == ["ten_a", "ten_b", "meta"]
        with pytest.raises(NotFound):
            store.head(connection, "ten_c")


def test_a_checkpoint_never_goes_back(world: World) -> None:
    world.grow(3)
    newest = world.publisher.resource("operator", "checkpoint")
    with world.database.write() as connection:
        number = store.head(connection, "operator").number
        store.set_checkpoint(connection, number, b"older", 2, 0)
    assert world.publisher.resource("operator", "checkpoint") == newest


def test_a_head_advances_only_from_where_it_stands(world: World) -> None:
    world.grow(3)
    with pytest.raises(IntegrityError), world.database.write() as connection:
        store.advance(connection, store.head(connection, "operator").number, 2, 4, b"")
    assert world.reader.size("operator") == 3
