"""Who sees what other rooms keep, page by page; none is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from troth.governance.forms.reading import shipped
from troth.governance.records import Record
from troth.governance.sources.port import Kept, as_record, named
from troth.governance.sources.rooms import Rooms, paged
from troth.governance.store import Search
from troth.kernel.errors import Conflict
from troth.vault.rights.clocks import Calendar

HOME = Calendar()
FORM = shipped()["holds"]


@dataclass
class Some:
    of_service: bool

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:
        assert (tenant, now, home) == ("ten_a", 7, HOME)
        return [Kept(named("hld", str(at)), "in-force", at, {"ground": "a" if at % 2 else "b"}) for at in (3, 1, 2)]


def test_what_is_kept_for_the_service_is_seen_by_the_house_alone() -> None:
    for of_service, house, seen in ((False, None, True), (True, None, False), (True, "ten_b", False),
                                    (True, "ten_a", True)):  # fmt: skip
        rooms = Rooms({"holds": Some(of_service)}, lambda house=house: house)  # type: ignore[misc]
        assert rooms.shows(FORM, "ten_a") is seen
        if seen:
            assert [one.opened_at for one in rooms.records(FORM, "ten_a", 7, HOME)] == [1, 2, 3]
        else:
            with pytest.raises(Conflict, match="another room"):
                rooms.records(FORM, "ten_a", 7, HOME)


def test_a_form_that_is_kept_here_is_no_ones_elsewhere() -> None:
    with pytest.raises(Conflict, match="another room"):
        Rooms({"risks": Some(False)}).records(shipped()["risks"], "ten_a", 7, HOME)


def test_pages_go_back_in_time_and_none_is_left_out() -> None:
    records = [
        as_record(FORM, one) for one in sorted(Some(False).kept("ten_a", 7, HOME), key=lambda one: one.opened_at)
    ]

    def holds(one: Record, text: str) -> bool:
        return one.raw["ground"] == text

    first, after = paged(records, Search(limit=2), holds)
    assert [one.opened_at for one in first] == [3, 2]
    assert after == first[-1].id
    last, end = paged(records, Search(limit=2, after=after), holds)
    assert ([one.opened_at for one in last], end) == ([1], None)
    assert [one.opened_at for one in paged(records, Search(text="a"), holds)[0]] == [3, 1]
    assert paged(records, Search(state="lifted"), holds) == ((), None)
    assert paged(records, Search(after="hld_unknown"), holds) == ((), None)


def test_what_a_form_cannot_read_counts_as_missing() -> None:
    record = as_record(FORM, Kept("hld_a", "in-force", 1, {"ground": "a", "placed_on": "yesterday", "other": 1}))
    assert (record.values["placed_on"], set(record.raw)) == (None, {"ground", "placed_on"})
