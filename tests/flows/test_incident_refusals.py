"""What the form of incidents refuses: a step left out, a notice to nobody, a closing without report and measures."""

from __future__ import annotations

from typing import Any

import pytest

from register_forms import look, record
from troth.governance.forms.reading import shipped
from troth.governance.moves import By, Wish, moved
from troth.governance.records import Event, Record
from troth.governance.standing import wrong
from troth.kernel.errors import TrothError

FORM = shipped()["incidents"]
BY = By("ten_1", "usr_2", "usr_2", frozenset({"owner"}), "req_1")
AT = "2026-03-01T10:00"
KNOWN: dict[str, Any] = {
    "name": "A mailbox was read", "severity": "s2", "aware": "2026-02-28T10:00:00Z", "touches": ["C"],
    "personal_data": True, "risk": "high-risk", "client_facing": False,
}  # fmt: skip
LIST = {"affected": 2, "affected_list": "0" * 64}


def incident(state: str, **values: Any) -> Record:
    return record(FORM, state, did={"assess": "2026-02-28T11:00"}, **KNOWN, **values)


def move(on: Record, name: str, **values: Any) -> Event:
    return moved(FORM, on, name, Wish(values, b"s" * 32), BY, look=look(AT))


def refused(on: Record, name: str, **values: Any) -> str:
    with pytest.raises(TrothError) as error:
        move(on, name, **values)
    return error.value.code


@pytest.mark.parametrize(
    ("state", "name"),
    [("detected", "respond"), ("detected", "learn"), ("assessed", "learn"), ("responding", "close"),
     ("detected", "close"), ("closed", "respond")],
)  # fmt: skip
def test_no_phase_is_left_out(state: str, name: str) -> None:
    assert refused(incident(state, **LIST), name) == "not-now"


def test_nobody_responds_or_tells_without_knowing_who_is_affected() -> None:
    assert refused(incident("assessed"), "respond") == "move-needs"
    assert refused(incident("responding"), "tell-people") == "move-needs"
    assert move(incident("responding"), "tell-people", **LIST).move == "tell-people"


def test_the_authority_is_told_with_a_reference_and_late_only_with_a_reason() -> None:
    assert refused(incident("assessed"), "tell-authority") == "move-needs"
    told = incident("responding", **LIST)
    days = {1: set(), 4: {"clock-authority", "clock-people"}}
    for day, broken in days.items():
        found = {one.what for one in wrong(FORM, told, (), look(f"2026-03-0{day}T09:00"))}
        assert {one for one in found if one.startswith("clock-")} == broken
    done = {"tell-authority": "2026-03-04T09:00", "assess": "2026-02-28T11:00"}
    for reason, broken in ((None, True), ("Found in a copy", False)):
        late = record(FORM, "responding", did=done, late_reason=reason, **KNOWN, **LIST)
        what = {each.what for each in wrong(FORM, late, (), look("2026-03-04T10:00"))}
        assert ("clock-authority" in what) is broken


def test_an_incident_is_not_closed_without_report_measures_and_a_reviewer() -> None:
    whole = {"report": "obj_1", "measures": ["rec_1"], "cause": "A password"}
    learning = incident("learning", evidence=["obj_2"], **LIST)
    for missing in whole:
        assert (
            refused(learning, "close", **{name: one for name, one in whole.items() if name != missing}) == "move-needs"
        )
    assert refused(learning, "close", **whole) == "not-now", "nobody reviewed it"
    reviewed = incident("learning", evidence=["obj_2"], reviewer="usr_3", **whole, **LIST)
    assert move(reviewed, "close").state == "closed"
