"""Work that repeats: it goes on after a failure, ends when told, and says when it is late."""

from __future__ import annotations

import threading
import time

import pytest

from troth.kernel import periodic
from troth.kernel.periodic import Periodic
from worlds import FaultList


def test_a_round_that_fails_is_noted_and_the_next_one_comes() -> None:
    faults, third, rounds = FaultList(), threading.Event(), list[int]()

    def work() -> None:
        rounds.append(1)
        if len(rounds) == 3:
            third.set()
        raise ValueError

    repeated = Periodic("test", work, seconds=0.001, faults=faults)
    repeated.start()
    assert third.wait(5)
    repeated.stop()
    assert len(faults.faults) == len(rounds)
    assert set(faults.faults) == {"ValueError"}


def test_stop_ends_it_before_the_first_round_too() -> None:
    done = list[int]()
    repeated = Periodic("test", lambda: done.append(1), seconds=60, delay=60, faults=FaultList())
    repeated.start()
    repeated.stop()
    assert not done


def test_what_never_began_is_late_and_what_began_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    repeated = Periodic("test", lambda: None, seconds=600, delay=30, faults=FaultList())
    assert repeated.late()
    repeated.start()
    now = time.monotonic()
    for passed, late in ((0, False), (30 + 600 + 60, False), (30 + 2 * 600 + 61, True)):
        monkeypatch.setattr(periodic.time, "monotonic", lambda passed=passed: now + passed)
        assert repeated.late() is late
    monkeypatch.undo()
    repeated.stop()


def test_a_good_round_gives_new_time_and_a_failing_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    failing, done = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        done.release()
        if failing.is_set():
            raise OSError

    repeated = Periodic("test", work, seconds=0.01, faults=FaultList())
    repeated.start()
    for _ in range(3):
        done.acquire()
    failing.set()
    for _ in range(3):
        done.acquire()
    now = time.monotonic()
    assert not repeated.late()
    monkeypatch.setattr(periodic.time, "monotonic", lambda: now + 61)
    assert repeated.late()
    monkeypatch.undo()
    repeated.stop()
