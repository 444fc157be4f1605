"""Acts that everybody owes: the share is over all, and who is late is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from register_forms import form_with, look, ms, record
from troth.governance.forms.taking import span
from troth.governance.looking import Item, Look, Member
from troth.governance.populations import Owed, counts, late, owed, taken, whole
from troth.kernel.errors import IntegrityError

FORM = form_with(
    """
population:
  attest: {in: live, over: staff.active, every: 1 year, own_move: a, renewed_by: approve, renews_when: name == 'Major'}
"""
)
STAFF = tuple(Member(name, ms("2025-01-01T00:00")) for name in ("m1", "m2", "m3"))
POLICY = record(FORM, "live", name="Minor", author="p1", opened="2026-01-10T00:00")


def seen(at: str, staff: Sequence[Member] | None = STAFF) -> Look:
    return look(at, members={} if staff is None else {"staff.active": tuple(staff)})


def did(member: str, at: str, of: str = "r1") -> Item:
    return Item(of, "attest", member, ms(at))


def people(at: str, items: Sequence[Item], staff: Sequence[Member] | None = STAFF, **values: str) -> tuple[Owed, ...]:
    told = record(FORM, "live", author="p1", **{"name": "Minor", "opened": "2026-01-10T00:00", **values})
    found = owed(FORM, FORM.populations["attest"], told, items, seen(at, staff))
    assert found is not None
    return found


def test_the_share_is_over_everybody_and_not_over_those_who_were_asked() -> None:
    items = [did("m1", "2026-02-01T00:00"), did("m2", "2026-02-01T00:00"), did("m2", "2026-02-02T00:00")]
    assert counts(FORM, POLICY, items, seen("2026-03-01T00:00")) == {"share(attest)": Fraction(2, 3), "late(attest)": 1}


def test_nobody_known_is_no_share() -> None:
    for staff in (None, ()):
        assert counts(FORM, POLICY, [], seen("2026-03-01T00:00", staff)) == {
            "share(attest)": None,
            "late(attest)": None,
        }


def test_the_time_to_attest_ends_with_its_last_day() -> None:
    here = seen("2026-02-09T23:59")
    assert late(people("2026-02-09T23:59", []), here) == ()
    assert late(people("2026-02-10T00:00", []), replace(here, now=ms("2026-02-10T00:00"))) == ("m1", "m2", "m3")


def test_an_act_holds_for_its_time_and_no_day_longer() -> None:
    items = [did(name, "2026-02-01T10:00") for name in ("m1", "m2", "m3")]
    assert all(one.done for one in people("2027-02-01T23:59", items))
    lapsed = people("2027-02-02T00:00", items)
    assert not any(one.done for one in lapsed)
    assert late(lapsed, seen("2027-02-02T00:00")) == ("m1", "m2", "m3")


def test_who_joined_later_has_a_time_of_their_own() -> None:
    staff = (*STAFF[:1], Member("new", ms("2026-06-15T12:00")))
    items = [did("m1", "2026-02-01T00:00")]
    assert late(people("2026-07-15T23:59", items, staff), seen("2026-07-15T23:59", staff)) == ()
    assert late(people("2026-07-16T00:00", items, staff), seen("2026-07-16T00:00", staff)) == ("new",)


@pytest.mark.parametrize(("name", "late_ones"), [("Major", ("m1", "m2", "m3")), ("Minor", ())])
def test_a_major_version_asks_everybody_anew(name: str, late_ones: tuple[str, ...]) -> None:
    items = [did(member, "2026-02-01T00:00") for member in ("m1", "m2", "m3")]
    told = record(FORM, "live", name=name, author="p1", opened="2026-01-10T00:00", did={"approve": "2026-05-01T00:00"})
    found = owed(FORM, FORM.populations["attest"], told, items, seen("2026-06-01T00:00"))
    assert late(found or (), seen("2026-06-01T00:00")) == late_ones


def test_acts_for_another_record_or_of_tomorrow_do_not_count() -> None:
    items = [did("m1", "2026-02-01T00:00", of="r2"), did("m2", "2026-03-02T00:00")]
    assert not any(one.done for one in people("2026-03-01T00:00", items))


def test_a_list_that_lost_people_without_a_leaver_does_not_raise_the_share() -> None:
    snapshot = taken("staff.active", ms("2026-01-01T00:00"), ["m1", "m2", "m3"])
    present = STAFF[:1]
    assert {one.id for one in whole(snapshot, present, frozenset())} == {"m1", "m2", "m3"}
    assert {one.id for one in whole(snapshot, present, frozenset({"m3"}))} == {"m1", "m2"}
    for altered in (replace(snapshot, members=("m1",)), replace(snapshot, at=1), replace(snapshot, population="x")):
        with pytest.raises(IntegrityError) as refused:
            whole(altered, present, frozenset())
        assert refused.value.code == "population-altered"


@pytest.mark.parametrize(
    ("every", "at", "again"),
    [
        ("1 year", "2026-02-01T10:00", False),
        ("1 year", "2027-01-01T00:00", False),
        ("1 year", "2027-01-04T00:00", True),
        ("1 year", "2027-02-03T00:00", True),
        ("10d", "2026-02-02T00:00", False),  # so short that half of it counts
        ("10d", "2026-02-08T00:00", True),
    ],
)
def test_an_act_is_asked_for_again_near_its_end_only(every: str, at: str, again: bool) -> None:
    rule = replace(FORM.populations["attest"], every=span(every, "every"))
    found = owed(FORM, rule, POLICY, [did("m1", "2026-02-01T10:00")], seen(at))
    assert found is not None
    assert [one.again(ms(at)) for one in found] == [again, True, True]
