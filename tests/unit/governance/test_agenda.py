"""One list of all that is due: order, who reads what, what cannot be told, and the weeks to come."""

from __future__ import annotations

from collections.abc import Iterable

from troth.governance.agenda import MOST_OF_A_SOURCE, WEEKS, Agenda, Source, agenda, joined, overdue, weeks
from troth.governance.dues import Due, plain_due
from troth.governance.looking import DAY_MS
from troth.kernel.errors import Unavailable

NOW = 1_800_000_000_000


def due(name: str, days: float, room: str = "keys", *, stops: float | None = None) -> Due:
    end = None if stops is None else NOW + int(stops * DAY_MS)
    return plain_due((room, "one", name), NOW + int(days * DAY_MS), "owner", now=NOW, stops=end)


def source(name: str, *several: Due, readers: Iterable[str] = ("owner",)) -> Source:
    return Source(name, frozenset(readers), lambda _tenant, _now: several)


def away(_tenant: str, _now: int) -> list[Due]:
    raise Unavailable("away", code="database-away")


def test_overdue_comes_first_and_then_by_time() -> None:
    rooms = source("a", due("far", 40), due("late", -3)), source("b", due("near", 3), due("stopped", -1, stops=-0.5))
    found = agenda(rooms, "ten_1", {"owner"}, NOW)
    assert [(one.name, one.state) for one in found.dues] == [
        ("stopped", "lapsed"),
        ("late", "overdue"),
        ("near", "soon"),
        ("far", "later"),
    ]
    assert overdue(found.dues) == 2


def test_a_room_is_for_its_readers() -> None:
    rooms = source("a", due("mine", 1)), source("b", due("theirs", 1), readers=("privacy-officer",))
    assert [one.name for one in agenda(rooms, "ten_1", {"owner", "member"}, NOW).dues] == ["mine"]
    assert agenda(rooms, "ten_1", set(), NOW) == Agenda((), ())


def test_a_room_that_cannot_be_asked_is_named() -> None:
    broken = Source("keys", frozenset({"owner"}), away)
    found = agenda((broken, source("a", due("still", 1))), "ten_1", {"owner"}, NOW)
    assert ([one.name for one in found.dues], found.unjudged) == (["still"], ("keys",))


def test_a_room_with_too_much_is_named_and_keeps_the_first() -> None:
    many = [due("later", 50 + number / 1000) for number in range(MOST_OF_A_SOURCE)]
    found = agenda((source("a", *many, due("late", -9)),), "ten_1", {"owner"}, NOW)
    assert (len(found.dues), found.dues[0].name, found.unjudged) == (MOST_OF_A_SOURCE, "late", ("a",))


def test_several_lists_are_one() -> None:
    found = joined(Agenda((due("second", 2),), ("b",)), Agenda((due("first", 1),), ("a", "b")))
    assert ([one.name for one in found.dues], found.unjudged) == (["first", "second"], ("a", "b"))


def test_weeks_count_what_comes_and_nothing_that_is_late() -> None:
    several = [due("late", -1), due("today", 0.1), due("six", 6.9), due("eight", 7), due("far", 7 * WEEKS)]
    found = weeks(several, NOW)
    assert [one.count for one in found] == [2, 1, *([0] * (WEEKS - 2))]
    assert found[1].start == NOW + 7 * DAY_MS


def test_what_waits_within_its_grace_counts_in_the_first_week() -> None:
    assert weeks([due("grace", -1, stops=5)], NOW)[0].count == 1
