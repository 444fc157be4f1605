"""Reviews of configuration: what is set, what changed, a second person, and nothing that anybody could make up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from house import House, Person
from register_calls import code, move, opened
from scriptless import Visit
from troth.gateway.wire.upload import Upload
from troth.governance.config_reviews import ConfigReviews
from troth.governance.moves import By
from troth.governance.prepared.configuration import SECTIONS, canonical
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import SYSTEM, within
from troth.settings.load import Settings
from troth.wiring.configuration import NETWORK, STORAGE

ROLES = frozenset({"owner"})
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
    """Somebody puts other files in the place of what the system found: nobody may, and who could is seen."""
    record = prepared(home, people["owner"])
    path = f"/v1/registers/config-reviews/{record}/files"
    kept = {one["name"]: one["id"] for one in home.ok("GET", path, people["owner"].headers)["files"]}
    found = home.call("GET", f"{path}/{kept['configuration.json']}", people["owner"].headers).json()
    assert set(found) == {"permissions", "network_rules", "storage_policies"}
    found["permissions"]["people"] = {}
    owner = people["owner"]
    assert code(home.call("DELETE", f"{path}/{kept['configuration.json']}", owner.headers)) == (403, "prepared-only")
    forged = ("configuration.json", json.dumps(found), "application/json")
    for name in kept:
        refused = home.client.post(path, headers=owner.headers, files={"file": (name, *forged[1:])})
        assert refused.json()["code"] == "prepared-only"
    note = home.client.post(path, headers=owner.headers, files={"file": ("note.txt", "Seen", "text/plain")})
    assert note.status_code == 201
    swap(home, owner, record, forged[1].encode())
    refused = home.call("GET", f"/v1/config-reviews/{record}", owner.headers)
    assert refused.json()["code"] == "register-chain"
    end(home, people, record)


def swap(home: House, who: Person, record: str, content: bytes) -> None:
    """As a server would that was changed."""
    files, by = home.system.governance.reviews.attachments, By(who.tenant, who.id, None, ROLES, "req_1", prepares=True)
    with within(SYSTEM):
        for one, _ in files.all(by, "config-reviews", record):
            if one.name == "configuration.json":
                files.detach(by, "config-reviews", record, one.id)
        upload = Upload(filename="configuration.json", media_type="application/json", content=content)
        files.attach(by, "config-reviews", record, upload)


def another_house(home: House, name: str) -> tuple[ConfigReviews, dict[str, Person]]:
    """Reviews of a tenant of the test's own, as if it were the house, so that those of the others stay as they are."""
    owner = home.tenant(name)
    analyst = home.member(owner, f"analyst@{name}.example.org", "security-analyst")
    reviews = replace(home.system.governance.reviews, house=lambda: owner.tenant)
    return reviews, {"owner": owner, "analyst": analyst}


def closed(
    home: House, reviews: ConfigReviews, people: dict[str, Person], *, forged: bytes | None = None
) -> tuple[str, Any]:
    """A review that was prepared and closed, and how much changed; `forged`: what is put in its place before."""
    owner = people["owner"]
    with within(SYSTEM):
        record = reviews.prepare(By(owner.tenant, owner.id, None, ROLES, "req_1"))
    if forged is not None:
        swap(home, owner, record.id, forged)
    wish = {"decided": record.raw["changes"], **FINDINGS}
    assert move(home, people["analyst"], f"config-reviews/{record.id}", "close", **wish).is_success
    return record.id, record.raw["changes"]


def test_a_note_on_an_old_review_does_not_make_it_the_one_to_compare_with(home: House) -> None:
    reviews, mine = another_house(home, "noted-reviews")
    first, _ = closed(home, reviews, mine)
    home.member(mine["owner"], "late@noted-reviews.example.org", "admin")
    assert closed(home, reviews, mine)[1] == 1
    note = ("note.txt", "Seen", "text/plain")
    path = f"/v1/registers/config-reviews/{first}/files"
    assert home.client.post(path, headers=mine["owner"].headers, files={"file": note}).status_code == 201
    assert closed(home, reviews, mine)[1] == 0


def test_a_forged_review_is_nothing_to_compare_with(home: House) -> None:
    """What lies with the last one that was closed is not what the system entered in it."""
    reviews, mine = another_house(home, "forged-reviews")
    closed(home, reviews, mine, forged=canonical({name: {} for name in SECTIONS}))
    with within(SYSTEM), pytest.raises(IntegrityError) as refused:
        reviews.prepare(By(mine["owner"].tenant, mine["owner"].id, None, ROLES, "req_1"))
    assert refused.value.code == "register-chain"


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
