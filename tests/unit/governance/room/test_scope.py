"""What a room opens: the one place where that is decided, moment by moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from troth.governance.forms.fields import read_value
from troth.governance.forms.reading import shipped
from troth.governance.records import FIRST, Record
from troth.governance.room.scope import Room, entered, room_of
from troth.kernel.errors import Denied, NotFound

DAY = 86_400_000
AUDITOR = "auditor"
TOLD = {
    "name": "First half", "auditor": "usr_a", "author": "usr_o", "of_promises": ["CRY-01"], "of_registers": ["risks"],
    "period_from": "2026-01-01", "period_to": "2026-06-30", "until": "2026-07-31",
}  # fmt: skip


def record(**members: object) -> Record:
    form, raw = shipped()["rooms"], {**TOLD, **members}
    values = {name: read_value(one, raw.get(name)) for name, one in form.fields.items()}
    return Record("rooms", "rec_a", "open", raw, values, 0, 0, 1, FIRST)


ROOM = room_of(record())


def test_days_are_whole_days_in_utc() -> None:
    assert (ROOM.end - ROOM.start, ROOM.until - ROOM.end) == (181 * DAY, 31 * DAY)


@pytest.mark.parametrize(("before_the_end", "open_"), [(1, True), (0, False), (-1, False)])
def test_it_ends_by_the_time_alone(before_the_end: int, open_: bool) -> None:
    now = ROOM.until - before_the_end
    if open_:
        assert entered(ROOM, "usr_a", {AUDITOR}, now) is ROOM
        assert entered(ROOM, "usr_a", {"room-auditor"}, now) is ROOM
    else:
        with pytest.raises(Denied) as refused:
            entered(ROOM, "usr_a", {AUDITOR}, now)
        assert refused.value.code == "room-over"


@pytest.mark.parametrize(
    ("room", "person", "roles"),
    [(None, "usr_a", {AUDITOR}), (ROOM, None, {AUDITOR}), (ROOM, "usr_b", {AUDITOR}), (ROOM, "usr_a", {"owner"})],
    ids=["no-room", "nobody", "another", "no-auditor"],
)
def test_nobody_else_learns_that_there_is_one(room: Room | None, person: str | None, roles: set[str]) -> None:
    with pytest.raises(NotFound):
        entered(room, person, roles, ROOM.start)


@pytest.mark.parametrize("room", [replace(ROOM, open=False), replace(ROOM, author="usr_a")], ids=["closed", "own"])
def test_a_closed_room_and_ones_own_open_nothing(room: Room) -> None:
    with pytest.raises(Denied, match="over"):
        entered(room, "usr_a", {AUDITOR}, ROOM.start)


def test_a_room_without_its_days_opens_nothing() -> None:
    bare = room_of(record(until=None))
    with pytest.raises(Denied):
        entered(bare, "usr_a", {AUDITOR}, ROOM.start)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2025-12-31", None), (None, "2026-07-01"), ("2026-06-30", "2026-06-29"), ("2027-01-01", None)],
)
def test_no_other_period(first: str | None, last: str | None) -> None:
    days = [date.fromisoformat(one) if one else None for one in (first, last)]
    with pytest.raises(Denied):
        ROOM.span(*days)


def test_a_part_of_the_period() -> None:
    assert ROOM.span(date(2026, 6, 30), None) == (ROOM.end - DAY, ROOM.end)
    assert ROOM.span(None, None) == (ROOM.start, ROOM.end)


def test_what_is_inside() -> None:
    ROOM.require_promise("CRY-01")
    ROOM.require_check(("CRY-09", "CRY-01"))
    ROOM.require_register("risks")
    ROOM.require_taking("pdf")
    replace(ROOM, bundle=True).require_taking("bundle")
    for refused in (lambda: ROOM.require_promise("CRY-02"), lambda: ROOM.require_check(()),
                    lambda: ROOM.require_check(("CRY-02",)), lambda: ROOM.require_register("staff"),
                    lambda: ROOM.require_taking("bundle")):  # fmt: skip
        with pytest.raises(Denied):
            refused()


def test_every_register_that_is_kept_here_can_be_opened() -> None:
    kept = {name for name, form in shipped().items() if form.source is None} - {"rooms", "room-questions"}
    assert set(shipped()["rooms"].fields["of_registers"].of) == kept
