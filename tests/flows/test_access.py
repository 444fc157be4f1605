"""Governed access through the door and on the pages: roles of one's own, more for some hours, emergencies, reviews."""

from __future__ import annotations

import csv
import io

import pytest

from flows.test_review_pages import Visit
from house import House, Person
from troth.kernel.scope import SYSTEM, within

WHY = "the month end needs it"


@pytest.fixture
def team(home: House, request: pytest.FixtureRequest) -> tuple[House, Person, Person]:
    """A tenant of its own with an owner and a member."""
    name = request.node.name.replace("_", "")[-24:].lower()
    owner = home.tenant(name)
    return home, owner, home.member(owner, f"ada@{name}.example.org")


def with_passkey(home: House, who: Person) -> Person:
    home.passkey(who)
    return who


def code(response: object) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")  # type: ignore[attr-defined]


def test_a_custom_role_is_made_given_changed_and_taken_back(team: tuple[House, Person, Person]) -> None:
    home, owner, ada = team
    assert home.call("GET", "/v1/elevations", ada.headers).status_code == 403
    made = home.ok("POST", "/v1/custom-roles", owner.headers, name="log-reader", groups=["audit"])
    home.ok("POST", f"/v1/users/{ada.id}/roles", owner.headers, role=made["id"], days=3, reason=WHY)
    assert home.call("GET", "/v1/elevations", ada.headers).status_code == 200
    held = home.ok("GET", "/v1/access", owner.headers)["grants"]
    assert [(one["name"], one["reason"]) for one in held if one["role"] == made["id"]] == [("log-reader", WHY)]
    home.ok("POST", f"/v1/custom-roles/{made['id']}", owner.headers, groups=["generate"])
    assert home.call("GET", "/v1/elevations", ada.headers).status_code == 403
    for method, path, body in (
        ("POST", "/v1/custom-roles", {"name": "mine", "groups": ["administer"]}),
        ("POST", f"/v1/custom-roles/{made['id']}", {"groups": ["audit"]}),
        ("DELETE", f"/v1/custom-roles/{made['id']}", {}),
    ):
        assert home.call(method, path, ada.headers, **body).status_code == 403
    admin = home.member(owner, f"admin-{ada.email}", "admin")
    refused = home.call("POST", "/v1/custom-roles", admin.headers, name="mine", groups=["audit"])
    assert code(refused) == (403, "owner-only")
    wrong = home.call("POST", "/v1/custom-roles", owner.headers, name="root", groups=["operate"])
    assert wrong.status_code == 422
    home.ok("DELETE", f"/v1/custom-roles/{made['id']}", owner.headers)
    assert "log-reader" not in str(home.ok("GET", "/v1/access", owner.headers))


def test_a_role_for_some_hours_on_the_pages(team: tuple[House, Person, Person]) -> None:
    home, owner, ada = team
    mine, boss = Visit(home, ada), Visit(home, owner)
    assert mine.send("/my-access", role="auditor", minutes="60", reason="x").status_code == 422
    assert mine.send("/my-access", role="auditor", minutes="60", reason=WHY).status_code == 303
    assert ("waits" in mine.see("/my-access"), WHY in boss.see("/access")) == (True, True)
    (asked,) = home.ok("GET", "/v1/elevations", owner.headers)["elevations"]
    assert boss.send(f"/access/elevations/{asked['id']}/approve", reason="").status_code == 422  # a decision says why
    assert mine.send(f"/access/elevations/{asked['id']}/approve", reason="checked").status_code == 403
    assert boss.send(f"/access/elevations/{asked['id']}/approve", reason="checked").status_code == 303
    assert "holds" in mine.see("/my-access")
    assert "Who has what" in mine.see("/access")
    assert mine.send(f"/my-access/{asked['id']}/end").status_code == 303
    response = home.call("GET", "/v1/access", ada.headers)
    assert response.status_code == 403


def test_emergency_access_is_loud_and_judged(team: tuple[House, Person, Person]) -> None:
    home, owner, ada = team
    wish = {"user_id": ada.id, "role": "owner", "days": 30, "reason": WHY}
    home.ok("POST", "/v1/emergency/people", owner.headers, **wish)
    weak = home.call("POST", "/v1/emergency/uses", ada.headers, reason="it burns")
    assert code(weak) == (403, "passkey-required")
    with_passkey(home, ada)
    assert "Emergency access was taken" not in Visit(home, owner).see("/data")
    used = home.ok("POST", "/v1/emergency/uses", ada.headers, reason="it burns", minutes=30)
    assert home.ok("GET", "/v1/users", ada.headers)["users"]
    boss = Visit(home, owner)
    assert "Emergency access was taken" in boss.see("/data")
    own = home.call(
        "POST", f"/v1/emergency/uses/{used['id']}/review", ada.headers, verdict="justified", reason="checked"
    )
    assert code(own) == (403, "own-act")
    assert boss.send(f"/access/elevations/{used['id']}/end").status_code == 303
    assert home.call("GET", "/v1/users", ada.headers).status_code == 403
    sent = boss.send(f"/access/uses/{used['id']}/review", verdict="justified", reason="checked")
    assert sent.status_code == 303
    assert "Emergency access was taken" not in boss.see("/data")
    home.system.base.sequencer.flush()
    drawn = home.ok("POST", "/v1/reviews", owner.headers)["drawn"]
    assert {one["actor"] for one in drawn if one["operation"] == "emergency.use"} == {ada.id}


def test_a_review_of_access_on_the_pages(team: tuple[House, Person, Person]) -> None:
    home, owner, ada = team
    other = home.member(owner, f"other-{ada.email}", "owner")
    boss, page = Visit(home, owner), Visit(home, other)
    assert "Begin a review now" in boss.see("/access")
    here = boss.send("/access/reviews").headers["location"]
    assert "somebody else decides" in boss.see(here)
    verdict = {"user_id": ada.id, "role": "member"}
    assert boss.send(f"{here}/verdict", **verdict, verdict="remove").status_code == 422  # says why
    assert boss.send(f"{here}/verdict", **verdict, verdict="remove", reason="no-longer-needed").status_code == 303
    own = {"user_id": owner.id, "role": "owner", "verdict": "keep", "reason": "checked"}
    assert boss.send(f"{here}/verdict", **own).status_code == 403
    assert page.send(f"{here}/verdict", **own).status_code == 303
    assert boss.send(f"{here}/closing").status_code == 409
    assert boss.send(f"{here}/verdict", **own | {"user_id": other.id}).status_code == 303
    assert boss.send(f"{here}/closing").status_code == 303
    assert home.ok("GET", "/v1/me", ada.headers)["roles"] == []
    taken = home.call("GET", f"/v1/access-reviews/{here.rpartition('/')[2]}/csv", owner.headers)
    rows = list(csv.DictReader(io.StringIO(taken.text)))
    assert {(one["user"], one["outcome"]) for one in rows} == {
        (ada.id, "removed"),
        (owner.id, "kept"),
        (other.id, "kept"),
    }
    home.system.base.sequencer.flush()
    assert "Decided whether somebody keeps a role" in boss.see("/decisions")


def test_a_leaver_and_a_mover(team: tuple[House, Person, Person]) -> None:
    home, owner, ada = team
    bob = home.member(owner, f"bob-{ada.email}")
    key = home.key_headers(ada, "own-data")
    home.ok("POST", "/v1/requests", ada.headers, kind="access", text="All of it.")
    boss = Visit(home, owner)
    assert boss.send(f"/people/{bob.id}/replace", roles="auditor", reason="rule").status_code == 303
    assert home.ok("GET", "/v1/me", bob.headers)["roles"] == ["auditor"]
    shown = boss.send(f"/people/{ada.id}/offboard", reason="contract")
    assert (shown.status_code, "1 open requests" in shown.text) == (200, True)
    for headers in (ada.headers, key):
        assert home.call("GET", "/v1/objects", headers).status_code == 401
    left = home.ok("POST", f"/v1/users/{bob.id}/offboarding", owner.headers, reason="contract")
    assert left["roles"] == ["auditor"]
    assert {one["what"]: one["count"] for one in left["left"]} == {
        "objects": 0,
        "holds": 0,
        "requests": 0,
        "service-accounts": 0,
    }
    gone = {one["user"] for one in home.ok("GET", "/v1/access", owner.headers)["grants"]}
    assert gone == {owner.id}


def test_another_tenant_and_a_security_analyst(team: tuple[House, Person, Person]) -> None:
    home, owner, ada = team
    made = home.ok("POST", "/v1/custom-roles", owner.headers, name="reader", groups=["audit"])
    asked = home.ok("POST", "/v1/elevations", ada.headers, role="auditor", reason=WHY)
    review = home.ok("POST", "/v1/access-reviews", owner.headers)["review"]["id"]
    stranger = home.tenant(f"x{owner.email[6:20].replace('.', '')}")
    for path in ("/v1/custom-roles", "/v1/elevations", "/v1/emergency", "/v1/access-reviews", "/v1/access"):
        shown = home.call("GET", path, stranger.headers).text
        assert not any(one in shown for one in (made["id"], asked["id"], review, ada.id, owner.id)), path
    for method, path, body in (
        ("DELETE", f"/v1/custom-roles/{made['id']}", {}),
        ("POST", f"/v1/elevations/{asked['id']}/approval", {"reason": "checked"}),
        ("GET", f"/v1/access-reviews/{review}", {}),
        ("GET", f"/v1/access-reviews/{review}/csv", {}),
        ("POST", f"/v1/users/{ada.id}/offboarding", {"reason": "contract"}),
    ):
        assert home.call(method, path, stranger.headers, **body).status_code == 404, path
    analyst = home.member(owner, f"analyst-{ada.email}", "security-analyst")
    for path in ("/v1/access", "/v1/elevations", "/v1/reviews", f"/v1/access-reviews/{review}"):
        assert home.call("GET", path, analyst.headers).status_code == 200, path
    assert home.call("GET", "/v1/users", analyst.headers).status_code == 403
    assert "Designate somebody" not in Visit(home, analyst).see("/access")


def test_operators_have_reviews_of_access_too(home: House) -> None:
    held = home.ok("GET", "/v1/access", home.operator)["grants"]
    assert {one["role"] for one in held} == {"operator"}
    opened = home.ok("POST", "/v1/access-reviews", home.operator)
    (mine,) = [one for one in opened["grants"] if one["mine"]]
    path = f"/v1/access-reviews/{opened['review']['id']}/grants/{mine['user']}/operator"
    own = home.call("POST", path, home.operator, verdict="keep", reason="checked")
    assert code(own) == (403, "own-grant")
    assert "Who has what" in Visit(home, home.operator).see("/access")
    with within(SYSTEM):
        assert home.system.governing.campaigns.show("operator", opened["review"]["id"])[0].state == "open"
