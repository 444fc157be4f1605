"""What belongs to one tenant does not exist for another: 404, never 403, and no trace in lists, logs or exports."""

from __future__ import annotations

from typing import Any

import pytest

from house import House, Person


@pytest.fixture(scope="module")
def alice(home: House) -> Person:
    return home.tenant("alpha")


@pytest.fixture(scope="module")
def mallory(home: House) -> Person:
    return home.tenant("mallet")


@pytest.fixture(scope="module")
def hers(home: House, alice: Person) -> dict[str, Any]:
    made = home.picture(alice, "a lighthouse")
    file = home.client.post(
        "/v1/files",
        headers=home.key_headers(alice, "generate"),
        files={"file": ("notes.txt", b"private notes", "text/plain")},
        data={"purpose": "user_data"},
    ).json()
    consent = home.ok("POST", "/v1/consents", alice.headers, purpose="training", notice="2026-11")
    erasure = home.ok("DELETE", f"/v1/objects/{home.picture(alice)['object']}", alice.headers)
    key = home.ok("GET", "/v1/keys", alice.headers)["keys"][0]
    return {
        "object": made["object"],
        "receipt": made["receipt"]["request_id"],
        "file": file["id"],
        "consent": consent["id"],
        "erasure": erasure["id"],
        "certificate": erasure["certificate"],
        "key": key["id"],
        "session": home.ok("GET", "/v1/sessions", alice.headers)["sessions"][0]["id"],
        "user": alice.id,
    }


PLACES = [
    ("GET", "/v1/objects/{object}"),
    ("GET", "/v1/objects/{object}/content"),
    ("DELETE", "/v1/objects/{object}"),
    ("GET", "/v1/objects/{receipt}"),
    ("GET", "/v1/receipts/{receipt}"),
    ("GET", "/v1/files/{file}"),
    ("GET", "/v1/files/{file}/content"),
    ("DELETE", "/v1/files/{file}"),
    ("DELETE", "/v1/consents/{consent}"),
    ("GET", "/v1/consents/{consent}/receipt"),
    ("GET", "/v1/erasures/{erasure}"),
    ("GET", "/v1/certificates/{certificate}"),
    ("DELETE", "/v1/keys/{key}"),
    ("DELETE", "/v1/sessions/{session}"),
]


@pytest.mark.parametrize(("method", "place"), PLACES)
def test_ids_of_another_tenant_do_not_exist(
    home: House, mallory: Person, hers: dict[str, Any], method: str, place: str
) -> None:
    response = home.call(method, place.format(**hers), mallory.headers)
    assert response.status_code == 404, response.text


@pytest.mark.parametrize(("method", "place"), [one for one in PLACES if one[0] == "GET"])
def test_the_owner_still_has_them(home: House, alice: Person, hers: dict[str, Any], method: str, place: str) -> None:
    if "objects/{receipt}" not in place:
        assert home.call(method, place.format(**hers), alice.headers).status_code == 200


def test_people_of_another_tenant_cannot_be_touched(home: House, mallory: Person, hers: dict[str, Any]) -> None:
    roles = home.call("PUT", f"/v1/users/{hers['user']}/roles/admin", mallory.headers)
    erased = home.call("POST", "/v1/erasures", mallory.headers, subject=hers["user"])
    assert roles.status_code in (404, 405)
    assert erased.status_code == 404


def test_lists_and_exports_hold_ones_own_only(home: House, mallory: Person, hers: dict[str, Any]) -> None:
    seen = [
        home.call("GET", place, mallory.headers).text
        for place in (
            "/v1/objects",
            "/v1/files",
            "/v1/consents",
            "/v1/keys",
            "/v1/sessions",
            "/v1/users",
            "/v1/activity",
        )
    ]
    archive = home.call("POST", "/v1/export", mallory.headers).content
    for identifier in hers.values():
        assert not any(identifier in text for text in seen)
        assert identifier.encode() not in archive


def test_a_person_of_the_same_tenant_cannot_open_them_either(home: House, alice: Person, hers: dict[str, Any]) -> None:
    admin = home.member(alice, "admin@alpha.example.org", "admin")
    assert home.call("GET", f"/v1/objects/{hers['object']}/content", admin.headers).status_code == 404
    assert home.call("GET", f"/v1/receipts/{hers['receipt']}", admin.headers).status_code == 404


def test_a_link_to_a_picture_is_good_for_its_tenant_only(home: House, alice: Person) -> None:
    wish = {"model": "troth-studio-1", "prompt": "a door", "size": "96x96", "response_format": "url"}
    made = home.ok("POST", "/v1/images/generations", home.key_headers(alice, "generate"), **wish)
    address = made["data"][0]["url"].partition("/v1/")[2]
    token = address.rpartition("/")[2]
    forged = token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB")
    assert home.client.get(f"/v1/{address}").status_code == 200
    assert home.client.get(f"/v1/assets/{forged}").status_code == 404
