"""Provisioning as people and providers meet it: the owner's page, and messages as Okta and Entra send them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from house import House, Person
from scim_world import BASE, PATCH, USER, Provider, provider

FORM = {"sec-fetch-site": "same-origin", "origin": "https://localhost"}
ENTRA = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("joiners")


@pytest.fixture(scope="module")
def idp(home: House, owner: Person) -> Provider:
    return provider(home, owner, "joiners.example.org", roles={"Auditors": "auditor"})


def test_the_owner_makes_a_token_on_a_page(home: House, owner: Person, idp: Provider) -> None:
    empty = home.client.get("/provisioning", headers=owner.headers)
    assert empty.status_code == 200
    form = {"connection": idp.connection, "name": "From the page", "days": "30", "networks": "192.0.2.0/24"}
    shown = home.client.post("/provisioning", headers={**owner.headers, **FORM}, data=form)
    assert shown.status_code == 200, shown.text
    found = re.search(r"troth_scim_[a-z2-7]{26}_[a-z2-7]{52}", shown.text)
    assert found
    assert f"https://localhost:8443{BASE}" in shown.text
    assert "only from 192.0.2.0/24" in shown.text
    page = home.client.get("/provisioning", headers=owner.headers).text
    assert found[0] not in page
    token = re.search(r"/provisioning/(scm_[a-z2-7]+)/revoke", page)
    assert token
    place = f"/provisioning/{token[1]}"
    again = home.client.post(f"{place}/rotate", headers={**owner.headers, **FORM})
    assert "troth_scim_" in again.text
    home.client.post(f"{place}/revoke", headers={**owner.headers, **FORM})
    assert token[1] not in home.client.get("/provisioning", headers=owner.headers).text
    wrong = home.client.post("/provisioning", headers={**owner.headers, **FORM}, data={**form, "networks": "all"})
    assert wrong.status_code == 422
    admin = home.member(owner, "admin@joiners.example.org", "admin")
    looks = home.client.get("/provisioning", headers=admin.headers).text
    assert "New token" not in looks


def test_as_okta_speaks(idp: Provider) -> None:
    address = f"okta@{idp.domain}"
    looked = idp.ok("GET", f'/Users?filter=userName%20eq%20"{address}"&startIndex=1&count=100')
    assert looked["totalResults"] == 0
    made: Any = idp.ok(
        "POST",
        "/Users",
        {
            "schemas": [USER],
            "userName": address.upper(),
            "name": {"givenName": "Ada", "familyName": "Lovelace"},
            "emails": [{"primary": True, "value": address, "type": "work"}],
            "displayName": "Ada Lovelace",
            "locale": "en-US",
            "externalId": "00ujl29u0le5T6Aj10h7",
            "groups": [],
            "password": "1mz050nq",
            "active": True,
        },
    )
    assert made["userName"] == address
    assert idp.ok("GET", f'/Users?filter=userName%20eq%20"{address}"')["Resources"][0]["id"] == made["id"]
    put = {**made, "name": {"givenName": "Augusta", "familyName": "King"}}
    assert idp.ok("PUT", f"/Users/{made['id']}", put)["name"]["familyName"] == "King"
    off = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": False}}]}
    assert idp.call("PATCH", f"/Users/{made['id']}", off).status_code in (200, 204)
    assert idp.ok("GET", f"/Users/{made['id']}")["active"] is False


def test_as_entra_speaks(idp: Provider) -> None:
    address = f"entra@{idp.domain}"
    made = idp.ok(
        "POST",
        "/Users",
        {
            "schemas": [USER, ENTRA],
            "externalId": "58342554-38d6-4ec8-948c-50044d0a33fd",
            "userName": address,
            "active": True,
            "displayName": "Grace",
            "emails": [{"primary": True, "type": "work", "value": address}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Grace Hopper", "familyName": "Hopper", "givenName": "Grace"},
            "title": "Rear admiral",
            ENTRA: {"department": "Navy"},
        },
    )
    found = idp.ok("GET", '/Users?filter=externalId%20eq%20"58342554-38d6-4ec8-948c-50044d0a33fd"')
    assert [one["id"] for one in found["Resources"]] == [made["id"]]
    changes = [
        {"op": "Replace", "path": "displayName", "value": "Grace H."},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": address},
        {"op": "Replace", "path": "name.familyName", "value": "Murray"},
        {"op": "Add", "path": f"{ENTRA}:department", "value": "Harvard"},
    ]
    assert idp.patch(f"/Users/{made['id']}", *changes).status_code == 204
    shown = idp.ok("GET", f"/Users/{made['id']}")
    assert (shown["displayName"], shown["name"]["familyName"]) == ("Grace H.", "Murray")
    group = idp.group("Auditors")
    joins = {"op": "Add", "path": "members", "value": [{"value": made["id"]}]}
    leaves = {"op": "Remove", "path": "members", "value": [{"value": made["id"]}]}
    for change, names in ((joins, ["Auditors"]), (leaves, [])):
        assert idp.patch(f"/Groups/{group['id']}", change).status_code == 204
        held = idp.ok("GET", f"/Users/{made['id']}").get("groups") or []
        assert [one["display"] for one in held] == names
    less = idp.ok("GET", f"/Groups/{group['id']}?excludedAttributes=members")
    assert "members" not in less
    assert idp.patch(f"/Users/{made['id']}", {"op": "Replace", "path": "active", "value": "False"}).status_code == 204
    assert idp.ok("GET", f"/Users/{made['id']}")["active"] is False


def test_pages_and_order(idp: Provider) -> None:
    for name in ("c", "a", "b"):
        idp.joiner(f"ordered-{name}", displayName=f"Ordered {name}")
    wanted = 'filter=displayName%20sw%20"ordered"&sortBy=displayName'
    first = idp.ok("GET", f"/Users?{wanted}&startIndex=1&count=2")
    assert [one["displayName"][-1] for one in first["Resources"]] == ["a", "b"]
    assert (first["totalResults"], first["itemsPerPage"]) == (3, 2)
    last = idp.ok("GET", f"/Users?{wanted}&startIndex=3&count=2&sortOrder=descending")
    assert [one["displayName"][-1] for one in last["Resources"]] == ["a"]
    total = idp.ok("GET", "/Users?count=0")
    assert total["totalResults"] >= 3
    assert not total.get("Resources")
    assert len(idp.ok("GET", "/Users?startIndex=2&count=1")["Resources"]) == 1
