"""Settling overlaps."""

from __future__ import annotations

import itertools

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
