"""The throttle: free attempts, growing delay, windows, shared counts, many at once, and it survives a restart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from troth.identity.throttle import (
    KNOWN_DEVICE,
    NETWORK,
    STRANGERS,
    Bucket,
    Limit,
    Throttle,
    device_bucket,
    network_bucket,
    session_bucket,
    strangers_bucket,
)
from troth.kernel.errors import TooMany
from unit.identity.world import World

LIMIT = Limit(free=3, first_ms=1000, cap_ms=8000, window_ms=3_600_000)
BUCKET = Bucket(b"k" * 32, LIMIT)


def refused(world: World, *buckets: Bucket) -> bool:
    try:
        world.throttle.admit(buckets)
    except TooMany:
        return True
    return False


def test_delay_doubles_up_to_its_cap() -> None:
    assert [LIMIT.delay(n) for n in range(9)] == [0, 0, 0, 0, 1000, 2000, 4000, 8000, 8000]
    assert LIMIT.delay(10**6) == 8000


def test_free_attempts_then_a_wait_that_is_told(world: World) -> None:
    for _ in range(4):
        world.throttle.admit([BUCKET])
    with pytest.raises(TooMany, match="try again in 1 seconds") as refusal:
        world.throttle.admit([BUCKET])
    assert refusal.value.code == "sign-in-throttled"
    world.clock.forward(seconds=1)
    world.throttle.admit([BUCKET])
    with pytest.raises(TooMany, match="in 2 seconds"):
        world.throttle.admit([BUCKET])


def test_a_refused_attempt_is_not_counted(world: World) -> None:
    for _ in range(4):
        world.throttle.admit([BUCKET])
    assert all(refused(world, BUCKET) for _ in range(20))
    world.clock.forward(seconds=1)
    assert not refused(world, BUCKET)


def test_one_waiting_bucket_counts_in_none(world: World) -> None:
    other = Bucket(b"o" * 32, Limit(free=0, first_ms=1000, cap_ms=1000, window_ms=3_600_000))
    world.throttle.admit([other])
    for _ in range(10):
        assert refused(world, BUCKET, other)
    assert not refused(world, BUCKET)


def test_success_forgets_an_own_count_and_lowers_a_shared_one(world: World) -> None:
    shared = Bucket(b"s" * 32, Limit(free=2, first_ms=1000, cap_ms=1000, window_ms=3_600_000, shared=True))
    for _ in range(2):
        world.throttle.admit([BUCKET, shared])
    with world.throttle.attempt([BUCKET]):
        pass
    for _ in range(3):
        world.throttle.admit([BUCKET])
    world.throttle.succeeded([shared])
    assert not refused(world, shared)
    assert not refused(world, shared)
    assert refused(world, shared)


def test_an_attempt_that_fails_stays_counted(world: World) -> None:
    for _ in range(4):
        with pytest.raises(ValueError, match="wrong"), world.throttle.attempt([BUCKET]):
            raise ValueError("wrong")
    assert refused(world, BUCKET)


def test_a_window_that_passed_is_forgotten_and_swept(world: World) -> None:
    for _ in range(4):
        world.throttle.admit([BUCKET])
    world.clock.forward(hours=1)
    for _ in range(4):
        world.throttle.admit([BUCKET])
    assert world.throttle.sweep() == 0
    world.clock.forward(hours=1)
    assert world.throttle.sweep() == 1


def test_a_restart_does_not_reset(world: World) -> None:
    for _ in range(4):
        world.throttle.admit([BUCKET])
    with pytest.raises(TooMany):
        Throttle(world.database, world.clock).admit([BUCKET])


def test_many_at_once_are_all_counted(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        refusals = list(pool.map(lambda _: refused(world, BUCKET), range(40)))
    assert refusals.count(False) == 4


def test_strangers_get_under_a_hundred_guesses_a_day(world: World) -> None:
    """SP 800-63B-4 section 3.2.2, by playing a patient guesser for a day."""
    bucket, guesses, elapsed = strangers_bucket(b"i" * 32), 0, 0
    while elapsed < 24 * 3600 - STRANGERS.cap_ms // 1000:
        if refused(world, bucket):
            world.clock.forward(minutes=5)
            elapsed += 300
        else:
            guesses += 1
    assert 50 < guesses < 100


def test_buckets_are_apart() -> None:
    keys = [
        strangers_bucket(b"a").key,
        strangers_bucket(b"b").key,
        device_bucket(b"a", b"d").key,
        network_bucket("a").key,
        session_bucket("a").key,
    ]
    assert len(set(keys)) == len(keys)
    assert (network_bucket("a").limit, session_bucket("a").limit) == (NETWORK, KNOWN_DEVICE)
