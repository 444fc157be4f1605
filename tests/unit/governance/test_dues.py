"""What falls due: when, by whom, and in which state."""

from __future__ import annotations

import pytest

from register_forms import form_with, look, ms, record
from troth.governance.dues import Due, dues
from troth.governance.looking import DAY_MS, Item, Member
from troth.vault.rights.clocks import calendar_of

FORM = form_with(
    """
dues:
  review: {in: live, at: review_by, remind: [30d, 7d], grace: 2d, by: owner, person: author, lapse: route}
  rounds: {in: live, after: approve, within: 3 months, by: admin, when: name != 'Quiet'}
couples: {route: route.off}
"""
)


def due(which: str, at: str, state: str = "live", **values: str) -> Due | None:
    told = record(FORM, state, **{"name": "A", "author": "p1", "review_by": "2026-06-15", **values})
    return next((one for one in dues(FORM, [told], [], look(at)) if one.name == which), None)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-05-16T23:59", "later"),
        ("2026-05-17T00:00", "soon"),
        ("2026-06-14T23:59", "soon"),
        ("2026-06-15T00:00", "due"),
        ("2026-06-17T23:59", "due"),  # within the grace
        ("2026-06-18T00:00", "lapsed"),
    ],
)
def test_the_states_of_a_due(at: str, state: str) -> None:
    found = due("review", at)
    assert found is not None
    assert (found.state, found.by, found.person, found.lapse) == (state, "owner", "p1", "route")
    assert (found.at, found.grace_until) == (ms("2026-06-16T00:00"), ms("2026-06-18T00:00"))


def test_a_day_ends_where_it_ends_first() -> None:
    told = record(FORM, "live", name="A", author="p1", review_by="2026-06-15")
    (review,) = [
        one for one in dues(FORM, [told], [], look("2026-06-01T00:00", home=calendar_of("eu"))) if one.name == "review"
    ]
    assert review.at == ms("2026-06-15T21:00")


def test_a_date_that_nobody_entered_is_due_at_once() -> None:
    found = due("review", "2026-03-01T00:00", review_by="")
    assert found is not None
    assert (found.state, found.at) == ("lapsed", ms("2026-01-01T00:00"))


def test_rounds_count_from_the_last_move_or_the_opening() -> None:
    found = due("rounds", "2026-04-02T00:00")
    assert found is not None
    assert (found.at, found.state) == (ms("2026-04-02T00:00"), "overdue")
    approved = record(FORM, "live", name="A", author="p1", review_by="2027-01-01", did={"approve": "2026-03-31T10:00"})
    (later,) = [one for one in dues(FORM, [approved], [], look("2026-04-02T00:00")) if one.name == "rounds"]
    assert later.at == ms("2026-07-01T00:00")  # three months after 31 March is 30 June


def test_states_and_conditions_of_the_rule_hold() -> None:
    assert due("review", "2026-07-01T00:00", state="gone") is None
    assert due("rounds", "2026-07-01T00:00", name="Quiet") is None


def test_what_lapsed_comes_first() -> None:
    several = [
        record(FORM, "live", id=f"r{day}", name="Quiet", author="p1", review_by=f"2026-{day}")
        for day in ("12-01", "06-20", "06-01", "05-01")
    ]
    found = dues(FORM, several, [], look("2026-06-10T00:00"))
    assert [(one.record, one.state) for one in found] == [
        ("r05-01", "lapsed"),
        ("r06-01", "lapsed"),
        ("r06-20", "soon"),
        ("r12-01", "later"),
    ]


def test_acts_of_people_are_due_by_name() -> None:
    form = form_with("population: {attest: {in: live, over: staff.active, every: 12 months, own_move: attest}}")
    staff = tuple(Member(name, ms("2025-01-01T00:00")) for name in ("m1", "m2", "m3"))
    here = look("2026-02-05T00:00", members={"staff.active": staff})
    items = [Item("r1", "attest", "m1", here.now - DAY_MS)]
    found = dues(form, [record(form, "live", name="A", author="p1")], items, here)
    assert [(one.person, one.state, one.by) for one in found] == [
        ("m2", "overdue", "member"),
        ("m3", "overdue", "member"),
    ]


def test_a_clock_that_was_not_answered_is_due() -> None:
    form = form_with("clocks: {c: {starts: review_by, law: gdpr, within: 72 hours, stops: end, by: privacy-officer}}")
    told = record(form, "live", name="A", author="p1", review_by="2026-06-15")
    (clock,) = dues(form, [told], [], look("2026-06-16T00:00"))
    assert (clock.name, clock.by, clock.state) == ("c", "privacy-officer", "soon")
    assert (
        dues(form, [record(form, "gone", name="A", author="p1", review_by="2026-06-15")], [], look("2026-06-20T00:00"))
        == []
    )


@pytest.mark.parametrize(
    ("rule", "value", "at"),
    [
        ("at: review_by, within: 7d", "2026-06-15", "2026-06-23T00:00"),
        ("at: review_by, within: 1 month", "2026-01-31", "2026-03-01T00:00"),
        ("at: seen, within: 24 hours", "2026-06-15T10:30:00Z", "2026-06-16T10:30"),
        ("at: seen", "2026-06-15T10:30:00Z", "2026-06-15T10:30"),
    ],
)
def test_a_due_may_come_a_time_after_a_day_or_moment(rule: str, value: str, at: str) -> None:
    fields = "name: {type: text!, label: N}, author: {type: person!, label: A}, seen: {type: moment, label: S}"
    form = form_with(
        f"fields: {{{fields}, review_by: {{type: date, label: R}}}}\ndues: {{d: {{in: live, by: owner, {rule}}}}}"
    )
    field = "seen" if "seen" in rule else "review_by"
    (found,) = dues(form, [record(form, "live", name="A", author="p1", **{field: value})], [], look("2026-01-01T00:00"))
    assert found.at == ms(at)
