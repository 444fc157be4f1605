"""What running requests may still cost: the parts of one count together, and each gives back its own."""

from __future__ import annotations

from troth.gateway.limits.running import Running

LATER = 9


def amounts(running: Running, now: int = 0) -> tuple[int, int]:
    return running.amount("b", now), running.amount("c", now)


def test_what_begins_under_one_name_adds_up() -> None:
    running = Running()
    running.begin("q", ["b", "c"], 5, LATER)
    running.begin("q", ["b"], 1, LATER)  # the other was removed meanwhile
    assert amounts(running) == (6, 5)
    running.end("q")
    assert amounts(running) == (0, 0)
    running.end("q")


def test_a_budget_that_comes_between_two_parts_counts_and_ends() -> None:
    running = Running()
    running.begin("q", ["b"], 5, LATER)
    running.begin("q", ["b", "c"], 1, LATER)
    assert amounts(running) == (6, 1)
    running.end("q")
    assert amounts(running) == (0, 0)


def test_what_is_taken_back_leaves_the_rest() -> None:
    running = Running()
    running.begin("q", ["b"], 5, LATER)
    running.begin("other", ["c"], 3, LATER)
    running.begin("q", ["b", "c"], 2, LATER)
    running.take_back("q", ["b", "c"], 2)
    assert amounts(running) == (5, 3)
    running.take_back("q", ["b"], 5)
    assert amounts(running) == (0, 3)
    running.take_back("q", ["b"], 5)
    running.end("q")
    assert amounts(running) == (0, 3)


def test_the_latest_end_of_its_parts_holds() -> None:
    running = Running()
    running.begin("q", ["b"], 5, LATER)
    running.begin("q", ["b"], 1, LATER + 5)
    assert amounts(running, LATER) == (6, 0)
    assert amounts(running, LATER + 5) == (0, 0)
