"""The calendar from the door on: what registers and other rooms keep with an end, for those who may read it."""

from __future__ import annotations

import pytest

from house import House, Person
from register_calls import opened
from scriptless import Visit

LATE = {"name": "A fire", "touches": "A"}  # nobody said when it is looked at again: that is due at once


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("calendar")
    roles = {"officer": "privacy-officer", "analyst": "security-analyst", "member": "member"}
    made = {name: home.member(owner, f"{name}@calendar.example.org", role) for name, role in roles.items()}
    return {"owner": owner, **made}


def test_registers_and_rooms_stand_in_one_list(home: House, people: dict[str, Person]) -> None:
    late = opened(home, people["owner"], "risks", **LATE)
    home.ok("POST", "/v1/requests", people["member"].headers, kind="access")
    found = home.ok("GET", "/v1/calendar", people["owner"].headers, days=400)
    rooms = {one["form"] for one in found["dues"]}
    assert {"risks", "requests", "access-reviews", "keys"} <= rooms
    assert (found["unjudged"], found["overdue"] >= 1) == ([], True)
    states = [one["state"] for one in found["dues"]]
    assert sorted(states, key=["lapsed", "overdue", "due", "soon", "later"].index) == states
    assert late in {one["record"] for one in found["dues"] if one["state"] == "overdue"}
    assert len(found["weeks"]) == 13
    short = home.ok("GET", "/v1/calendar", people["owner"].headers, limit=1)
    assert (len(short["dues"]), short["more"]) == (1, True)


def test_each_sees_what_their_role_reads(home: House, people: dict[str, Person]) -> None:
    home.ok("POST", "/v1/requests", people["member"].headers, kind="portability")

    def rooms(who: str) -> set[str]:
        return {one["form"] for one in home.ok("GET", "/v1/calendar", people[who].headers, days=800)["dues"]}

    assert "requests" in rooms("officer")
    assert "requests" not in rooms("analyst")
    assert "keys" not in rooms("officer")
    assert home.call("GET", "/v1/calendar", people["member"].headers).status_code == 403
    assert home.call("GET", "/v1/calendar").status_code == 401
    assert home.call("GET", "/v1/calendar", people["owner"].headers, days=801).status_code == 422


def test_another_tenant_sees_its_own(home: House, people: dict[str, Person]) -> None:
    late = opened(home, people["owner"], "risks", **LATE)
    request = home.ok("POST", "/v1/requests", people["member"].headers, kind="objection", purpose="analytics")["id"]
    found = home.ok("GET", "/v1/calendar", home.tenant("calendar-there").headers, days=800)
    assert not {late, request} & {one["record"] for one in found["dues"]}


def test_the_page_says_overdue_in_words(home: House, people: dict[str, Person]) -> None:
    late = opened(home, people["owner"], "risks", **LATE)
    seen = Visit(home, people["owner"].headers).see("/calendar")
    assert f"/registers/risks/{late}" in seen
    assert 'class="state broken">overdue' in seen
    assert "<svg" in seen
    assert "<script" not in seen
    officers = Visit(home, people["officer"].headers).see("/calendar")
    assert "Keys of the service" not in officers
