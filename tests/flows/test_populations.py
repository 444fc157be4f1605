"""Who had to attest at a moment: everybody of then, also when people came and went since."""

from __future__ import annotations

from typing import Any

import pytest

from house import House, Person
from register_calls import code, move, opened
from troth.governance.populations import taken
from troth.kernel.scope import SYSTEM, within


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("populations")
    roles = {"admin": "admin", "analyst": "security-analyst", "ann": "member", "ben": "member", "eve": "member"}
    made = {name: home.member(owner, f"{name}@populations.example.org", role) for name, role in roles.items()}
    return {"owner": owner, **made}


def staff(home: House, people: dict[str, Person], name: str) -> str:
    wish = {"person": f"s-{name}", "account": people[name].id, "role": "Engineer", "joined_on": "2026-01-05"}
    return opened(home, people["admin"], "staff", **wish)


def in_force(home: House, people: dict[str, Person]) -> str:
    policy = opened(home, people["admin"], "policies", name="A", document="d", change="major")
    assert move(home, people["admin"], f"policies/{policy}", "propose").is_success
    dates = {"effective": "2026-01-01", "review_by": "2199-01-01"}
    assert move(home, people["owner"], f"policies/{policy}", "approve", **dates).is_success
    return policy


def asked(home: House, who: Person, policy: str, **wish: Any) -> Any:
    return home.call("GET", f"/v1/registers/policies/{policy}/populations/attest", who.headers, **wish)


def now(home: House) -> int:
    return round(home.system.base.clock.now().timestamp() * 1000)


def test_a_report_of_then_names_everybody_of_then(home: House, people: dict[str, Person]) -> None:
    ann, ben = staff(home, people, "ann"), staff(home, people, "ben")
    policy = in_force(home, people)
    act = f"/v1/registers/policies/{policy}/acts/attest"
    done = home.ok("POST", act, people["ann"].headers)["at"]
    then = now(home)
    assert move(home, people["admin"], f"staff/{ann}", "leave", left_on="2026-11-01").is_success
    over = {"access_ended": "2026-11-01", "assets_returned": "2026-11-01"}
    assert move(home, people["admin"], f"staff/{ann}", "complete", **over).is_success
    eve = staff(home, people, "eve")
    home.ok("POST", act, people["ben"].headers)
    told = asked(home, people["owner"], policy, at=then).json()
    assert [(one["member"], one["state"], one["done_at"]) for one in told["members"]] == sorted(
        [(ann, "done", done), (ben, "open", None)]
    )
    assert (told["count"], told["done"], told["over"]) == (2, 1, "staff.active")
    assert told["digest"] == taken("attest", then, [ann, ben]).digest
    today = asked(home, people["owner"], policy).json()
    assert {one["member"]: one["state"] for one in today["members"]} == {ben: "done", eve: "open"}
    first = asked(home, people["owner"], policy, limit=1).json()
    assert first["next"] == first["members"][0]["member"]
    assert len(asked(home, people["owner"], policy, limit=1, after=first["next"]).json()["members"]) == 1
    before = home.ok("GET", f"/v1/registers/policies/{policy}", people["owner"].headers)["record"]["opened_at"]
    assert code(asked(home, people["owner"], policy, at=before - 1)) == (404, "record-not-found")
    assert code(asked(home, people["owner"], policy, at=before)) == (409, "not-now")  # still a draft
    assert code(asked(home, people["owner"], policy, at=then + 10**9)) == (409, "not-now")
    assert code(asked(home, people["analyst"], policy)) == (403, "wrong-role")  # who may not read the staff
    assert asked(home, people["ben"], policy).status_code == 403
    assert code(asked(home, home.tenant("no-populations"), policy)) == (404, "record-not-found")


def test_the_log_has_each_days_population_of_the_house(home: House, people: dict[str, Person]) -> None:
    populations = home.system.governance.populations
    with within(SYSTEM):
        known = populations.registers.records(people["owner"].tenant, "policies")
    policy = next((one.id for one in known if one.state == "in-force"), None) or in_force(home, people)
    home.ok("POST", f"/v1/house/{people['owner'].tenant}", home.operator, reason="checked")
    assert populations.run() >= 1
    home.system.base.sequencer.flush()
    assert populations.run() == 0  # once a day
    log = home.ok("GET", "/v1/activity", people["owner"].headers, operation="register.counted", limit=50)["entries"]
    facts = next(one for one in log if one["facts"]["object"] == policy)
    told = asked(home, people["owner"], policy, at=facts["time"]).json()
    assert (told["digest"], told["count"]) == (facts["facts"]["digest"], facts["facts"]["count"])
    assert facts["facts"]["population"] == "attest"
