"""The auditor's room: what is inside is read, all else is refused, and each reading stands in the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from house import House, Person
from register_calls import code, move, opened
from troth.governance.room.rooms import lasting

INSIDE, OUTSIDE = "GOV-22", "CRY-01"
TODAY = datetime.now(UTC).date()


def days(number: int) -> str:
    return (TODAY + timedelta(days=number)).isoformat()


WISH: dict[str, Any] = {
    "name": "Second half",
    "of_promises": [INSIDE],
    "of_registers": ["lessons"],
    "period_from": days(-30),
    "period_to": days(0),
    "until": days(30),
}
LESSON = {"name": "Drill again", "from_what": "drill", "answers": "p-9", "due_on": "2199-01-01"}


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("roomy")
    roles = {"auditor": "auditor", "other": "auditor", "member": "member", "alone": "room-auditor"}
    made = {name: home.member(owner, f"{name}@roomy.example.org", role) for name, role in roles.items()}
    return {"owner": owner, "stranger": home.tenant("elsewhere"), **made}


@pytest.fixture(scope="module")
def looked(home: House) -> str:
    """A check of the promise inside, which ran once."""
    runner = home.installation.troth.runner
    check = next(one for one in runner.checks if INSIDE in one.promises)
    runner.run(check)
    return str(check.id)


@pytest.fixture
def room(home: House, people: dict[str, Person]) -> str:
    return opened(home, people["owner"], "rooms", auditor=people["auditor"].id, **WISH)


def read(home: House, who: Person, place: str, **query: Any) -> Any:
    return home.call("GET", f"/v1/rooms/{place}", who.headers, **query)


def test_an_auditor_reads_what_is_inside(home: House, people: dict[str, Person], room: str, looked: str) -> None:
    lesson = opened(home, people["owner"], "lessons", **LESSON)
    assert room in [one["id"] for one in home.ok("GET", "/v1/rooms", people["auditor"].headers)["rooms"]]
    shown = read(home, people["auditor"], room).json()
    assert [(one["promise"], looked in one["checks"]) for one in shown["promises"]] == [(INSIDE, True)]
    runs = read(home, people["auditor"], f"{room}/checks/{looked}/runs").json()["runs"]
    assert runs[-1]["control"] == "fail"
    assert len(runs[-1]["link"]) == 64
    home.system.base.sequencer.flush()
    proven = read(home, people["auditor"], f"{room}/checks/{looked}/runs/{runs[-1]['sequence']}/proof").json()
    told = json.loads(proven["leaf"])
    assert (told["request"], told["facts"]["link"]) == (runs[-1]["record"], runs[-1]["link"])
    assert proven["proof"].startswith("c2sp.org/tlog-proof@v1")
    records = read(home, people["auditor"], f"{room}/registers/lessons").json()["records"]
    assert [one["values"]["name"] for one in records if one["id"] == lesson] == ["Drill again"]


def test_what_is_outside_is_refused(home: House, people: dict[str, Person], room: str, looked: str) -> None:
    auditor = people["auditor"]
    runner = home.installation.troth.runner
    other = next(one.id for one in runner.checks if OUTSIDE in one.promises and INSIDE not in one.promises)
    asked = {"promise": OUTSIDE, "question": "And this one?"}
    drawn = {"nonce": "a-nonce-of-mine", "size": 3}
    outside = (
        read(home, auditor, f"{room}/checks/{other}/runs"),
        read(home, auditor, f"{room}/checks/no-such-check/runs"),
        read(home, auditor, f"{room}/checks/{looked}/runs", **{"from": days(-31)}),
        read(home, auditor, f"{room}/checks/{looked}/runs", to=days(1)),
        read(home, auditor, f"{room}/checks/{looked}/runs", **{"from": days(0), "to": days(-1)}),
        read(home, auditor, f"{room}/checks/{other}/runs/1/proof"),
        read(home, auditor, f"{room}/registers/risks"),
        home.call("POST", f"/v1/rooms/{room}/checks/{other}/samples", auditor.headers, **drawn),
        home.call("POST", f"/v1/rooms/{room}/questions", auditor.headers, **asked),
    )
    assert {code(one) for one in outside} == {(403, "outside-room")}
    assert code(read(home, auditor, f"{room}/checks/{looked}/runs/999999/proof")) == (404, "run-not-found")


def test_nobody_else_enters(home: House, people: dict[str, Person], room: str) -> None:
    for who in ("other", "owner", "stranger"):
        assert code(read(home, people[who], room)) == (404, "room-not-found"), who
        assert room not in [one["id"] for one in home.ok("GET", "/v1/rooms", people[who].headers)["rooms"]]
    assert read(home, people["member"], room).status_code == 403
    assert home.call("GET", f"/v1/rooms/{room}").status_code == 401


def test_an_auditor_changes_nothing(home: House, people: dict[str, Person], room: str) -> None:
    auditor = people["auditor"]
    writes = (
        home.call("POST", "/v1/registers/rooms", auditor.headers, values={"auditor": auditor.id, **WISH}),
        home.call("POST", "/v1/registers/lessons", auditor.headers, values=LESSON),
        move(home, auditor, f"rooms/{room}", "close", reason="mine"),
        home.call("GET", "/v1/registers/lessons", auditor.headers),
    )
    assert {one.status_code for one in writes} == {403}


def test_it_is_over_once_it_is_closed(home: House, people: dict[str, Person], room: str) -> None:
    assert move(home, people["owner"], f"rooms/{room}", "close", reason="The audit is done.").is_success
    assert code(read(home, people["auditor"], room)) == (403, "room-over")


def test_nobody_opens_a_room_for_themselves(home: House, people: dict[str, Person]) -> None:
    both = home.member(people["owner"], "both@roomy.example.org", "admin", "auditor")
    room = opened(home, both, "rooms", auditor=both.id, **WISH)
    assert code(read(home, both, room)) == (403, "room-over")
    assert room not in [one["id"] for one in home.ok("GET", "/v1/rooms", both.headers)["rooms"]]


def test_a_question_is_answered_and_a_finding_needs_an_action(
    home: House, people: dict[str, Person], room: str
) -> None:
    auditor, owner = people["auditor"], people["owner"]
    asked = {"promise": INSIDE, "question": "Who reads the list?"}
    question = home.ok("POST", f"/v1/rooms/{room}/questions", auditor.headers, **asked)["id"]
    found = {"kind": "finding", "question": "It was read late."}
    finding = home.ok("POST", f"/v1/rooms/{room}/questions", auditor.headers, **found)["id"]
    assert move(home, owner, f"room-questions/{question}", "answer", answer="The officer.").is_success
    assert code(move(home, owner, f"room-questions/{finding}", "answer", answer="Yes.")) == (409, "not-now")
    action = {"answer": "Yes.", "actions": [opened(home, owner, "lessons", **LESSON)]}
    assert move(home, owner, f"room-questions/{finding}", "answer", **action).is_success
    told = {one["id"]: one for one in read(home, auditor, room).json()["questions"]}
    assert told[question]["values"]["answer"] == "The officer."
    assert told[finding]["state"] == "answered"


def test_each_reading_stands_in_the_log(home: House, people: dict[str, Person], room: str, looked: str) -> None:
    auditor = people["auditor"]
    read(home, auditor, room)
    read(home, auditor, f"{room}/checks/{looked}/runs")
    read(home, auditor, f"{room}/registers/risks")
    home.system.base.sequencer.flush(auditor.tenant)
    entries = home.ok("GET", "/v1/activity", people["auditor"].headers)["entries"]
    told = [(one["operation"], one["outcome"]) for one in entries if one["operation"].startswith("room.")]
    assert {("room.show", "done"), ("room.runs", "done"), ("room.records", "refused")} <= set(told)


def test_oscal_is_for_auditors(home: House, people: dict[str, Person]) -> None:
    assert home.call("GET", "/v1/oscal", people["member"].headers).status_code == 403
    made = home.ok("GET", "/v1/oscal", people["auditor"].headers)["documents"]
    assert len(made) == 8


def test_who_has_the_room_alone_reads_that_and_nothing_else(home: House, people: dict[str, Person]) -> None:
    """Everything outside is refused by the policies, inside the room decides as for every auditor."""
    alone, mine = people["alone"], opened(home, people["owner"], "rooms", auditor=people["alone"].id, **WISH)
    theirs = opened(home, people["owner"], "rooms", auditor=people["auditor"].id, **WISH)
    assert [one["id"] for one in home.ok("GET", "/v1/rooms", alone.headers)["rooms"]] == [mine]
    assert read(home, alone, mine).is_success
    assert code(read(home, alone, theirs)) == (404, "room-not-found")
    wish = {"from": days(-2), "to": days(-1)}
    outside = (
        home.call("GET", "/v1/activity", alone.headers), home.call("GET", "/v1/oscal", alone.headers),
        home.call("POST", "/v1/period-reports", alone.headers, **wish), home.call("GET", "/v1/objects", alone.headers),
        home.call("GET", "/v1/registers/room-questions", alone.headers), home.call("GET", "/v1/users", alone.headers),
        home.call("POST", "/v1/chat/completions", alone.headers, model="troth-echo-1", messages=[]),
    )  # fmt: skip
    assert {one.status_code for one in outside} == {403}


def test_nobody_asks_in_the_room_of_somebody_else(home: House, people: dict[str, Person], room: str) -> None:
    both = home.member(people["owner"], "two-hats@roomy.example.org", "admin", "auditor")
    wish = {"room": room, "kind": "question", "question": "In the name of another?"}
    assert code(home.call("POST", "/v1/registers/room-questions", both.headers, values=wish)) == (403, "wrong-role")
    asked = home.call("POST", f"/v1/rooms/{room}/questions", both.headers, question="By the door?")
    assert code(asked) == (404, "room-not-found")


def test_the_role_ends_with_the_last_room(home: House, people: dict[str, Person]) -> None:
    """Before the first room it lasts as it was given; then as long as a room, and not past the closing of the last."""
    owner, auditors = people["owner"], home.system.identity.auditors
    guest = home.member(owner, "guest@roomy.example.org", "room-auditor")

    def until() -> list[int]:
        auditors.end_with_rooms(lambda tenant: lasting(home.system.governance.registers, tenant))
        return [one.expires_at for one in home.system.identity.roles.of(guest.id) if one.role == "room-auditor"]

    given = until()
    room = opened(home, owner, "rooms", auditor=guest.id, **WISH)
    ends = datetime.fromisoformat(days(31)).replace(tzinfo=UTC)
    assert (len(given), until()) == (1, [int(ends.timestamp() * 1000)])
    assert given > until()
    assert home.ok("GET", "/v1/rooms", guest.headers)["rooms"]
    assert move(home, owner, f"rooms/{room}", "close", reason="The audit is done.").is_success
    assert until() == []
    auditors.sweep()
    assert home.call("GET", "/v1/rooms", guest.headers).status_code == 401
    again = {"role": "room-auditor", "days": 60, "reason": "the next audit"}
    assert home.call("POST", f"/v1/users/{guest.id}/roles", owner.headers, **again).is_success
    assert len(until()) == 1  # the room of before counts against no role that was given after it
    opened(home, owner, "rooms", auditor=guest.id, **WISH)
    assert until() == [int(ends.timestamp() * 1000)]


def test_what_is_taken_along_tells_of_the_room_alone(home: House, people: dict[str, Person], room: str) -> None:
    """A period that is not closed yet is refused; the whole report needs the word of the house."""
    auditor = people["auditor"]
    assert code(read(home, auditor, f"{room}/reports/bundle")) == (403, "outside-room")
    assert code(read(home, auditor, f"{room}/reports/oscal")) == (409, "period-open")
    assert read(home, auditor, f"{room}/reports/everything").status_code == 422
    whole = opened(home, people["owner"], "rooms", auditor=auditor.id, **WISH, bundle=True)
    assert code(read(home, auditor, f"{whole}/reports/bundle")) == (409, "period-open")
