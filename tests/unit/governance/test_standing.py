"""How a register stands: every way of not being in order is seen, and an empty one proves nothing."""

from __future__ import annotations

from typing import Any

import pytest

from register_forms import form_with, look, ms, record
from troth.governance.looking import Look, Member
from troth.governance.standing import Reason, Stand, standing

KEPT = "kept_when: author != name"
RULES: dict[str, str] = {
    "condition": "kept_when: [author != name, review_by > today]",
    "due": "dues: {review: {in: live, at: review_by, by: owner}}\nkept_when: author != name",
    "clock": f"{KEPT}\nclocks: {{c: {{starts: approve, law: plain, within: 5 days, stops: end, by: owner}}}}",
    "people": f"{KEPT}\npopulation: {{attest: {{in: live, over: staff.active, every: 1 year, own_move: a}}}}",
    "covers": "covers: {name: {all: [A, B]}}\nkept_when: review_by > today",
    "listed": "covers: {name: {all: names}}\nkept_when: review_by > today",
}
NOW = look("2026-06-01T12:00", members={"staff.active": (Member("m1", ms("2025-01-01T00:00")),)})


def stand(rule: str, *several: dict[str, Any], at: Look = NOW) -> Stand:
    form = form_with(RULES[rule])
    records = []
    for number, values in enumerate(several):
        told = {"state": "live", "name": "A", "author": "p1", "review_by": "2026-12-01", **values}
        records.append(record(form, told.pop("state"), id=f"r{number}", **told))
    return standing(form, records, [], at)


@pytest.mark.parametrize(
    ("rule", "values", "what"),
    [
        ("condition", {"author": "A"}, "condition-1"),
        ("condition", {"review_by": "2026-06-01"}, "condition-2"),
        ("condition", {"review_by": ""}, "condition-2"),
        ("due", {"review_by": "2026-05-31"}, "due-review"),
        ("clock", {"did": {"approve": "2026-05-20T00:00"}}, "clock-c"),
        ("people", {}, "late-attest"),
    ],
)
def test_what_is_not_in_order_is_named(rule: str, values: dict[str, Any], what: str) -> None:
    found = stand(rule, {"name": "Z", **({} if rule != "people" else {"opened": "2026-05-30T00:00"})}, values)
    assert (found.population, found.tested, found.broken) == (2, 2, 1)
    assert found.reasons == (Reason("r1", what),)


def test_in_order() -> None:
    assert stand("condition", {}, {}) == Stand(2, 2, 0, ())


@pytest.mark.parametrize("several", [(), ({"state": "draft"},), ({"state": "gone"},)])
def test_an_empty_register_and_one_in_which_nothing_counts_prove_nothing(several: tuple[dict[str, Any], ...]) -> None:
    for rule in RULES:
        assert stand(rule, *several) == Stand(0, 0, 0, ())


def test_a_population_that_nobody_knows_is_not_in_order() -> None:
    for members in ({}, {"staff.active": ()}):
        found = stand("people", {}, at=look("2026-01-02T00:00", members=members))
        assert found.reasons == (Reason("r0", "nobody-attest"),)


def test_what_must_be_covered_is_covered_by_records_in_order() -> None:
    assert stand("covers", {"name": "A"}, {"name": "B"}).broken == 0
    assert stand("covers", {"name": "A"}).reasons == (Reason(None, "covers-name", 1),)
    lapsed = stand("covers", {"name": "A"}, {"name": "B", "review_by": "2026-01-01"})
    assert (lapsed.broken, lapsed.reasons[1]) == (2, Reason(None, "covers-name", 1))


def test_a_list_that_nobody_knows_is_not_covered() -> None:
    assert stand("listed", {}).reasons == (Reason(None, "covers-name", 0),)
    assert stand("listed", {}, at=look("2026-06-01T12:00", lists={"names": ("A",)})).broken == 0


def test_a_legal_time_that_was_missed_is_remembered_for_a_year() -> None:
    form = form_with(
        "clocks: {c: {starts: approve, law: plain, within: 5 days, stops: end, by: owner}}\n"
        "kept_when: author != name\nstates: {draft: {}, live: {}, gone: {end: true, judged: true}}"
    )
    late = record(form, "gone", name="A", author="p1", did={"approve": "2026-01-01T00:00", "end": "2026-03-01T00:00"})
    assert standing(form, [late], [], look("2027-03-01T00:00")).reasons == (Reason("r1", "clock-c"),)
    assert standing(form, [late], [], look("2027-03-02T00:00")).broken == 0


def test_holes_and_shortages_are_of_the_register() -> None:
    form = form_with(
        "chain: {join: [review_by, review_by], in: live, hole: 0d}\nkept_when: author != name\n"
        "cadence: {count: 2, within: 12 months, at: review_by, in: live}"
    )
    told = [record(form, "live", id=day, name="A", author="p1", review_by=f"2026-{day}") for day in ("01-10", "01-15")]
    found = standing(form, told, [], look("2026-02-01T00:00"))
    assert (found.broken, found.reasons) == (1, (Reason(None, "chain", 4),))
    later = standing(form, told, [], look("2027-02-01T00:00"))
    assert later.reasons == (Reason(None, "chain", 4), Reason(None, "cadence", 2))
