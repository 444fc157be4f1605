"""Both stores answer alike, whatever is asked; and over any stretch of time a bucket admits what it may, not more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from limit_stores import START, claim, no_seed, redis_server
from troth.gateway.limits.buckets import Change, Taken
from troth.gateway.limits.memory import MemoryBuckets
from troth.gateway.limits.rules import SPANS_MS, moment, rule
from troth.gateway.limits.valkey import ValkeyBuckets

HOUR = 3_600_000
NAMES = ("tokens-per-minute", "requests-per-hour", "bytes-per-day", "money-per-month", "concurrent")
STEP = st.tuples(
    st.sampled_from(NAMES),
    st.integers(0, 30),  # amount
    st.integers(-40_000, 90_000),  # how the clock moves, in ms
    st.integers(-30, 10),  # what is settled
)


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyBuckets]:
    with redis_server() as (_, address):
        yield ValkeyBuckets(address)


_rounds = iter(range(1_000_000))


@settings(max_examples=25, deadline=None)
@example(steps=[("concurrent", 0, 0, 0), ("concurrent", 0, 25_000, 0), ("concurrent", 0, 0, 0)], most=1)
@given(steps=st.lists(STEP, min_size=1, max_size=12), most=st.integers(0, 60))
def test_both_stores_answer_alike(server: ValkeyBuckets, steps: list[tuple[str, int, int, int]], most: int) -> None:
    memory, bucket, now = MemoryBuckets(), f"p{next(_rounds)}", START
    for number, (name, amount, moved, by) in enumerate(steps):
        now += moved
        one = claim(name, most, min(amount, 1) if name == "concurrent" else amount, bucket)
        lease = (f"req_{number}", now + 50_000)
        answers = [store.take([one], moment(now), lease, no_seed) for store in (memory, server)]
        assert answers[0] == answers[1]
        if answers[0].refused is None and number % 2:
            changes = [Change(one, answers[0].standings[0], moment(now).month, max(by, -amount))]
            memory.settle(changes, moment(now + moved), lease[0])
            server.settle(changes, moment(now + moved), lease[0])


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(["tokens-per-minute", "tokens-per-hour", "tokens-per-day"]),
    most=st.integers(1, 1000),
    steps=st.lists(st.tuples(st.integers(1, 400), st.integers(-50_000, 50_000), st.booleans()), max_size=40),
)
def test_over_any_time_no_more_than_the_bucket_and_what_flowed_in(
    name: str, most: int, steps: list[tuple[int, int, bool]]
) -> None:
    memory, span = MemoryBuckets(), SPANS_MS[rule(name).window]
    now = START
    first = latest = START + (steps[0][1] if steps else 0)  # a bucket begins full
    kept = 0  # what was admitted and not given back
    for amount, moved, failed in steps:
        now += moved
        first, latest = min(first, now), max(latest, now)  # what was refused begins no bucket
        one = claim(name, most, amount)
        taken = memory.take([one], moment(now), ("req_1", now), no_seed)
        if taken.refused is None and failed:
            memory.settle([Change(one, taken.standings[0], moment(now).month, -amount)], moment(now), "req_1")
        elif taken.refused is None:
            kept += amount
        assert kept <= most + (latest - first) * most / span + 1e-6


def test_empty_buckets_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.gateway.limits.memory._MANY", 3)
    memory = MemoryBuckets()

    def take(bucket: str, now: int) -> Taken:
        return memory.take([claim("tokens-per-minute", 10, 10, bucket)], moment(now), ("req_1", now), no_seed)

    for bucket in "abcd":
        take(bucket, START)
    assert take("a", START).refused == 0  # none of them was empty yet
    for bucket in "efgh":
        take(bucket, START + 60_000)
    assert len(memory._buckets) < 8


def test_what_many_keys_leave_behind_goes_whatever_asks_next() -> None:
    """Buckets of every kind that are empty again, of people and keys that come no more; what counts still stays."""
    store, later = MemoryBuckets(), START + 40 * 24 * HOUR  # in the next month
    store._many = 30
    lease = ("req_1", START + HOUR)
    for number in range(10):
        for name in ("tokens-per-minute", "money-per-month", "concurrent"):
            store.take([claim(name, 9, 1, f"b{number}")], moment(START), lease, no_seed)
    held = [claim(name, 9, 1, "held") for name in ("tokens-per-day", "money-per-month", "concurrent")]
    store.take(held, moment(later - 1000), ("req_2", later + HOUR), no_seed)
    store._many = 30
    store.take([claim("money-per-month", 9, 1, "new")], moment(later), lease, no_seed)
    assert set(store._buckets) == {one.bucket for one in held} | {"{t}:new:money-per-month"}
