"""Reviews of configuration: what is set, what changed, a second person, and nothing that anybody could make up."""

from __future__ import annotations

import json

import pytest

from house import House, Person
from register_calls import code, move, opened
from scriptless import Visit
from troth.kernel.scope import SYSTEM, within
from troth.settings.load import Settings
from troth.wiring.configuration import NETWORK, STORAGE

FINDINGS = {"findings": "Nothing that should not be"}


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("config-reviews")
    made = {name: home.member(owner, f"{name}@config-reviews.example.org", role) for name, role in (
        ("second", "owner"), ("analyst", "security-analyst"), ("officer", "privacy-officer"),
    )}  # fmt: skip
    home.ok("POST", f"/v1/house/{owner.tenant}", home.operator, reason="checked")
    return {"owner": owner, **made}


def prepared(home: House, who: Person) -> str:
    return str(home.ok("POST", "/v1/config-reviews", who.headers)["id"])


def end(home: House, people: dict[str, Person], record: str) -> None:
    reason = {"reason": "not wanted"}
    assert move(home, people["owner"], f"config-reviews/{record}", "void", **reason).is_success


def test_a_review_from_its_preparation_to_its_end(home: House, people: dict[str, Person]) -> None:
    """The system prepares, a person closes; the next one says what changed since, and not what stayed."""
    reviews = home.system.governance.reviews
    assert reviews.run() is True
    assert reviews.run() is False  # one for a quarter
    first = home.ok("GET", "/v1/registers/config-reviews", people["owner"].headers)["records"][0]
    told = home.ok("GET", f"/v1/config-reviews/{first['id']}", people["officer"].headers)
    assert told["count"] == first["values"]["changes"] > 50
    assert {one["before"] for one in told["changes"]} == {None}
    place = f"config-reviews/{first['id']}"
    wish = {"decided": told["count"], **FINDINGS}
    assert move(home, people["analyst"], place, "close", **wish | {"decided": 1}).status_code == 409
    assert move(home, people["analyst"], place, "close", **wish).json()["state"] == "closed"
    reached = home.member(people["owner"], "reached@config-reviews.example.org", "admin")
    second = prepared(home, people["owner"])
    after = home.ok("GET", f"/v1/config-reviews/{second}", people["owner"].headers)
    assert [(one["section"], one["path"], one["before"], one["after"]) for one in after["changes"]] == [
        ("permissions", f"people.{reached.id}", None, '["admin"]')
    ]
    page = Visit(home, people["officer"].headers).see(f"/registers/config-reviews/{second}/changes")
    assert reached.id in page
    assert f"/registers/config-reviews/{second}/changes" in Visit(home, people["officer"].headers).see(
        f"/registers/config-reviews/{second}"
    )
    place = f"config-reviews/{second}"
    assert move(home, people["second"], place, "decide", decided=1).is_success
    closing = {"findings": "A new admin"}
    for who in ("owner", "second"):  # who prepared, and who decided
        assert code(move(home, people[who], place, "close", **closing)) == (403, "own-move")
    assert move(home, people["analyst"], place, "close", **closing).is_success


def test_nobody_enters_what_the_system_finds(home: House, people: dict[str, Person]) -> None:
    digests = dict.fromkeys(("permissions", "network_rules", "storage_policies"), "0" * 64)
    wish = {**digests, "changes": 0}
    refused = home.call("POST", "/v1/registers/config-reviews", people["owner"].headers, values=wish)
    assert code(refused) == (422, "bad-field")
    record = opened(home, people["owner"], "config-reviews")
    assert code(move(home, people["owner"], f"config-reviews/{record}", "snapshot", **wish)) == (403, "prepared-only")
    shown = home.ok("GET", f"/v1/registers/config-reviews/{record}", people["owner"].headers)
    assert "snapshot" not in shown["moves"]
    closing = {"decided": 0, **FINDINGS}
    assert move(home, people["analyst"], f"config-reviews/{record}", "close", **closing).status_code == 422
    assert code(home.call("GET", f"/v1/config-reviews/{record}", people["owner"].headers)) == (409, "not-now")
    assert prepared(home, people["analyst"]) == record  # the one that somebody opened
    assert code(home.call("POST", "/v1/config-reviews", people["owner"].headers)) == (409, "already-prepared")
    end(home, people, record)


def test_files_of_other_content_are_seen(home: House, people: dict[str, Person]) -> None:
    """Somebody puts other files in the place of what the system found."""
    record = prepared(home, people["owner"])
    path = f"/v1/registers/config-reviews/{record}/files"
    kept = {one["name"]: one["id"] for one in home.ok("GET", path, people["owner"].headers)["files"]}
    found = home.call("GET", f"{path}/{kept['configuration.json']}", people["owner"].headers).json()
    assert set(found) == {"permissions", "network_rules", "storage_policies"}
    found["permissions"]["people"] = {}
    assert home.call("DELETE", f"{path}/{kept['configuration.json']}", people["owner"].headers).is_success
    forged = ("configuration.json", json.dumps(found), "application/json")
    assert home.client.post(path, headers=people["owner"].headers, files={"file": forged}).status_code == 201
    refused = home.call("GET", f"/v1/config-reviews/{record}", people["owner"].headers)
    assert refused.json()["code"] == "register-chain"
    end(home, people, record)


def test_another_tenant_has_none_of_it(home: House, people: dict[str, Person]) -> None:
    record = prepared(home, people["owner"])
    there = home.tenant("no-config-reviews")
    assert code(home.call("POST", "/v1/config-reviews", there.headers)) == (409, "not-the-house")
    assert code(home.call("GET", f"/v1/config-reviews/{record}", there.headers)) == (409, "not-the-house")
    end(home, people, record)
    assert home.call("POST", "/v1/config-reviews", people["officer"].headers).status_code == 403  # no move of theirs


def test_every_section_of_the_settings_is_reviewed_and_no_secret_is_shown(
    home: House, people: dict[str, Person]
) -> None:
    assert sorted((*NETWORK, *STORAGE)) == sorted(Settings.model_fields)
    with within(SYSTEM):
        told = json.dumps(home.system.governance.reviews.look(people["owner"].tenant))
    assert '"relay_password": null' in told
    assert people["owner"].email not in told
