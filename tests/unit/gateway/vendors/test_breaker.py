"""Rests after failures, one trial, jitter, longer rests, pauses that the vendor asks for, and moving figures."""

from __future__ import annotations

import pytest

from troth.gateway.vendors.breaker import FAILED_OF_WINDOW, FAILURES, LONGEST_REST, REST_SECONDS, Breaker
from troth.kernel.errors import Unavailable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(chance: float = 0.0) -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(clock, lambda: chance)
    for _ in range(FAILURES):
        breaker.check()
        breaker.failed()
    return breaker, clock


def rests(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except Unavailable as refusal:
        return refusal.code == "vendor-resting"
    return False


def test_opens_after_failures_in_a_row_and_tries_once_later() -> None:
    breaker, clock = opened()
    assert rests(breaker)
    clock.now += REST_SECONDS
    assert not breaker.resting
    breaker.check()  # the one trial
    assert rests(breaker)
    breaker.succeeded()
    breaker.check()


def test_one_failure_less_does_not_open_it() -> None:
    breaker = Breaker(Clock())
    for _ in range(FAILURES - 1):
        breaker.failed()
    assert not rests(breaker)


def test_the_rest_is_longer_by_chance_and_doubles_with_each_failed_trial() -> None:
    breaker, clock = opened(chance=1.0)
    clock.now += REST_SECONDS
    assert rests(breaker)  # a quarter more at most
    clock.now += REST_SECONDS / 4
    breaker.check()
    breaker.failed()
    clock.now += REST_SECONDS * 2
    assert rests(breaker)
    clock.now += REST_SECONDS
    breaker.check()
    for _ in range(20):
        breaker.failed()
        clock.now += LONGEST_REST * 1.25
        breaker.check()


def test_half_of_the_last_calls_open_it_too() -> None:
    breaker = Breaker(Clock(), lambda: 0.0)
    for _ in range(FAILED_OF_WINDOW - 1):
        breaker.succeeded(0.1)
        breaker.failed()
    assert not rests(breaker)
    breaker.succeeded(0.1)
    breaker.failed()
    assert rests(breaker)


def test_calls_from_before_the_rest_neither_end_nor_lengthen_it() -> None:
    breaker, clock = opened()
    breaker.succeeded(0.1)
    assert rests(breaker)
    breaker.failed()
    clock.now += REST_SECONDS
    assert not rests(breaker)


@pytest.mark.parametrize(("asked", "kept"), [(7.0, 7.0), (10_000.0, LONGEST_REST)])
def test_a_pause_that_the_vendor_asks_for_is_kept(asked: float, kept: float) -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.asked_for_pause(asked)
    clock.now += kept - 0.001
    assert rests(breaker)
    clock.now += 0.002
    assert not breaker.resting


def test_moving_figures_follow_the_newest_calls() -> None:
    breaker = Breaker(Clock())
    breaker.succeeded(2.0)
    assert breaker.seconds == 2.0
    for _ in range(40):
        breaker.succeeded(1.0)
    assert breaker.seconds == pytest.approx(1.0, abs=0.01)
    assert breaker.error_rate == 0.0
    breaker.failed()
    assert 0.0 < breaker.error_rate < 0.5
