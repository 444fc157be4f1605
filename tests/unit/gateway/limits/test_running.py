"""What running requests may still cost: many budgets or none, each promise for itself, and whether anything ended."""

from __future__ import annotations

import pytest

from troth.gateway.limits import running as running_module
from troth.gateway.limits.running import Promise, Running

LATER = 9


def made(running: Running, rooms: dict[str, int], amount: int = 5, until: int = LATER, mark: int = 0) -> Promise:
    return running.promise("ten_a", rooms, amount, (0, until), mark)


def amounts(running: Running, now: int = 0) -> tuple[int, int]:
    return running.amount("b", now), running.amount("c", now)


def test_all_budgets_or_none() -> None:
    running = Running()
    assert made(running, {"b": 10, "c": 0}).refused == "c"
    assert amounts(running) == (0, 0)
    first = made(running, {"b": 10, "c": 1})
    assert (first.refused, dict(first.others), amounts(running)) == (None, {"b": 0, "c": 0}, (5, 5))
    assert dict(made(running, {"b": 6}).others) == {"b": 5}
    assert made(running, {"c": 5}).refused == "c"


def test_each_is_taken_back_for_itself_and_once() -> None:
    running = Running()
    one, other = made(running, {"b": 9, "c": 9}), made(running, {"b": 9})
    one.take_back()
    one.take_back()
    assert amounts(running) == (5, 0)
    other.take_back()
    assert amounts(running) == (0, 0)


def test_it_is_sure_while_nothing_of_these_budgets_ended_since_the_mark() -> None:
    running = Running()
    mark = running.mark()
    ends, elsewhere = made(running, {"b": 9}), made(running, {"c": 99}, until=2)
    elsewhere.take_back()
    assert made(running, {"b": 99}, mark=mark).sure
    ends.take_back()
    assert not made(running, {"b": 99}, mark=mark).sure
    assert made(running, {"b": 99}, mark=running.mark()).sure


def test_what_nobody_takes_back_ends() -> None:
    running = Running()
    mark = running.mark()
    made(running, {"b": 9, "c": 9})
    made(running, {"b": 9}, until=LATER + 5)
    assert amounts(running, LATER) == (5, 0)
    assert amounts(running, LATER + 5) == (0, 0)
    assert not made(running, {"c": 9}, mark=mark).sure


def test_it_remembers_so_many_budgets_and_is_not_sure_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_module, "KEPT", 2)
    running = Running()
    mark = running.mark()
    for budget in ("b", "c", "d", "b", "e"):
        made(running, {budget: 9}).take_back()
    assert list(running._ended) == ["b", "e"]
    assert not made(running, {"c": 9}, mark=mark).sure  # forgotten, so it may have ended since
    assert made(running, {"c": 9}, mark=running.mark()).sure
