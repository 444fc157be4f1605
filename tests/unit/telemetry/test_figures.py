"""Service levels: gaps stay gaps, percentages are cut and never rounded up, budgets are counted from failures."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from troth.telemetry.figures import by_day, day_of, levels, percentile
from troth.telemetry.samples import DAY_MS, EDGES_MS, HOUR_MS, Hour

NOW = 1_795_000_000_000 // DAY_MS * DAY_MS + 6 * HOUR_MS + 1
FAST = (1,) + (0,) * len(EDGES_MS)


def hour(ago: int, looks: int = 60, available: int | None = None, target: str = "door") -> Hour:
    start = (NOW // HOUR_MS - ago) * HOUR_MS
    good = looks if available is None else available
    return Hour(target, start, 60, looks, good, tuple(good * one for one in FAST))


def test_nothing_seen_is_no_data_and_no_percentage() -> None:
    for one in levels([], NOW, objective=99.5, due=60):
        assert (one.availability, one.coverage, one.p50, one.budget_left) == (None, 0.0, None, None)
    assert {day.state for day in by_day([], NOW, due=60)} == {"no data"}


def test_a_window_counts_what_was_due_where_nobody_looked() -> None:
    day, month, quarter = levels([hour(ago) for ago in range(12)], NOW, objective=99.5, due=60)
    assert (day.looks, day.due, day.availability, day.coverage) == (720, 1440, 100.0, 50.0)
    assert (month.due, month.coverage) == (43_200, 1.666)
    assert quarter.due == 129_600


def test_failures_use_up_the_budget() -> None:
    rows = [hour(1, 1000, 996)]
    day = levels(rows, NOW, objective=99.5, due=40)[0]
    assert (day.availability, day.budget_left) == (99.6, 20.0)
    assert levels([hour(1, 1000, 990)], NOW, objective=99.5, due=40)[0].budget_left == -100.0


def test_too_few_looks_are_said_and_leave_no_budget() -> None:
    for taken, enough in ((24, True), (22, True), (21, False), (1, False), (0, False)):
        day = levels([hour(ago) for ago in range(taken)], NOW, objective=99.5, due=60)[0]
        assert (day.enough, day.budget_left) == (enough, 100.0 if enough else None), taken


def test_nearly_all_is_not_all() -> None:
    day = levels([hour(1, 1_000_000, 999_999)], NOW, objective=99.5, due=60)[0]
    assert day.availability == 99.999


def test_days_tell_gaps_from_failures() -> None:
    rows = [hour(ago) for ago in range(7 + 24, 7 + 48)]  # the day before yesterday, whole
    rows += [hour(10), hour(11)]  # two hours of yesterday
    rows += [hour(0, 60, 0)]
    today, yesterday, before = list(reversed(by_day(rows, NOW, due=60)))[:3]
    assert (today.state, yesterday.state, before.state) == ("unavailable", "gaps", "available")
    assert (before.coverage, yesterday.coverage) == (100.0, 8.333)
    assert before.day == day_of(NOW - 2 * DAY_MS)
    assert [day.state for day in by_day([hour(0, 60, 30)], NOW, due=60)][-1] == "partly"


def test_percentiles_are_upper_ends_of_classes() -> None:
    counts = [50, 45, 4, 1] + [0] * (len(EDGES_MS) - 3)
    assert [percentile(counts, part) for part in (50, 95, 99, 100)] == [5, 10, 20, 50]
    assert percentile([0] * len(EDGES_MS) + [9], 50) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2200), st.integers(1, 200), st.integers(0, 200)), max_size=60))
def test_never_more_than_was_seen(seen: list[tuple[int, int, int]]) -> None:
    rows = [hour(ago, looks, min(good, looks)) for ago, looks, good in {one[0]: one for one in seen}.values()]
    for one in levels(rows, NOW, objective=99.5, due=60):
        assert one.looks == 0 or one.availability is not None
        assert one.availability is None or (one.availability == 100.0) == (one.available == one.looks)
        assert 0 <= one.coverage <= 100
    assert all(day.state != "available" for day in by_day(rows, NOW, due=60) if day.looks == 0)
