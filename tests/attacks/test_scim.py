"""Provisioning by somebody who means ill, or is wrong: what a provider's token reaches, and what it never does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.event import listen, remove

from house import House, Person, house
from scim_world import BASE, PATCH, USER, Provider, provider
from troth.identity.scim import people

INSIDE = re.compile(r"Traceback|sqlalchemy|sqlite|/src/|site-packages|pydantic|scim2|lark|File \"", re.IGNORECASE)
OFF, ON = ({"op": "replace", "path": "active", "value": value} for value in (False, True))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("provisioning")) as built:
        yield built


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("provisioned")


@pytest.fixture(scope="module")
def idp(home: House, owner: Person) -> Provider:
    mapping = {"Admins": "admin", "Privacy": "privacy-officer", "Auditors": "auditor"}
    return provider(home, owner, "provisioned.example.org", roles=mapping)


@pytest.fixture(scope="module")
def other(home: House) -> Provider:
    return provider(home, home.tenant("neighbour"), "neighbour.example.org")


def refused(answer: Any, status: int, scim_type: str | None = None) -> Any:
    """A refusal as RFC 7644 section 3.12 has it, with nothing of the inside."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/scim+json"
    said = answer.json()
    assert said["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert (said["status"], said.get("scimType")) == (str(status), scim_type)
    assert not INSIDE.search(answer.text)
    return said


def roles_of(home: House, owner: Person, user: str) -> set[str]:
    people = home.ok("GET", "/v1/users", owner.headers)["users"]
    return set(next(one["roles"] for one in people if one["id"] == user))


def test_a_leaver_loses_everything_at_once(home: House, owner: Person, idp: Provider) -> None:
    person = home.member(owner, f"leaver@{idp.domain}", "member", "admin")
    key = home.key_headers(person, "own-data")
    assert home.call("GET", "/v1/me", person.headers).status_code == 200
    place = f"/Users/{person.id}"
    assert idp.patch(place, OFF).status_code == 204
    assert home.call("GET", "/v1/me", person.headers).status_code == 401
    assert home.call("GET", "/v1/objects", key).status_code == 401
    assert roles_of(home, owner, person.id) == set()
    assert idp.ok("GET", place)["active"] is False
    home.system.base.sequencer.flush()  # an entry's place is given after the answer
    log = home.ok("GET", "/v1/activity", owner.headers)
    assert "user.deprovisioned" in json.dumps(log)
    assert "leaver@" not in json.dumps(log)
    assert idp.patch(place, ON).status_code == 204  # what the provider took it gives back: the account, and no session
    assert roles_of(home, owner, person.id) == {"member"}
    assert home.call("GET", "/v1/me", person.headers).status_code == 401


def test_owners_are_out_of_reach(home: House, owner: Person, idp: Provider) -> None:
    place = f"/Users/{owner.id}"
    shown = idp.ok("GET", place)
    assert idp.call("PUT", place, {**shown, "displayName": "Nobody"}).status_code == 403
    refused(idp.patch(place, OFF), 403)
    refused(idp.patch(place, {"op": "replace", "path": "userName", "value": f"mallory@{idp.domain}"}), 403)
    refused(idp.call("DELETE", place), 403)
    assert home.call("GET", "/v1/me", owner.headers).status_code == 200


def test_who_decides_is_not_shut_out_by_a_provider(home: House, owner: Person, idp: Provider) -> None:
    officer = idp.joiner("decides")["id"]
    home.ok("POST", f"/v1/users/{officer}/roles", owner.headers, role="privacy-officer")
    place = f"/Users/{officer}"
    refused(idp.patch(place, OFF), 403)
    refused(idp.call("DELETE", place), 403)
    assert roles_of(home, owner, officer) == {"member", "privacy-officer"}
    assert idp.ok("GET", place)["active"] is True


def test_a_provider_brings_a_tenant_to_so_many_people(
    home: House, owner: Person, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = len(home.ok("GET", "/v1/users", owner.headers)["users"])
    monkeypatch.setattr(people, "MOST_PEOPLE", there + 1)
    idp.joiner("the-last")
    refused(idp.call("POST", "/Users", {"schemas": [USER], "userName": f"one-more@{idp.domain}"}), 409)
    assert len(home.ok("GET", "/v1/users", owner.headers)["users"]) == there + 1


def test_nobody_is_woken_whom_a_person_disabled(home: House, owner: Person, idp: Provider) -> None:
    for first in (None, OFF):  # also not who was shut out by both
        made = idp.joiner(f"asleep-{first is None}".lower())["id"]
        if first:
            idp.patch(f"/Users/{made}", first)
        home.ok("POST", f"/v1/users/{made}/disable", owner.headers)
        refused(idp.patch(f"/Users/{made}", ON), 403)
        assert idp.ok("GET", f"/Users/{made}")["active"] is False


def test_a_deleted_person_is_nobody_and_only_they_come_back(home: House, owner: Person, idp: Provider) -> None:
    made = idp.joiner("gone", externalId="e-1", name={"givenName": "Ada"})
    place = f"/Users/{made['id']}"
    assert idp.call("DELETE", place).status_code == 204
    refused(idp.call("GET", place), 404)
    wish = {"schemas": [USER], "userName": f"gone@{idp.domain}"}
    refused(idp.call("POST", "/Users", wish), 409, "uniqueness")
    refused(idp.call("POST", "/Users", {**wish, "externalId": "e-2"}), 409, "uniqueness")
    back = idp.ok("POST", "/Users", {**wish, "externalId": "e-1"})
    assert (back["id"], back["active"]) == (made["id"], True)
    assert roles_of(home, owner, made["id"]) == {"member"}
    refused(idp.call("POST", "/Users", {**wish, "externalId": "e-1"}), 409, "uniqueness")


@pytest.mark.parametrize(
    "address", ["a@elsewhere.example.org", "a@neighbour.example.org", "no-address", "@", "a@b@c", ""]
)
def test_only_addresses_of_verified_domains(idp: Provider, other: Provider, address: str) -> None:
    refused(idp.call("POST", "/Users", {"schemas": [USER], "userName": address}), 400, "invalidValue")


def test_a_domain_that_nobody_verified_counts_for_nothing(home: House) -> None:
    hasty = provider(home, home.tenant("hasty"), "hasty.example.org", verified=False)
    refused(hasty.call("POST", "/Users", {"schemas": [USER], "userName": "a@hasty.example.org"}), 400, "invalidValue")


def test_an_account_that_was_there_keeps_its_address(home: House, owner: Person, idp: Provider) -> None:
    person = home.member(owner, f"own-way@{idp.domain}")
    change = {"op": "replace", "path": "userName", "value": f"mallory@{idp.domain}"}
    refused(idp.patch(f"/Users/{person.id}", change), 403)
    stranger = home.member(owner, "contractor@elsewhere.example.org")
    refused(idp.patch(f"/Users/{stranger.id}", OFF), 404)
    refused(idp.call("DELETE", f"/Users/{stranger.id}"), 404)
    assert home.call("GET", "/v1/me", stranger.headers).status_code == 200


def test_nothing_else_can_be_assigned(home: House, owner: Person, idp: Provider) -> None:
    more = {
        "password": "correct horse battery staple 77",
        "roles": [{"value": "owner"}],
        "groups": [{"value": "grp_x", "display": "Admins"}],
        "entitlements": ["all"],
        "id": owner.id,
        "meta": {"created": "1999-01-01T00:00:00Z"},
        "tenant": "ten_other",
        "phoneNumbers": [{"value": "+1-555"}],
    }
    made = idp.joiner("modest", **more)
    assert made["id"] != owner.id
    assert not {"password", "roles", "entitlements", "groups", "tenant", "phoneNumbers"} & set(made)
    assert roles_of(home, owner, made["id"]) == {"member"}
    answer = home.call("POST", "/v1/sessions", email=f"modest@{idp.domain}", password=more["password"])
    assert answer.status_code == 401


def test_what_belongs_to_others_is_not_there(idp: Provider, other: Provider) -> None:
    theirs = other.joiner("neighbour", externalId="n-1")["id"]
    group = other.group("Theirs", theirs)["id"]
    for method, place in (("GET", "Users"), ("DELETE", "Users"), ("GET", "Groups"), ("DELETE", "Groups")):
        refused(idp.call(method, f"/{place}/{theirs if place == 'Users' else group}"), 404)
    refused(idp.patch(f"/Users/{theirs}", OFF), 404)
    refused(idp.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": theirs}]}), 404)
    refused(idp.call("POST", "/Groups", {"displayName": "Mine", "members": [{"value": theirs}]}), 400, "invalidValue")
    for text in ('externalId eq "n-1"', f'userName eq "neighbour@{other.domain}"', f'id eq "{theirs}"'):
        assert (
            idp.home.client.get(BASE + "/Users", params={"filter": text}, headers=idp.headers).json()["totalResults"]
            == 0
        )
    assert other.ok("GET", f"/Users/{theirs}")["active"] is True


def test_groups_give_what_the_mapping_says_and_take_it_back(home: House, owner: Person, idp: Provider) -> None:
    one, two = (idp.joiner(name)["id"] for name in ("grouped-one", "grouped-two"))
    officer = idp.joiner("grouped-officer")["id"]
    home.ok("POST", f"/v1/users/{officer}/roles", owner.headers, role="privacy-officer")
    group = idp.group("Admins", one, officer)
    place = f"/Groups/{group['id']}"
    assert roles_of(home, owner, one) == {"member", "admin"}
    assert "admin" not in roles_of(home, owner, officer)  # who decides gets nothing from a provider
    idp.patch(place, {"op": "add", "path": "members", "value": [{"value": two}]})
    idp.patch(place, {"op": "remove", "path": f'members[value eq "{one}"]'})
    assert (roles_of(home, owner, one), roles_of(home, owner, two)) == ({"member"}, {"member", "admin"})
    idp.patch(place, {"op": "replace", "path": "displayName", "value": "Owners"})  # no such line in the mapping
    assert roles_of(home, owner, two) == {"member"}
    idp.patch(place, {"op": "replace", "value": {"displayName": "Privacy"}})
    assert roles_of(home, owner, two) == {"member", "privacy-officer"}  # the owner's mapping says so
    assert idp.call("DELETE", place).status_code == 204
    assert roles_of(home, owner, two) == {"member"}


def test_versions_are_kept(idp: Provider) -> None:
    made = idp.joiner("versioned")
    place, before = f"/Users/{made['id']}", made["meta"]["version"]
    assert idp.call("GET", place, if_none_match=before).status_code == 304
    assert idp.patch(place, {"op": "add", "path": "displayName", "value": "V"}, if_match=before).status_code == 204
    refused(idp.patch(place, OFF, if_match=before), 412)
    refused(idp.call("DELETE", place, if_match=before), 412)
    refused(idp.call("PUT", place, {**made, "active": False}, if_match='W/"made-up"'), 412)
    assert idp.ok("GET", place)["active"] is True


FILTERS = [
    "' or 1=1 --",
    'userName eq "x" or 1 eq 1',
    'userName eq "x"; drop table users',
    'password eq "x"',
    'userName eq "unclosed',
    "(" * 400,
    "userName " * 40,
    'meta.location co "/src/"',
    "id pr and ((((id pr",
    "\x00",
    'userName eq "' + "a" * 600 + '"',
    " or ".join(['displayName eq "a"'] * 20),
]


@pytest.mark.parametrize("text", FILTERS, ids=range(len(FILTERS)))
def test_filters_that_are_none(idp: Provider, text: str) -> None:
    for answer in (
        idp.home.client.get(BASE + "/Users", params={"filter": text}, headers=idp.headers),
        idp.call("POST", "/Users/.search", {"filter": text}),
        idp.patch("/Groups/grp_none", {"op": "remove", "path": f"members[{text}]"}),
    ):
        assert answer.status_code in (200, 400, 404, 413), answer.status_code
        assert not INSIDE.search(answer.text)
        assert "drop table" not in answer.text
        if answer.status_code == 200:
            assert answer.json()["totalResults"] == 0


BODIES = [
    b"",
    b"[]",
    b"null",
    b'"text"',
    b"{",
    b'{"userName": "a", "userName": "b"}',
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"userName": 1e999}',
    b"\xff\xfe{}",
    b"{" + b'"a": 1' + b" " * 70_000 + b"}",
    json.dumps({"schemas": [PATCH], "Operations": [{"op": "add", "path": "active", "value": True}] * 101}).encode(),
    json.dumps({"schemas": [PATCH], "Operations": [{"op": "add", "path": "a" * 2000, "value": 1}]}).encode(),
    json.dumps({"schemas": [PATCH], "Operations": [{"op": "copy", "path": "active", "value": True}]}).encode(),
    json.dumps({"schemas": [USER], "userName": "a@provisioned.example.org", "externalId": "x" * 300}).encode(),
    json.dumps({"schemas": [USER], "userName": "a@provisioned.example.org", "displayName": "a\u0000b"}).encode(),
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_bodies_that_are_none(idp: Provider, body: bytes) -> None:
    known = idp.ok("GET", "/Users?count=1").get("Resources") or [idp.joiner("somebody")]
    made = known[0]["id"]
    kind = {**idp.headers, "content-type": "application/scim+json"}
    for method, place in (("POST", "/Users"), ("PATCH", f"/Users/{made}"), ("POST", "/Groups")):
        answer = idp.home.client.request(method, BASE + place, headers=kind, content=body)
        assert answer.status_code in (400, 403, 413), (method, answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/scim+json"
        assert not INSIDE.search(answer.text)


def test_other_content_and_other_places(idp: Provider) -> None:
    xml = {**idp.headers, "content-type": "text/xml"}
    refused(idp.home.client.post(BASE + "/Users", headers=xml, content=b"<user/>"), 415)
    for place in ("/Bulk", "/Me", "/Nothing", "/Users/a/b", ""):
        refused(idp.call("POST", place, {"schemas": [USER]}), 404)
    refused(idp.call("PUT", "/Users", {"schemas": [USER]}), 405)
    refused(idp.home.client.get(BASE + "/Users?filter=a&filter=b", headers=idp.headers), 400)
    refused(idp.home.client.get(BASE + "/Schemas?filter=a", headers=idp.headers), 403)
    for odd in ("..%2fUsers", "%00", "a" * 200, "'--"):
        assert idp.call("GET", f"/Users/{odd}").status_code in (400, 404)


def test_a_token_reaches_provisioning_and_nothing_else(home: House, owner: Person, idp: Provider) -> None:
    for method, place in (("GET", "/v1/me"), ("GET", "/v1/users"), ("POST", "/v1/sessions")):
        assert home.call(method, place, idp.headers).status_code == 403, place
    for headers in (owner.headers, home.operator, home.key_headers(owner, "own-data")):
        assert home.call("GET", BASE + "/Users", headers).status_code == 403
    refused(home.call("GET", BASE + "/Users"), 401)
    admin = home.member(owner, "admin@elsewhere.example.org", "admin")
    wish = {"connection_id": idp.connection, "name": "x"}
    assert home.call("POST", "/v1/provisioning/tokens", admin.headers, **wish).status_code == 403
    for days in (0, 366, -1):
        assert home.call("POST", "/v1/provisioning/tokens", owner.headers, days=days, **wish).status_code == 422


def test_tokens_end(home: House, owner: Person, idp: Provider, other: Provider) -> None:
    tokens, wish = "/v1/provisioning/tokens", {"connection_id": idp.connection, "name": "short"}
    made = home.ok("POST", tokens, owner.headers, **wish)
    known = Provider(home, owner, idp.connection, idp.domain, made["token"], made["id"])
    assert known.call("GET", "/Users").status_code == 200
    assert made["token"] not in json.dumps(home.ok("GET", tokens, owner.headers))
    rotated = home.ok("POST", f"{tokens}/{made['id']}/rotate", owner.headers)
    refused(known.call("GET", "/Users"), 401)
    known.token = rotated["token"]
    assert known.call("GET", "/Users").status_code == 200
    for wrong in (
        known.token[:-1] + ("a" if known.token[-1] != "a" else "b"),
        known.token.replace("scim_", "scim_a"),
        "troth_scim_",
    ):
        refused(Provider(home, owner, "", "", wrong, "").call("GET", "/Users"), 401)
    assert home.call("DELETE", f"{tokens}/{made['id']}", other.owner.headers).status_code == 404
    assert home.call("POST", tokens, other.owner.headers, **wish).status_code == 404  # a connection of somebody else
    home.ok("DELETE", f"{tokens}/{made['id']}", owner.headers)
    refused(known.call("GET", "/Users"), 401)
    far = home.ok("POST", tokens, owner.headers, **wish, networks=["192.0.2.0/24"])
    refused(Provider(home, owner, "", "", far["token"], "").call("GET", "/Users"), 401)
    assert home.call("POST", tokens, owner.headers, **wish, networks=["192.0.2.1/24"]).status_code == 422
    home.ok("DELETE", f"{tokens}/{far['id']}", owner.headers)


def pushed(home: House, owner: Person, user: str) -> list[dict[str, int]]:
    """What the tenant's log says that the provider gave this person and took from them, oldest first."""
    home.system.base.sequencer.flush()
    entries = home.ok("GET", "/v1/activity", owner.headers, operation="role.pushed")["entries"]
    return [one["facts"].get("counts", {}) for one in reversed(entries) if one["facts"]["user"] == user]


def test_the_log_says_who_gained_and_lost_which_role(home: House, owner: Person, idp: Provider) -> None:
    user = idp.joiner("traced")["id"]
    group = idp.group("Admins", user)
    idp.call("DELETE", f"/Groups/{group['id']}")
    idp.patch(f"/Users/{user}", OFF)
    told = [{"gained:member": 1}, {"gained:admin": 1}, {"lost:admin": 1}, {"lost:member": 1}]
    assert pushed(home, owner, user) == told


def test_a_group_reaches_only_people_of_its_connection(home: House, owner: Person, idp: Provider) -> None:
    near, far = home.member(owner, f"near@{idp.domain}"), home.member(owner, "far@elsewhere.example.org")
    for one in (near, far, owner):
        wish = {"displayName": "Admins", "members": [{"value": one.id}]}
        refused(idp.call("POST", "/Groups", wish), 400, "invalidValue")
    assert roles_of(home, owner, near.id) == {"member"}
    refused(idp.call("GET", f"/Users/{far.id}"), 404)
    address = '/Users?filter=userName%20eq%20"{}"'
    assert idp.ok("GET", address.format(far.email))["totalResults"] == 0
    listed = {one["id"] for one in idp.ok("GET", "/Users?count=200")["Resources"]}
    assert not listed & {near.id, far.id, owner.id}
    shown = idp.ok("GET", address.format(near.email))["Resources"][0]  # by its address a provider finds who is nobody's
    idp.ok("PUT", f"/Users/{near.id}", {**shown, "externalId": "near"})  # and takes them up
    idp.group("Admins", near.id)
    assert roles_of(home, owner, near.id) == {"member", "admin"}


def test_one_person_is_read_without_everybody_in_their_groups(home: House, idp: Provider) -> None:
    user = idp.joiner("read-alone")["id"]
    idp.group("Read together", user, idp.joiner("read-beside")["id"])
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    engine = home.system.base.database.engine
    listen(engine, "before_cursor_execute", note)
    try:
        assert [one["display"] for one in idp.ok("GET", f"/Users/{user}")["groups"]] == ["Read together"]
    finally:
        remove(engine, "before_cursor_execute", note)
    theirs = [one for one in statements if "FROM scim_members" in one]
    assert theirs
    assert not [one for one in theirs if one.startswith('SELECT scim_members."group"')]  # of whole groups


def test_a_provider_joins_no_duties_that_are_held_apart(home: House, owner: Person, idp: Provider) -> None:
    role = home.ok("POST", "/v1/custom-roles", owner.headers, name="reviewer", groups=["review"])["id"]
    user = idp.joiner("apart")["id"]
    home.ok("DELETE", f"/v1/users/{user}/roles/member", owner.headers)
    home.ok("POST", f"/v1/users/{user}/roles", owner.headers, role=role)
    idp.group("Admins", user)
    assert roles_of(home, owner, user) == {role}
    home.system.base.sequencer.flush()
    entries = home.ok("GET", "/v1/activity", owner.headers, operation="role.pushed")["entries"]
    assert next(one["facts"].get("withheld") for one in entries if one["facts"]["user"] == user) == 1
