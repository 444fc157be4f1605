"""Records: folded from events that nobody can drop, alter, move or exchange."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
import rfc8785

from register_forms import FORM, form_with, look
from troth.governance.forms.reading import parse_form
from troth.governance.moves import By, Wish, moved, opening
from troth.governance.records import Event, canonical, content_digest, erased, fold
from troth.kernel.errors import IntegrityError, Invalid

THINGS = parse_form(FORM)
OWNER = By("ten_1", "usr_2", "usr_2", frozenset({"owner"}), "req_1")


def history() -> list[Event]:
    """Opened, approved, ended."""
    author = replace(OWNER, actor="usr_1", subject="usr_1")
    wish = Wish({"name": "A", "author": "usr_1"}, b"a" * 32)
    events = [opening(THINGS, "rec_1", wish, author, look("2026-03-01T10:00"))]
    for move, values, day in (("approve", {"review_by": "2027-01-01"}, "02"), ("end", {"reason": "Old"}, "03")):
        wish = Wish(values, move.encode().ljust(32))
        events.append(moved(THINGS, fold(THINGS, events), move, wish, OWNER, look=look(f"2026-03-{day}T10:00")))
    return events


def test_a_record_is_what_its_events_say() -> None:
    record = fold(THINGS, history())
    assert (record.state, record.sequence, record.raw["review_by"]) == ("gone", 3, "2027-01-01")
    assert "reason" not in record.raw  # what only a move asks for stays in its event
    assert {name: one.actor for name, one in record.done.items()} == {
        "open": "usr_1",
        "approve": "usr_2",
        "end": "usr_2",
    }
    assert sorted(record.entered) == ["draft", "gone", "live"]


def test_a_file_does_not_change_when_a_record_changed() -> None:
    """Dues count from there, and rooms leave out what ended before their period."""
    events = history()
    for move in ("attach", "detach"):
        values = {"file.id": "obj_1"}
        events.append(replace(events[-1], sequence=len(events) + 1, at=events[-1].at + 86_400_000, move=move,
                              values=values, digest=content_digest(events[-1].salt, values),
                              previous=events[-1].link))  # fmt: skip
    record = fold(THINGS, events)
    assert (record.sequence, record.changed_at) == (5, events[2].at)
    assert record.done["detach"].at > record.changed_at


@pytest.mark.parametrize(
    "change",
    [
        {"values": {"review_by": "2028-01-01"}},
        {"state": "gone"},
        {"move": "end"},
        {"actor": "usr_3"},
        {"at": 1},
        {"salt": b"b" * 32},
        {"digest": "0" * 64},
        {"previous": "0" * 64},
        {"sequence": 3},
        {"record": "rec_2"},
        {"form": "other"},
        {"form_version": 2},
    ],
)
def test_no_altered_event_is_folded(change: dict[str, Any]) -> None:
    events = history()
    events[1] = replace(events[1], **change)
    with pytest.raises(IntegrityError) as refused:
        fold(THINGS, events)
    assert refused.value.code == "register-chain"


CHANGES: dict[str, Any] = {
    "values": {"name": "B"},
    "state": "live",
    "move": "fly",
    "actor": "usr_3",
    "at": 1,
    "salt": b"b" * 32,
    "digest": "0" * 64,
    "previous": "1" * 64,
    "sequence": 9,
    "record": "rec_2",
    "form": "other",
    "form_version": 2,
}


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("field", sorted(CHANGES))
def test_a_change_of_any_part_of_any_event_shows_in_the_chain_or_in_its_head(number: int, field: str) -> None:
    """The head is what the log keeps of a record: the last event can only be held against it."""
    events = history()
    other = "draft" if field == "state" and number == 1 else CHANGES[field]
    events[number] = replace(events[number], **{field: other})
    with pytest.raises(IntegrityError):
        if fold(THINGS, events).head != fold(THINGS, history()).head:
            raise IntegrityError("The log knows another head.")


def test_a_number_out_of_order_is_no_event_of_the_record_even_at_the_end() -> None:
    events = history()
    events[2] = replace(events[2], sequence=5)
    with pytest.raises(IntegrityError):
        fold(THINGS, events)


@pytest.mark.parametrize("order", [[], [0, 2], [1, 2], [0, 2, 1], [0, 1, 1, 2]])
def test_no_event_is_dropped_moved_or_doubled(order: list[int]) -> None:
    events = history()
    with pytest.raises(IntegrityError):
        fold(THINGS, [events[number] for number in order])


def test_a_cut_end_shows_in_head_and_sequence() -> None:
    events = history()
    assert fold(THINGS, events[:2]).head != fold(THINGS, events).head


def test_content_goes_with_its_person_and_the_chain_stays() -> None:
    events = history()
    events[0] = erased(events[0])
    record = fold(THINGS, events)
    assert (record.forgotten, record.state, record.values["name"], record.head) == (1, "gone", None, events[2].link)
    assert events[0].salt == b""


def test_two_contents_under_two_salts_share_no_digest() -> None:
    first, second = (
        opening(THINGS, "rec_1", Wish({"name": "A", "author": "p"}, salt), OWNER, look("2026-03-01T10:00"))
        for salt in (b"a" * 32, b"b" * 32)
    )
    assert first.digest != second.digest


def test_what_the_form_of_today_cannot_read_is_missing() -> None:
    fields = (
        "fields: {name: {type: number, label: N}, author: {type: person!, label: A}, review_by: {type: date, label: R}}"
    )
    assert fold(form_with(fields), history()).values["name"] is None


def test_a_state_that_there_is_no_more_is_told() -> None:
    with pytest.raises(Invalid, match="state"):
        fold(form_with("states: {draft: {}, live: {}}"), history())


PIECES = ("a", "Ä", '"', "\\", "/", "\x00", "\x1f", "\x7f", "\u2028", "\uffff", "\U0001f600", "\n", " ", "é")
VALUES = (
    None,
    True,
    False,
    0,
    -1,
    2**53 - 1,
    -(2**53) + 1,
    1.0,
    1e21,
    -0.0,
    ["a", "ä"],
    [1],
    [None],
    {"b": 1, "a": 2},
    [],
)


def test_what_is_written_fast_is_what_the_standard_asks_for() -> None:
    chance = random.Random(7)
    for _ in range(400):
        several: dict[str, Any] = {}
        for _ in range(chance.randrange(6)):
            name = "".join(chance.choices([*PIECES[:2], "b", "_", *PIECES[9:11]], k=3))
            text = "".join(chance.choices(PIECES, k=chance.randrange(8)))
            several[name] = chance.choice([text, chance.choice(VALUES)])
        assert canonical(several) == rfc8785.dumps(several)
        assert canonical(list(several.values())) == rfc8785.dumps(list(several.values()))


@pytest.mark.parametrize("value", [2**53, "\ud800", float("nan"), float("inf"), b"bytes"])
def test_what_canonical_json_cannot_carry_is_refused(value: Any) -> None:
    for told in ({"name": value}, [value]):
        with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)):
            canonical(told)  # type: ignore[arg-type]
