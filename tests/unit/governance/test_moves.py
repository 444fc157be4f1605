"""Moves: who, when, with what; every refusal by its code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from register_forms import FORM, form_with, look, record
from troth.governance.forms.reading import parse_form
from troth.governance.looking import Look
from troth.governance.moves import By, Wish, moved, opening
from troth.governance.records import Event, Record
from troth.kernel.errors import Invalid, TrothError

THINGS = parse_form(FORM)
OWNER = By("ten_1", "usr_2", "usr_2", frozenset({"owner"}), "req_1")
DAY = look("2026-03-01T10:00")
NEW = {"name": "A", "author": "usr_1"}
DRAFT = record(THINGS, "draft", name="A", author="usr_1")


def opened(values: dict[str, Any], by: By = OWNER, form: str = "") -> Event:
    return opening(form_with(form), "rec_1", Wish(values, b"s" * 32), by, DAY)


def approve(values: dict[str, Any] | None = None, by: By = OWNER, at: Look = DAY, on: Record = DRAFT) -> Event:
    wanted = {"review_by": "2027-01-01"} if values is None else values
    return moved(THINGS, on, "approve", Wish(wanted, b"s" * 32), by, look=at)


def code(refused: pytest.ExceptionInfo[TrothError]) -> str:
    return refused.value.code


def test_a_second_person_approves() -> None:
    event = approve()
    assert (event.state, event.sequence, event.actor, dict(event.values or {})) == (
        "live",
        2,
        "usr_2",
        {"review_by": "2027-01-01"},
    )


@pytest.mark.parametrize(
    "by",
    [
        replace(OWNER, actor="usr_1", subject="usr_1"),
        replace(OWNER, actor="key_7", subject="usr_1"),
        replace(OWNER, also=frozenset({"usr_1"})),  # the author's account beside a staff record
        replace(OWNER, actor="p1", subject="p1"),  # who opened it, though another is named as author
    ],
)
def test_nobody_approves_their_own_work_under_any_name(by: By) -> None:
    with pytest.raises(TrothError) as refused:
        approve(by=by)
    assert code(refused) == "own-move"


def test_people_of_a_list_are_all_kept_out() -> None:
    fields = (
        "fields: {name: {type: text!, label: N}, author: {type: people!, label: A}, review_by: {type: date, label: R}}"
    )
    form = form_with(fields)
    with pytest.raises(TrothError) as refused:
        moved(
            form,
            record(form, "draft", name="A", author=["x", "usr_2"]),
            "approve",
            Wish({"review_by": "2027-01-01"}, b""),
            OWNER,
            look=DAY,
        )
    assert code(refused) == "own-move"


@pytest.mark.parametrize("roles", [set(), {"admin"}, {"Owner"}, {"any"}])
def test_the_role_is_of_the_form(roles: set[str]) -> None:
    with pytest.raises(TrothError) as refused:
        approve(by=replace(OWNER, roles=frozenset(roles)))
    assert code(refused) == "wrong-role"


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, "move-needs"),
        ({"review_by": None}, "move-needs"),
        ({"review_by": "2026-03-01"}, "not-now"),
        ({"review_by": "soon"}, "bad-field"),
        ({"review_by": "2027-01-01", "name": "B"}, "bad-field"),
        ({"review_by": "2027-01-01", "x": 1}, "bad-field"),
    ],
)
def test_what_a_move_needs_and_takes(values: dict[str, Any], wanted: str) -> None:
    with pytest.raises(TrothError) as refused:
        approve(values)
    assert code(refused) == wanted


def test_a_reason_that_a_move_asks_for_is_asked_each_time() -> None:
    live = record(THINGS, "live", name="A", author="usr_1")
    with pytest.raises(Invalid) as refused:
        moved(THINGS, live, "end", Wish({}, b""), OWNER, look=DAY)
    assert (refused.value.code, refused.value.field) == ("move-needs", "reason")


def test_no_such_move_wrong_state_and_a_stale_look() -> None:
    with pytest.raises(TrothError) as refused:
        moved(THINGS, DRAFT, "fly", Wish({}, b""), OWNER, look=DAY)
    assert code(refused) == "no-such-move"
    with pytest.raises(TrothError) as refused:
        approve(on=replace(DRAFT, state="gone"))
    assert code(refused) == "not-now"
    with pytest.raises(TrothError) as refused:
        moved(
            THINGS,
            replace(DRAFT, sequence=4),
            "approve",
            Wish({"review_by": "2027-01-01"}, b"", seen=3),
            OWNER,
            look=DAY,
        )
    assert code(refused) == "stale-record"


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"name": "A"}, "move-needs"),
        ({**NEW, "reason": "x"}, "bad-field"),
        ({**NEW, "name": "x" * 301}, "bad-field"),
        ({**NEW, "author": 5}, "bad-field"),
    ],
)
def test_what_an_opening_needs(values: dict[str, Any], wanted: str) -> None:
    with pytest.raises(TrothError) as refused:
        opened(values)
    assert code(refused) == wanted


def test_nobody_enters_what_a_move_writes() -> None:
    sets = "moves: {go: {from: draft, to: live, role: owner, sets: {review_by: today}}}"
    with pytest.raises(TrothError) as refused:
        opened({**NEW, "review_by": "2027-01-01"}, form=sets)
    assert code(refused) == "bad-field"
    form = form_with(sets)
    assert moved(form, DRAFT, "go", Wish({}, b""), OWNER, look=DAY).values == {"review_by": "2026-03-01"}


def test_a_source_takes_nothing() -> None:
    form = replace(THINGS, opened=None, source="vendors")
    with pytest.raises(TrothError) as refused:
        opening(form, "rec_1", Wish(NEW, b""), OWNER, DAY)
    assert code(refused) == "not-now"


def test_an_entry_has_a_size() -> None:
    named = "name: {type: long!, most: 20000, label: N}, author: {type: people!, label: A}"
    fields = f"fields: {{{named}, review_by: {{type: date, label: R}}}}"
    people = [f"{number:064}" for number in range(500)]
    with pytest.raises(TrothError) as refused:
        opened({"name": "\u20ac" * 9000, "author": people}, form=fields)
    assert code(refused) == "entry-too-long"
