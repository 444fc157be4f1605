"""Who is told of what, and when: each stage once, the last one only, and a higher role when nobody acts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from troth.governance.dues import Due
from troth.governance.escalation import notices
from troth.governance.looking import DAY_MS

AT = 1_800_000_000_000
DUE = Due(
    "risks", "rec_1", "review", AT, AT + 2 * DAY_MS, "admin", None, None, "later", (AT - 30 * DAY_MS, AT - 7 * DAY_MS)
)


def told(days: float, due: Due = DUE) -> list[tuple[str, float, str]]:
    """(stage, since in days from the end, role) at a moment so many days after the end."""
    now = AT + int(days * DAY_MS)
    late = "lapsed" if due.lapse else "overdue"
    state = late if now >= due.grace_until else "later"
    found = notices(replace(due, state=state), now)  # type: ignore[arg-type]
    return [(one.stage, (one.since - AT) / DAY_MS, one.role) for one in found]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (-31, []),
        (-30, [("soon", -30, "admin")]),
        (-7, [("soon", -7, "admin")]),
        (-1, [("due", -1, "admin")]),
        (1.9, [("due", -1, "admin")]),
        (2, [("overdue", 2, "admin")]),
        (8.9, [("overdue", 2, "admin")]),
        (9, [("overdue", 9, "admin"), ("escalated", 9, "owner")]),
        (500, [("overdue", 58, "admin"), ("escalated", 9, "owner")]),
    ],
)
def test_stages_follow_each_other(days: float, expected: list[tuple[str, float, str]]) -> None:
    assert told(days) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1.9, [("due", -1, "admin")]),
        (2, [("lapsed", 2, "admin")]),
        (9, [("lapsed", 2, "admin"), ("overdue", 9, "admin"), ("escalated", 9, "owner")]),
        (500, [("lapsed", 2, "admin"), ("overdue", 58, "admin"), ("escalated", 9, "owner")]),
    ],
)
def test_a_lapse_is_told_beside_the_stages_however_late(days: float, expected: list[tuple[str, float, str]]) -> None:
    assert told(days, replace(DUE, lapse="route")) == expected


def test_a_form_names_who_is_told_next_and_when() -> None:
    own = replace(DUE, escalate_at=AT + 3 * DAY_MS, escalate_to="privacy-officer")
    assert told(2.5, own) == [("overdue", 2, "admin")]
    assert told(3, own)[1] == ("escalated", 3, "privacy-officer")


def test_a_notice_has_one_id_until_something_changes() -> None:
    one, again = (next(notices(DUE, AT - 6 * DAY_MS + later)) for later in (0, DAY_MS))
    assert one.id("ten_1") == again.id("ten_1")
    moved = next(notices(replace(DUE, at=AT + 1), AT - 6 * DAY_MS))
    assert len({one.id("ten_1"), one.id("ten_2"), moved.id("ten_1")}) == 3
