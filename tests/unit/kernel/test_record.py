"""What may enter the audit log: ids, enums and numbers."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Invalid
from troth.kernel.record import Entry, Outcome, checked_facts


@pytest.mark.parametrize("value", ["jane@example.com", "Jane Doe", "", "a" * 129, "+44 20 7946 0000", "tab\there"])
def test_text_that_is_no_token_is_refused(value: str) -> None:
    with pytest.raises(Invalid):
        checked_facts({"object": value})


def test_a_key_that_is_not_listed_is_refused() -> None:
    with pytest.raises(Invalid, match="email"):
        checked_facts({"email": "x"})


def test_counts_by_kind_are_kept() -> None:
    assert checked_facts({"kinds": {"EMAIL": 2}, "count": 3}) == {"kinds": {"EMAIL": 2}, "count": 3}


def test_empty_members_are_left_out_of_the_leaf() -> None:
    entry = Entry("operator", "a.b", "closed", Outcome.DONE, "req_x", "usr_x", None, 5)
    assert entry.as_json() == {
        "log": "operator",
        "op": "a.b",
        "phase": "closed",
        "outcome": "done",
        "request": "req_x",
        "actor": "usr_x",
        "time": 5,
    }
