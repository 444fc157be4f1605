"""Settling overlaps."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.redact.detect import KINDS, Span, resolve


def span(start: int, end: int, kind: str = "email", score: float = 0.9) -> Span:
    return Span(start, end, kind, score, "test")


def test_higher_score_wins_then_longer() -> None:
    assert resolve([span(0, 5, score=0.6), span(3, 9, score=0.9)]) == [span(3, 9, score=0.9)]
    assert resolve([span(0, 5), span(0, 9)]) == [span(0, 9)]


def test_rest_of_a_container_stays_covered() -> None:
    found = resolve([span(0, 30, "url", 0.6), span(10, 20, "email", 0.98)])
    assert [(s.start, s.end, s.kind) for s in found] == [(0, 10, "url"), (10, 20, "email"), (20, 30, "url")]


def test_two_readings_of_one_address_are_one() -> None:
    assert resolve([span(0, 20, "address", 0.8), span(5, 30, "address", 0.7)]) == [span(0, 20, "address", 0.8)]


def test_what_a_loser_of_its_kind_held_is_not_left_open() -> None:
    """The third stands within the second, which loses to the first: without it a whole find would stay readable."""
    found = resolve([span(0, 20, "phone", 0.9), span(15, 40, "phone", 0.7), span(25, 40, "phone", 0.7)])
    assert found == [span(0, 20, "phone", 0.9), span(25, 40, "phone", 0.7)]


@pytest.mark.parametrize("turn", [1, -1])
def test_the_surest_and_longest_of_what_a_loser_held_come_first(turn: int) -> None:
    """In whatever order they were found, and whichever begins first."""
    held = [
        span(10, 14, "phone", 0.5),
        span(12, 30, "phone", 0.9),
        span(31, 35, "phone", 0.5),
        span(31, 40, "phone", 0.5),
    ]
    found = resolve([span(0, 9, "email", 0.98), span(0, 50, "phone", 0.5), *held[::turn]])
    assert [(one.start, one.end) for one in found] == [(0, 9), (12, 30), (31, 40)]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 60), st.integers(1, 20), st.sampled_from(sorted(KINDS)), st.sampled_from([0.5, 0.7, 0.9])
        ),
        max_size=25,
    )
)
def test_result_is_sorted_and_disjoint(rows: list[tuple[int, int, str, float]]) -> None:
    found = resolve([span(a, a + n, kind, score) for a, n, kind, score in rows])
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert bool(found) == bool(rows)
    covered = {i for s in found for i in range(s.start, s.end)}
    for a, n, kind, _ in rows:
        assert covered & set(range(a, a + n)), kind  # something of every find is hidden
