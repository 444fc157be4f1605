"""Legal times of the shipped forms, by dates worked out by hand from the texts.

17 U.S.C. 512(g)(2)(C): what was taken down comes back 10 to 14 business days after a counter-notice, unless a suit is
told of. Reg. (EEC, Euratom) 1182/71 Art. 3(2)(c), (4): a month from 31 January ends with the last day of February, and
on the next working day when that is none. Days off of the United States in November 2026: 11 (Veterans Day) and 26.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from register_forms import look
from troth.governance.clocks import running
from troth.governance.forms.reading import shipped
from troth.governance.moves import By, Wish, moved, opening
from troth.governance.records import Event, fold
from troth.kernel.errors import Conflict, Invalid
from troth.vault.rights.clocks import Calendar, Kind, Law, calendar_of, terms

DMCA = shipped()["dmca"]
OWNER = By("ten_1", "usr_1", "usr_1", frozenset({"owner"}), "req_1")
SIX = {
    "work": "A song", "complainant": "A house", "contact": "By mail", "signed": True, "good_faith": True,
    "under_penalty": True,
}  # fmt: skip
COUNTER = {"poster": "usr_9", "counter_signed": True, "counter_address": True, "counter_penalty": True}
DISABLED, COUNTERED = "2026-11-02T15:00", "2026-11-13T15:00"


def history(*steps: tuple[str, str, dict[str, Any]]) -> list[Event]:
    events = [opening(DMCA, "rec_1", Wish({"material": "/a"}, b""), OWNER, look("2026-11-02T09:00"))]
    for at, name, values in steps:
        events.append(moved(DMCA, fold(DMCA, events), name, Wish(values, b""), OWNER, look=look(at)))
    return events


def after_counter(at: str, name: str, **values: Any) -> list[Event]:
    return history((DISABLED, "disable", SIX), (COUNTERED, "counter", COUNTER), (at, name, values))


@pytest.mark.parametrize("element", SIX)
def test_a_notice_without_one_of_its_elements_takes_nothing_down(element: str) -> None:
    with pytest.raises((Invalid, Conflict)):
        history((DISABLED, "disable", SIX | {element: None if element[0] in "wc" else False}))
    asked = history(("2026-11-02T12:00", "ask", {"missing": element}))
    assert fold(DMCA, asked).state == "asked"


@pytest.mark.parametrize("element", [name for name in COUNTER if name != "poster"])
def test_a_counter_notice_without_one_of_its_elements_starts_no_clock(element: str) -> None:
    with pytest.raises((Invalid, Conflict)):
        history((DISABLED, "disable", SIX), (COUNTERED, "counter", COUNTER | {element: False}))


def test_what_was_taken_down_comes_back_in_the_window_over_thanksgiving_and_not_before() -> None:
    # Counter-notice on Friday, 13 November 2026. Working days after it: 16 to 20, 23, 24, 25, (26 off), 27, 30.
    # The tenth has ended in Hawaii on 1 December, 10:00 UTC. The upper bound counts days off as worked: the fourteenth
    # is Thursday, 3 December, which has ended in the east on 4 December, 04:00 UTC.
    with pytest.raises(Conflict) as early:
        after_counter("2026-12-01T09:59", "restore")
    assert early.value.code == "not-now"
    back = fold(DMCA, after_counter("2026-12-01T10:00", "restore"))
    assert back.state == "restored"
    (window,) = (one for one in running(DMCA, back, look("2026-12-20T00:00")) if one.name == "window")
    assert (window.early, window.late) == (False, False)
    late = fold(DMCA, after_counter("2026-12-04T04:00", "restore"))
    assert [one.late for one in running(DMCA, late, look("2026-12-20T00:00")) if one.name == "window"] == [True]


def test_a_suit_keeps_it_down_at_any_time() -> None:
    assert fold(DMCA, after_counter("2026-11-16T10:00", "suit", court="S.D.N.Y. 1")).state == "stays-off"
    with pytest.raises((Invalid, Conflict)):
        after_counter("2026-11-16T10:00", "suit")


@pytest.mark.parametrize(
    ("received", "answer", "longest"),
    [
        (date(2026, 1, 31), date(2026, 3, 2), date(2026, 4, 30)),  # 28 February 2026 is a Saturday
        (date(2028, 1, 31), date(2028, 2, 29), date(2028, 5, 1)),  # 30 April 2028 is a Sunday
        (date(2027, 1, 31), date(2027, 3, 1), date(2027, 4, 30)),  # 28 February 2027 is a Sunday
    ],
)
def test_a_request_of_31_january(received: date, answer: date, longest: date) -> None:
    found = terms(Law.GDPR, Kind.ACCESS, received, calendar_of("eu"))
    assert (found.answer, found.longest) == (answer, longest)


def test_days_off_lengthen_no_short_time_of_california() -> None:
    """Ten business days to confirm: days off that are not named leave the stricter end."""
    off = Calendar(holidays=frozenset({date(2026, 11, 26)}))
    assert terms(Law.CCPA, Kind.ACCESS, date(2026, 11, 16), Calendar()).confirm == date(2026, 11, 30)
    assert terms(Law.CCPA, Kind.ACCESS, date(2026, 11, 16), off).confirm == date(2026, 12, 1)
