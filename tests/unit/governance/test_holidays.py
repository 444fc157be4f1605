"""Federal holidays, against the list that the Office of Personnel Management publishes."""

from __future__ import annotations

from datetime import date

from troth.governance.holidays import federal_between, federal_holidays


def days(year: int, *told: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(f"{year}-{one}") for one in told)


def test_the_published_lists() -> None:
    assert federal_holidays(2026) == days(
        2026, "01-01", "01-19", "02-16", "05-25", "06-19", "07-03", "09-07", "10-12", "11-11", "11-26", "12-25"
    )
    assert federal_holidays(2027) == days(
        2027, "01-01", "01-18", "02-15", "05-31", "06-18", "07-05", "09-06", "10-11", "11-11", "11-25", "12-24"
    )


def test_new_year_may_be_taken_in_the_year_before() -> None:
    assert date(2027, 12, 31) in federal_holidays(2028)  # 1 January 2028 is a Saturday
    assert date(2027, 12, 31) in federal_between(2027, 2027)
