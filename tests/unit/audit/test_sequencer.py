from __future__ import annotations

import time

import pytest

from log_world import World
from troth.audit import sequencer as sequencer_module
from troth.kernel.errors import Conflict, NotFound, Unavailable


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is due sooner, so that tests need not wait for it."""
    monkeypatch.setattr(sequencer_module, "CHECKPOINT_SECONDS", 0.1)


def eventually(check: object, seconds: float = 10.0) -> None:
    assert callable(check)
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def signed_size(world: World) -> int:
    try:
        return world.reader.head("operator").size
    except (NotFound, Unavailable):
        return 0


def test_in_the_background_entries_are_placed_and_signed(world: World) -> None:
    world.sequencer.start()
    world.sequencer.start()
    assert world.sequencer.state().running
    world.wait_for(5)
    eventually(lambda: signed_size(world) == 5)
    world.wait_for(5, start=5)
    eventually(lambda: signed_size(world) == 10)
    state = world.sequencer.state()
    assert (state.waiting, state.unsigned, state.fault) == (0, 0, None)


def test_from_outbox_to_place_in_far_less_than_half_a_second(world: World) -> None:
    world.sequencer.start()
    world.grow(1)
    waits = []
    for number in range(1, 11):
        begun = time.monotonic()
        world.wait_for(1, start=number)
        eventually(lambda number=number: world.reader.size("operator") == number + 1)
        waits.append(time.monotonic() - begun)
    assert sorted(waits)[5] < 0.5


def test_stopping_signs_what_waits_and_lets_another_take_over(world: World) -> None:
    world.sequencer.start()
    world.wait_for(3)
    world.sequencer.stop()
    assert signed_size(world) == 3
    assert not world.sequencer.state().running
    another = world.another()
    another.start()
    another.stop()


def test_a_second_one_is_refused(world: World) -> None:
    world.sequencer.start()
    second = world.another()
    for call in (second.start, second.flush, second.integrate):
        with pytest.raises(Conflict) as caught:
            call()
        assert caught.value.code == "second-sequencer"


def test_flushing_one_log_signs_only_that(world: World) -> None:
    world.wait_for(2)
    world.wait_for(2, log="ten_a")
    world.sequencer.flush("ten_a")
    assert world.reader.head("ten_a").size == 2
    assert signed_size(world) == 0
    world.sequencer.flush()
    assert signed_size(world) == 2


def test_a_passing_fault_is_retried(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sign, failures = world.key.sign, [1, 1]

    def sometimes(message: bytes) -> bytes:
        if failures:
            failures.pop()
            raise Unavailable("The key is away.")
        return sign(message)

    monkeypatch.setattr(world.key, "sign", sometimes)
    world.sequencer.start()
    world.wait_for(2)
    eventually(lambda: signed_size(world) == 2)
    assert world.sequencer.state().fault is None


def test_an_integrity_fault_in_the_background_stops_it_for_good(world: World) -> None:
    world.sequencer.start()
    world.blobs.create("tlog/operator/tile/0/000.p/2", b"other")
    world.wait_for(2)
    eventually(lambda: world.sequencer.state().fault is not None)
    world.wait_for(2, start=2)
    time.sleep(0.2)
    state = world.sequencer.state()
    assert (state.running, state.waiting, signed_size(world)) == (False, 2, 0)
