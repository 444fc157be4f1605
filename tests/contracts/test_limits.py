"""The contract of stores of limits, in memory and on a real server: never more than the limit, nothing lost."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from budget_world import PRICE, BudgetWorld
from limit_stores import LEASE, START, at, claim, no_seed, redis_server
from troth.gateway.limits.buckets import Buckets, Change, Claim, Taken
from troth.gateway.limits.memory import MemoryBuckets
from troth.gateway.limits.promises import SharedRunning
from troth.gateway.limits.rules import Moment
from troth.gateway.limits.valkey import ValkeyBuckets
from troth.kernel.errors import TooMany, Unavailable
from worlds import sqlite

Opened = Callable[[], Buckets]  # each call gives another instance on the same limits
_NOVEMBER_ENDS = 1_796_083_200_000 - START  # ms after the start
_names = iter(range(1_000_000))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with redis_server() as (_, address):
        yield address


@pytest.fixture(params=["memory", "valkey"])
def opened(request: pytest.FixtureRequest) -> Opened:
    if request.param == "memory":
        memory = MemoryBuckets()
        return lambda: memory
    address: str = request.getfixturevalue("address")
    return lambda: ValkeyBuckets(address)


@pytest.fixture
def store(opened: Opened) -> Buckets:
    return opened()


@pytest.fixture(autouse=True)
def fresh() -> str:
    """Buckets of each test are its own."""
    return f"b{next(_names)}"


def take(store: Buckets, when: Moment, *claims: Claim, lease: str = "req_1") -> Taken:
    return store.take(claims, when, (lease, when.now + 600_000), no_seed)


def settle(
    store: Buckets, when: Moment, taken: Taken, claims: list[Claim], by: list[int], lease: str = "req_1"
) -> None:
    month = at().month
    changes = [Change(one, how, month, more) for one, how, more in zip(claims, taken.standings, by, strict=True)]
    store.settle(changes, when, lease)


def test_a_limit_is_admitted_and_no_more(store: Buckets, fresh: str) -> None:
    one = claim("tokens-per-minute", 100, 40, fresh)
    assert [take(store, at(), one).refused for _ in range(3)] == [None, None, 0]
    assert take(store, at(), claim("tokens-per-minute", 100, 20, fresh)).standings[0].left == 0


def test_a_bucket_fills_up_evenly(store: Buckets, fresh: str) -> None:
    one = claim("requests-per-minute", 60, 1, fresh)
    assert take(store, at(), claim("requests-per-minute", 60, 60, fresh)).standings[0].reset_ms == 60_000
    refused = take(store, at(), one)
    assert (refused.refused, refused.wait_ms) == (0, 1000)
    assert take(store, at(999), one).refused == 0
    assert take(store, at(1000), one).refused is None
    assert take(store, at(1000), one).refused == 0


def test_all_limits_or_none(store: Buckets, fresh: str) -> None:
    many, few = claim("requests-per-minute", 10, 1, fresh), claim("tokens-per-day", 5, 5, fresh)
    assert take(store, at(), many, few).refused is None
    assert take(store, at(), many, few).refused == 1
    assert take(store, at(), many).standings[0].left == 8  # the refused claim took nothing


def test_what_is_more_than_the_limit_never_fits(store: Buckets, fresh: str) -> None:
    assert take(store, at(), claim("tokens-per-minute", 100, 101, fresh)).wait_ms == -1


def test_nothing_is_asked_of_a_limit_that_is_used_up_when_nothing_is_claimed(store: Buckets, fresh: str) -> None:
    take(store, at(), claim("images-per-day", 3, 3, fresh))
    assert take(store, at(), claim("images-per-day", 0, 0, fresh)).refused is None


def test_the_longest_wait_is_told(store: Buckets, fresh: str) -> None:
    claims = [claim("requests-per-minute", 1, 1, fresh), claim("requests-per-hour", 1, 1, fresh)]
    take(store, at(), *claims)
    refused = take(store, at(), *claims)
    assert (refused.refused, refused.wait_ms) == (1, 3_600_000)


def test_a_month_is_one_of_the_calendar(store: Buckets, fresh: str) -> None:
    one = claim("money-per-month", 10, 10, fresh)
    assert take(store, at(), one).refused is None
    refused = take(store, at(1000), one)
    assert (refused.refused, refused.wait_ms) == (0, _NOVEMBER_ENDS - 1000)
    assert take(store, at(_NOVEMBER_ENDS - 1), one).refused == 0
    assert take(store, at(_NOVEMBER_ENDS), one).refused is None


def test_a_month_begins_with_what_was_used(store: Buckets, fresh: str) -> None:
    one = claim("money-per-month", 10, 4, fresh)
    asked: list[int] = []

    def seed(place: int) -> int:
        asked.append(place)
        return 5

    claims = [claim("requests-per-minute", 9, 1, fresh), one]
    assert store.take(claims, at(), LEASE, seed).standings[1].left == 1
    assert store.take(claims, at(), LEASE, seed).refused == 1
    assert asked == [1]


def test_what_is_given_back_is_admitted_again(store: Buckets, fresh: str) -> None:
    claims = [claim(name, 100, 100, fresh) for name in ("tokens-per-minute", "money-per-month", "bytes-per-day")]
    taken = take(store, at(), *claims)
    assert take(store, at(), *claims).refused is not None
    settle(store, at(), taken, claims, [-100, -100, -100])
    assert take(store, at(), *claims).refused is None


def test_what_was_used_beyond_the_estimate_is_owed(store: Buckets, fresh: str) -> None:
    claims = [claim("tokens-per-minute", 60, 30, fresh)]
    settle(store, at(), take(store, at(), *claims), claims, [60])  # 90 of 60
    refused = take(store, at(), claim("tokens-per-minute", 60, 1, fresh))
    assert (refused.refused, refused.wait_ms) == (0, 31_000)


def test_what_has_flowed_off_is_not_given_back_twice(store: Buckets, fresh: str) -> None:
    early, late = [claim("tokens-per-minute", 60, 60, fresh)], [claim("tokens-per-minute", 60, 60, fresh)]
    first = take(store, at(), *early)
    assert take(store, at(60_000), *late).refused is None
    settle(store, at(60_000), first, early, [-60])
    assert take(store, at(60_000), *late).refused == 0


def test_a_refund_of_last_month_gives_nothing_in_this_one(store: Buckets, fresh: str) -> None:
    claims = [claim("money-per-month", 10, 10, fresh)]
    before = take(store, at(), *claims)
    assert take(store, at(_NOVEMBER_ENDS), *claims).refused is None
    settle(store, at(_NOVEMBER_ENDS), before, claims, [-10])
    assert take(store, at(_NOVEMBER_ENDS), *claims).refused == 0


def test_a_clock_that_goes_back_gives_nothing(store: Buckets, fresh: str) -> None:
    minute, month = claim("tokens-per-minute", 60, 60, fresh), claim("money-per-month", 10, 10, fresh)
    assert take(store, at(_NOVEMBER_ENDS), minute, month).refused is None
    for earlier in (_NOVEMBER_ENDS - 1, 0, -90 * 86_400_000):
        assert take(store, at(earlier), claim("tokens-per-minute", 60, 1, fresh)).refused == 0
        assert take(store, at(earlier), month).refused == 0
    assert take(store, at(_NOVEMBER_ENDS + 1000), claim("tokens-per-minute", 60, 1, fresh)).refused is None
    assert take(store, at(_NOVEMBER_ENDS + 1000), claim("tokens-per-minute", 60, 1, fresh)).refused == 0


def test_so_many_run_at_once(store: Buckets, fresh: str) -> None:
    one = claim("concurrent", 2, 1, fresh)
    first = take(store, at(), one, lease="req_a")
    assert take(store, at(), one, lease="req_b").refused is None
    assert take(store, at(), one, lease="req_c").refused == 0
    settle(store, at(), first, [one], [0], lease="req_a")
    assert take(store, at(), one, lease="req_c").refused is None


def test_a_place_that_nobody_gives_back_comes_back_with_its_end(store: Buckets, fresh: str) -> None:
    one = claim("concurrent", 1, 1, fresh)
    take(store, at(), one, lease="req_a")
    assert take(store, at(599_999), one, lease="req_b").refused == 0
    assert take(store, at(600_000), one, lease="req_b").refused is None


@pytest.mark.parametrize("name", ["tokens-per-minute", "money-per-month", "concurrent"])
def test_however_instances_and_threads_interleave_the_limit_holds(opened: Opened, fresh: str, name: str) -> None:
    admitted: list[int] = []
    together = threading.Barrier(6)

    def work(number: int) -> None:
        store, order = opened(), random.Random(number)
        together.wait()
        for turn in range(20):
            amount = 1 if name == "concurrent" else order.randint(1, 5)
            one = claim(name, 37, amount, fresh)
            if take(store, at(), one, lease=f"req_{number}_{turn}").refused is None:
                admitted.append(amount)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 33 <= sum(admitted) <= 37  # a claim of five may not fit any more


def test_after_refunds_by_many_threads_all_is_admitted_again(opened: Opened, fresh: str) -> None:
    one = claim("tokens-per-day", 100, 3, fresh)

    def work(number: int) -> None:
        store = opened()
        for turn in range(15):
            taken = take(store, at(), one, lease=f"req_{number}_{turn}")
            if taken.refused is None:
                settle(store, at(), taken, [one], [-3], lease=f"req_{number}_{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert take(opened(), at(), claim("tokens-per-day", 100, 100, fresh)).refused is None


def test_promises_of_budgets_are_shared_and_made_in_one_step(address: str, tmp_path: Path, fresh: str) -> None:
    """Two instances that share their limits, on one database: of two requests one has room, and its end frees it."""
    world = BudgetWorld(sqlite(tmp_path))
    shared = [SharedRunning(ValkeyBuckets(address), fresh.encode()) for _ in range(2)]
    (_, usage, one), (_, _, other) = (world.instance(running=running) for running in shared)
    world.set(10)
    call = world.call()
    begun = world.begin(call, tokens=10, limiter=one)
    with pytest.raises(TooMany, match="promised"):
        world.begin(tokens=1, limiter=other)
    begun.end(PRICE)
    world.spend(9, call, usage=usage)  # one euro is left
    shared[0].close()  # all was taken back
    world.begin(tokens=1, limiter=other)
    with pytest.raises(TooMany, match="promised"):
        world.begin(tokens=1, limiter=other)
    world.clock.forward(minutes=15)  # whose process died
    world.begin(tokens=1, limiter=other)
    shared[1].close()
    world.close()


def test_a_promise_that_cannot_be_asked_for_is_none(tmp_path: Path) -> None:
    world = BudgetWorld(sqlite(tmp_path))
    running = SharedRunning(ValkeyBuckets(f"unix://{tmp_path}/nobody"), b"s")
    _, _, limiter = world.instance(running=running)
    world.set(10)
    with pytest.raises(Unavailable) as refusal:
        world.begin(limiter=limiter)
    assert refusal.value.code == "limits-away"
    running.close()
    world.close()
