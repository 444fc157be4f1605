"""Terms by law: known edges of the calendar, and what must hold for every day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.vault.rights.clocks import (
    STOPS,
    Calendar,
    Kind,
    Law,
    Urgency,
    business_days,
    calendar_of,
    law_of,
    months_after,
    terms,
    urgency,
)

PLAIN = Calendar()
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
HOLIDAYS = st.frozensets(st.dates(date(2026, 1, 1), date(2028, 12, 31)), max_size=40)
SLOW = st.sampled_from(sorted(set(Kind) - STOPS))


def on(text: str) -> date:
    return date.fromisoformat(text)


# received -> by when, by Reg. 1182/71: same date, or the month's last day, or the next day that is worked on
@pytest.mark.parametrize(
    ("received", "month", "three"),
    [
        ("2026-03-05", "2026-04-06", "2026-06-05"),  # 5 April 2026 is a Sunday
        ("2026-08-31", "2026-09-30", "2026-11-30"),  # no 31 September
        ("2027-01-31", "2027-03-01", "2027-04-30"),  # 28 February 2027 is a Sunday
        ("2025-01-31", "2025-02-28", "2025-04-30"),
        ("2028-01-31", "2028-02-29", "2028-05-01"),  # a leap year; 30 April 2028 is a Sunday
        ("2028-01-30", "2028-02-29", "2028-05-01"),
        ("2028-01-29", "2028-02-29", "2028-05-01"),
        ("2026-11-30", "2026-12-30", "2027-03-01"),  # three months lead to 28 February, a Sunday
        ("2026-12-31", "2027-02-01", "2027-03-31"),  # 31 January 2027 is a Sunday
        ("2100-01-31", "2100-03-01", "2100-04-30"),  # 2100 is no leap year; 28 February is a Sunday
        ("2026-05-22", "2026-06-22", "2026-08-24"),  # 22 August 2026 is a Saturday
    ],
)
def test_months_of_european_law(received: str, month: str, three: str) -> None:
    found = terms(Law.GDPR, Kind.ACCESS, on(received), PLAIN)
    assert (found.confirm, found.answer, found.longest) == (None, on(month), on(three))


def test_a_holiday_at_the_end_moves_it_and_one_before_does_not() -> None:
    feast = Calendar(holidays=frozenset({on("2026-12-25"), on("2026-12-28")}))
    assert terms(Law.GDPR, Kind.ACCESS, on("2026-11-25"), feast).answer == on("2026-12-29")
    assert terms(Law.GDPR, Kind.ACCESS, on("2026-11-29"), feast).answer == on("2026-12-29")
    assert terms(Law.GDPR, Kind.ACCESS, on("2026-11-25"), PLAIN).answer == on("2026-12-25")


# received -> confirm (10 business days), answer (45 days), longest (90 days), stop (15 business days)
@pytest.mark.parametrize(
    ("received", "confirm", "answer", "longest", "stop"),
    [
        ("2026-01-01", "2026-01-15", "2026-02-15", "2026-04-01", "2026-01-22"),
        ("2026-01-02", "2026-01-16", "2026-02-16", "2026-04-02", "2026-01-23"),
        ("2026-01-03", "2026-01-16", "2026-02-17", "2026-04-03", "2026-01-23"),  # a Saturday
        ("2026-01-04", "2026-01-16", "2026-02-18", "2026-04-04", "2026-01-23"),  # a Sunday
        ("2028-01-15", "2028-01-28", "2028-02-29", "2028-04-14", "2028-02-04"),  # over a leap day
        ("2026-12-31", "2027-01-14", "2027-02-14", "2027-03-31", "2027-01-21"),
    ],
)
def test_days_of_californian_law(received: str, confirm: str, answer: str, longest: str, stop: str) -> None:
    slow = terms(Law.CCPA, Kind.ERASURE, on(received), PLAIN)
    assert (slow.confirm, slow.answer, slow.longest) == (on(confirm), on(answer), on(longest))
    quick = terms(Law.CCPA, Kind.OPT_OUT, on(received), PLAIN)
    assert (quick.answer, quick.longest) == (on(stop), None)


@given(DAYS, SLOW)
def test_verification_and_weekends_never_stretch_californian_days(day: date, kind: Kind) -> None:
    found = terms(Law.CCPA, kind, day, PLAIN)
    assert found.longest is not None
    assert (found.answer - day, found.longest - day) == (timedelta(45), timedelta(90))


@given(DAYS, st.sampled_from(Kind), HOLIDAYS)
def test_european_terms_end_on_a_working_day_not_before_their_date(
    day: date, kind: Kind, holidays: frozenset[date]
) -> None:
    calendar = Calendar(holidays=holidays)
    found = terms(Law.GDPR, kind, day, calendar)
    for months, end in ((1, found.answer), (3, found.longest)):
        assert end is not None
        assert calendar.worked(end)
        assert end >= months_after(day, months)
        assert not any(
            calendar.worked(months_after(day, months) + timedelta(n))
            for n in range((end - months_after(day, months)).days)
        )


@given(DAYS, st.integers(0, 40))
def test_months_keep_the_date_or_end_the_month(day: date, months: int) -> None:
    end = months_after(day, months)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == months
    assert end.day == day.day or (end.day < day.day and (end + timedelta(1)).day == 1)


@given(DAYS, st.integers(1, 40), HOLIDAYS)
def test_business_days_count_worked_days_only(day: date, number: int, holidays: frozenset[date]) -> None:
    calendar = Calendar(holidays=holidays)
    end = business_days(day, number, calendar)
    assert calendar.worked(end)
    assert sum(calendar.worked(day + timedelta(n)) for n in range(1, (end - day).days + 1)) == number


@given(DAYS, DAYS, st.sampled_from(Law), st.sampled_from(Kind))
def test_who_asks_later_is_never_answered_earlier(one: date, other: date, law: Law, kind: Kind) -> None:
    first, second = sorted((one, other))
    assert terms(law, kind, first, PLAIN).answer <= terms(law, kind, second, PLAIN).answer


@given(st.integers(0, 800 * 24 * 60), st.sampled_from(("eu", "us", "au")))
def test_terms_are_strict_wherever_in_the_jurisdiction_one_stands(minutes: int, place: str) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    calendar = calendar_of(place)
    for hours in range(int(calendar.west / timedelta(hours=1)), int(calendar.east / timedelta(hours=1)) + 1):
        zone = timezone(timedelta(hours=hours))
        day = moment.astimezone(zone).date()
        assert calendar.day(moment) <= day
        assert calendar.end(day) <= datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(1)


def test_urgency_grows() -> None:
    last = on("2026-12-22")
    seen = [urgency(datetime(2026, 12, day, 23, 59, tzinfo=UTC), last, PLAIN) for day in (1, 15, 16, 22, 23)]
    assert seen == [Urgency.ON_TIME, Urgency.ON_TIME, Urgency.DUE_SOON, Urgency.DUE_SOON, Urgency.OVERDUE]
    assert urgency(datetime(2026, 12, 23, tzinfo=UTC), last, PLAIN) is Urgency.OVERDUE
    assert urgency(datetime(2026, 12, 18, tzinfo=UTC), last, PLAIN, short=True) is Urgency.ON_TIME
    assert urgency(datetime(2026, 12, 18, tzinfo=UTC), None, PLAIN) is Urgency.NONE


def test_laws_of_jurisdictions() -> None:
    assert [law_of(place) for place in ("eu", "us", "au")] == [Law.GDPR, Law.CCPA, Law.GDPR]
    with pytest.raises(KeyError):
        calendar_of("mars")
