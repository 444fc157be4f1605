"""Legal clocks, with the traps: month ends, a holiday week with both bounds, 72 hours, extension, excuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from register_forms import form_with, look, ms, record
from troth.governance.clocks import Running, running, span_end
from troth.governance.forms.form import Form, Span
from troth.governance.moves import By, Wish, moved
from troth.kernel.errors import Conflict, Invalid
from troth.vault.rights.clocks import Calendar, calendar_of

OWNER = By("ten_1", "usr_2", "usr_2", frozenset({"owner"}), "req_1")
BASE = """
fields: {{received: {{type: date, label: R}}, aware: {{type: moment, label: A}}, why: {{type: text, label: W}}}}
states: {{live: {{}}, gone: {{end: true, judged: true}}}}
opens: {{role: any}}
moves:
  complete: {{from: live, role: owner}}
  answer: {{from: live, to: gone, role: owner}}
  suit: {{from: live, to: gone, role: owner}}
  extend: {{from: live, role: owner}}
clocks: {{c: {clock}}}
kept_when: state != 'x'
"""


def clocked(clock: str) -> Form:
    return form_with(BASE.format(clock=f"{{by: owner, {clock}}}"))


def only(form: Form, at: str, did: dict[str, str] | None = None, **values: str) -> Running:
    state = "gone" if did and {"answer", "suit"} & set(did) else "live"
    (found,) = running(form, record(form, state, did=did, **values), look(at))
    return found


def utc(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="minutes")[:16]


MONTH = clocked("starts: received, law: gdpr, within: 1 month, stops: answer, extend: 2 months, extended_by: extend")


@pytest.mark.parametrize(
    ("received", "end"),
    [
        ("2027-01-31", "2027-02-28"),  # a Sunday: goes on to Monday, see below
        ("2028-01-31", "2028-02-29"),
        ("2026-03-31", "2026-04-30"),
        ("2026-01-31", "2026-03-02"),  # 28 February 2026 is a Saturday
        ("2026-01-15", "2026-02-16"),  # 15 February 2026 is a Sunday
    ],
)
def test_a_month_ends_on_its_last_day_and_rolls_over_days_off(received: str, end: str) -> None:
    expected = {"2027-02-28": "2027-03-01"}.get(end, end)
    # the last day ends where it ends first: at 21:00 UTC, which is midnight in summer in the east of the Union
    assert utc(only(MONTH, "2026-01-31T12:00", received=received).ends) == f"{expected}T21:00"


def test_an_extension_runs_from_the_receipt_and_only_when_it_was_told_in_time() -> None:
    in_time = only(MONTH, "2026-05-01T00:00", {"extend": "2026-02-20T10:00"}, received="2026-01-31")
    assert utc(in_time.ends) == "2026-04-30T21:00"
    too_late = only(MONTH, "2026-05-01T00:00", {"extend": "2026-03-03T10:00"}, received="2026-01-31")
    assert utc(too_late.ends) == "2026-03-02T21:00"


@pytest.mark.parametrize(
    ("did", "at"), [({"extend": "2026-02-10T00:00"}, "2026-02-20T10:00"), ({}, "2026-03-03T10:00")]
)
def test_no_second_and_no_late_extension(did: dict[str, str], at: str) -> None:
    with pytest.raises(Conflict) as refused:
        moved(
            MONTH, record(MONTH, "live", did=did, received="2026-01-31"), "extend", Wish({}, b""), OWNER, look=look(at)
        )
    assert refused.value.code == "not-now"
    moved(
        MONTH,
        record(MONTH, "live", received="2026-01-31"),
        "extend",
        Wish({}, b""),
        OWNER,
        look=look("2026-02-20T10:00"),
    )


AUTHORITY = clocked("starts: aware, law: gdpr, within: 72 hours, stops: answer, excuse: why")


def test_seventy_two_hours_run_over_a_weekend_to_the_minute() -> None:
    friday = "2026-04-03T16:30:00Z"
    before = only(AUTHORITY, "2026-04-06T16:29", aware=friday)
    assert (utc(before.ends), before.late) == ("2026-04-06T16:30", False)
    assert only(AUTHORITY, "2026-04-06T16:30", aware=friday).late
    assert not only(AUTHORITY, "2026-06-01T00:00", {"answer": "2026-04-06T16:29"}, aware=friday).late
    assert only(AUTHORITY, "2026-06-01T00:00", {"answer": "2026-04-06T16:30"}, aware=friday).late


def test_late_with_the_reason_that_the_law_asks_for_is_excused_and_nothing_else_is() -> None:
    late = record(AUTHORITY, "live", aware="2026-04-03T16:30:00Z")
    with pytest.raises(Invalid) as refused:
        moved(AUTHORITY, late, "answer", Wish({}, b""), OWNER, look=look("2026-04-07T00:00"))
    assert (refused.value.code, refused.value.field) == ("move-needs", "why")
    moved(AUTHORITY, late, "answer", Wish({"why": "Found in a backup"}, b""), OWNER, look=look("2026-04-07T00:00"))
    told = only(
        AUTHORITY, "2026-05-01T00:00", {"answer": "2026-04-07T00:00"}, aware="2026-04-03T16:30:00Z", why="Found"
    )
    assert (told.late, told.excused) == (True, True)
    assert not only(AUTHORITY, "2026-05-01T00:00", {"answer": "2026-04-07T00:00"}, aware="2026-04-03T16:30:00Z").excused


RESTORE = clocked(
    "starts: complete, law: dmca, not_before: 10 business days, within: 14 business days, stops: [answer, suit],"
    " inside: answer"
)


def test_the_window_of_a_counter_notice_over_christmas_and_new_year() -> None:
    # Complete on Friday, 18 December 2026, 15:00 UTC. Weekdays after it: 21, 22, 23, 24, (25 off), 28, 29, 30, 31,
    # (1 January off), 4, 5. The tenth that is worked is Tuesday, 5 January; counted without days off, which is what
    # the upper bound does, the fourteenth is Thursday, 7 January.
    window = only(RESTORE, "2026-12-20T00:00", {"complete": "2026-12-18T15:00"})
    assert window.opens is not None
    assert utc(window.opens) == "2027-01-06T10:00"  # 5 January has ended in Hawaii too
    assert utc(window.ends) == "2027-01-08T04:00"  # 7 January has ended in the east, by summer time's reckoning


def test_a_window_in_a_week_without_days_off() -> None:
    window = only(RESTORE, "2026-03-02T15:00", {"complete": "2026-03-02T15:00"})
    assert window.opens is not None
    assert (utc(window.opens), utc(window.ends)) == ("2026-03-17T10:00", "2026-03-21T04:00")


@pytest.mark.parametrize(
    ("stop", "early", "late"),
    [
        ("2027-01-06T09:59", True, False),
        ("2027-01-06T10:00", False, False),
        ("2027-01-08T03:59", False, False),
        ("2027-01-08T04:00", False, True),
    ],
)
def test_both_bounds_of_the_window_are_judged(stop: str, early: bool, late: bool) -> None:
    told = only(RESTORE, "2027-02-01T00:00", {"complete": "2026-12-18T15:00", "answer": stop})
    assert (told.early, told.late) == (early, late)


def test_nothing_is_restored_before_the_window_and_a_suit_needs_no_window() -> None:
    counter = record(RESTORE, "live", did={"complete": "2026-12-18T15:00"})
    with pytest.raises(Conflict) as refused:
        moved(RESTORE, counter, "answer", Wish({}, b""), OWNER, look=look("2027-01-06T09:59"))
    assert refused.value.code == "not-now"
    moved(RESTORE, counter, "answer", Wish({}, b""), OWNER, look=look("2027-01-06T10:00"))
    moved(RESTORE, counter, "suit", Wish({}, b""), OWNER, look=look("2026-12-21T10:00"))
    assert not only(RESTORE, "2027-02-01T00:00", {"complete": "2026-12-18T15:00", "suit": "2026-12-21T10:00"}).early


def test_a_clock_that_starts_anew_forgets_the_stop_before() -> None:
    form = clocked("starts: complete, law: plain, within: 5 days, stops: extend")
    told = only(form, "2026-03-20T00:00", {"extend": "2026-03-01T00:00", "complete": "2026-03-10T00:00"})
    assert (told.stopped, told.late) == (None, True)


def test_a_clock_that_has_not_started_does_not_run() -> None:
    assert running(RESTORE, record(RESTORE, "live"), look("2026-03-01T00:00")) == ()


def test_more_days_off_than_the_window_has_leave_a_day() -> None:
    off = frozenset(date(2026, 3, 3) + timedelta(days=n) for n in range(20))
    here = replace(look("2026-03-02T15:00"), calendars={"us": replace(calendar_of("us"), holidays=off)})
    (told,) = running(RESTORE, record(RESTORE, "live", did={"complete": "2026-03-02T15:00"}), here)
    assert told.opens is not None
    assert told.ends == told.opens + 86_400_000


@pytest.mark.parametrize(
    ("text", "span", "end"),
    [
        ("2026-01-31T12:00", Span(1, "months"), "2026-03-01T00:00"),
        ("2026-12-31T23:00", Span(3, "days"), "2027-01-04T00:00"),
        ("2026-03-06T10:00", Span(2, "business days"), "2026-03-11T00:00"),
        ("2026-03-06T10:00", Span(0, "business days"), "2026-03-07T00:00"),
    ],
)
def test_spans_end_with_their_last_day(text: str, span: Span, end: str) -> None:
    assert span_end(ms(text), span, Calendar()) == ms(end)
