from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.audit.review.ranges import DAY_MS, Range, consecutive, days, due_at, gaps

NOON = 1_795_348_800_000  # 22 November 2026, 12:00 UTC


@pytest.mark.parametrize(
    ("reviewed", "missing"),
    [
        ([], []),
        ([(0, 9)], []),
        ([(5, 9)], [(0, 4)]),
        ([(0, 9), (10, 19)], []),
        ([(0, 9), (12, 19), (30, 30)], [(10, 11), (20, 29)]),
        ([(12, 19), (0, 9)], [(10, 11)]),  # whatever the order
        ([(0, 30), (5, 9), (40, 50)], [(31, 39)]),  # an overlap hides no gap
    ],
)
def test_gaps(reviewed: list[tuple[int, int]], missing: list[tuple[int, int]]) -> None:
    ranges = [Range(*one) for one in reviewed]
    assert gaps(ranges) == [Range(*one) for one in missing]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=8))
def test_every_entry_is_covered_or_in_a_gap(drawn: list[tuple[int, int]]) -> None:
    ranges = [Range(first, first + length) for first, length in drawn]
    covered = {index for one in ranges for index in range(one.first, one.last + 1)}
    missing = {index for one in gaps(ranges) for index in range(one.first, one.last + 1)}
    assert missing == set(range(max(covered, default=-1) + 1)) - covered


@pytest.mark.parametrize(
    ("ranges", "sound"),
    [([], True), ([(0, 4), (5, 5)], True), ([(1, 4)], False), ([(0, 4), (6, 7)], False), ([(0, 4), (4, 7)], False)],
)
def test_consecutive(ranges: list[tuple[int, int]], sound: bool) -> None:
    assert consecutive(Range(*one) for one in ranges) is sound


def test_days_are_those_of_utc() -> None:
    assert days(NOON, NOON) == ["2026-11-22"]
    assert days(NOON, NOON + DAY_MS // 2) == ["2026-11-22", "2026-11-23"]
    assert days(NOON + DAY_MS, NOON) == ["2026-11-23"]
    assert len(days(NOON, NOON + 900 * DAY_MS)) == 400


def test_a_review_is_due_after_its_period_and_the_term() -> None:
    assert due_at(NOON, 7, 3) == NOON + 10 * DAY_MS
