"""Objects of several people through every door: who may share, who is told, who may end it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from house import House, Person


def page(home: House, who: Person, path: str, **fields: str) -> Any:
    """A page of the portal, or a form sent from it."""
    cookie = f"__Host-sid={who.headers['authorization'].partition(' ')[2]}"
    headers = {"cookie": cookie, "sec-fetch-site": "same-origin"}
    if not fields:
        return home.client.get(path, headers=headers)
    return home.client.post(path, headers=headers, data=fields, follow_redirects=False)


def upload(home: House, who: Person, content: bytes = b"our holiday plan") -> str:
    headers = home.key_headers(who, "generate", "own-data")
    sent = {"file": ("plan.txt", content, "text/plain")}
    made = home.client.post("/v1/files", headers=headers, files=sent, data={"purpose": "user_data"})
    assert made.status_code == 200, made.text
    (kept,) = home.ok("GET", "/v1/objects", who.headers)["objects"]
    return str(kept["id"])


@pytest.fixture(scope="module")
def trio(home: House) -> tuple[Person, Person, Person]:
    ann = home.tenant("sharing")
    return ann, home.member(ann, "bob@sharing.example.org"), home.member(ann, "cal@sharing.example.org")


def test_from_sharing_to_the_last_owner(home: House, trio: tuple[Person, Person, Person]) -> None:
    ann, bob, cal = trio
    kept = upload(home, ann)
    place = f"/v1/objects/{kept}"
    people = home.ok("POST", f"{place}/owners", ann.headers, person=bob.email)
    assert {(one["id"], one["me"]) for one in people["owners"]} == {(ann.id, True), (bob.id, False)}
    assert home.call("GET", f"{place}/content", bob.headers).content == b"our holiday plan"
    assert [one["id"] for one in people["owners"] if one["keeper"]] == [ann.id]
    accomplice = home.call("POST", f"{place}/shown", bob.headers, person=cal.email)
    assert (accomplice.status_code, accomplice.json()["code"]) == (403, "keeper-only")
    home.ok("POST", f"{place}/shown", ann.headers, person=cal.email)

    (depiction,) = home.ok("GET", "/v1/depictions", cal.headers)["depictions"]
    assert depiction["object"] == kept
    assert "plan" not in json.dumps(depiction)
    for path in (place, f"{place}/content", f"{place}/people"):
        assert home.call("GET", path, cal.headers).status_code == 404
    home.ok("POST", "/v1/processing/restriction", cal.headers, reason="accuracy-contested")
    assert home.call("GET", f"{place}/content", ann.headers).json()["code"] == "restricted"
    shown = home.ok("GET", place, ann.headers)
    assert (shown["usable"], shown["name"]) == (False, "plan.txt")
    home.ok("DELETE", "/v1/processing/restriction", cal.headers)
    home.ok("POST", f"/v1/depictions/{kept}/denial", cal.headers)

    home.ok("POST", f"{place}/leave", ann.headers)
    assert home.call("GET", place, ann.headers).status_code == 404
    last = home.call("POST", f"{place}/leave", bob.headers)
    assert (last.status_code, last.json()["code"]) == (409, "last-owner")
    assert home.ok("DELETE", place, bob.headers)["certificate"]
    events = [one["operation"] for one in home.ok("GET", "/v1/activity", ann.headers)["entries"]]
    assert {"object.share", "object.leave"} <= set(events)


def test_pages_share_name_refuse_and_leave(home: House, trio: tuple[Person, Person, Person]) -> None:
    ann, bob, cal = trio
    kept = upload(home, ann, b"a picture of Cal")
    place = f"/data/{kept}"
    refused = page(home, ann, f"{place}/owners", person="nobody@sharing.example.org")
    assert refused.status_code == 404
    assert "no such person" in refused.text
    assert page(home, ann, f"{place}/owners", person=bob.email).status_code == 303
    assert page(home, ann, f"{place}/shown", person=cal.email).status_code == 303
    assert f'action="{place}/shown"' in page(home, ann, place).text
    text = page(home, bob, place).text
    assert f'action="{place}/shown"' not in text  # the keeper says it
    assert ann.email in text
    assert cal.email in text
    listing = page(home, cal, "/shows-me").text
    assert kept in listing
    assert "a picture of Cal" not in listing
    assert page(home, cal, place).status_code == 404
    page(home, cal, "/processing/restrict", x="y")
    assert "Kept, and not used" in page(home, ann, place).text
    assert "is restricted" in page(home, cal, "/shows-me").text
    assert kept in page(home, ann, "/data").text
    page(home, cal, "/processing/resume", x="y")
    assert page(home, ann, f"{place}/leave", x="y").status_code == 303
    erased = page(home, cal, f"{place}/erase", x="y")
    assert erased.status_code == 200
    assert home.call("GET", f"/v1/objects/{kept}/content", bob.headers).status_code == 410


def test_others_reach_nothing(home: House, trio: tuple[Person, Person, Person]) -> None:
    ann, bob, cal = trio
    kept = upload(home, cal, b"of Cal alone")
    stranger = home.tenant("sharing-stranger")
    forms = (f"/data/{kept}/owners", f"/data/{kept}/shown", f"/data/{kept}/leave", f"/shows-me/{kept}/deny")
    for who in (ann, bob, stranger):  # the owner of the tenant has no part in it either
        for path in ("owners", "shown"):
            answer = home.call("POST", f"/v1/objects/{kept}/{path}", who.headers, person=who.email)
            assert answer.status_code == 404, (path, answer.text)
        for path in (f"/v1/objects/{kept}/leave", f"/v1/depictions/{kept}/denial"):
            assert home.call("POST", path, who.headers).status_code == 404
        assert home.call("GET", f"/v1/objects/{kept}/people", who.headers).status_code == 404
        assert {page(home, who, path, person=who.email).status_code for path in forms} == {404}
    outside = home.call("POST", f"/v1/objects/{kept}/owners", cal.headers, person=stranger.email)
    assert outside.status_code == 404
    for path in ("owners", "shown"):  # an id would be answered with whose it is
        by_id = home.call("POST", f"/v1/objects/{kept}/{path}", cal.headers, person=bob.id)
        assert by_id.status_code == 422, by_id.text
        assert bob.email not in by_id.text
    reading = home.key_headers(cal, "own-data")
    assert home.call("POST", f"/v1/objects/{kept}/owners", reading, person=bob.email).status_code == 403
    for path in forms:
        cookie = f"__Host-sid={cal.headers['authorization'].partition(' ')[2]}"
        crossed = home.client.post(path, headers={"cookie": cookie, "sec-fetch-site": "cross-site"}, data={})
        assert crossed.status_code == 403
    assert [one["id"] for one in home.ok("GET", f"/v1/objects/{kept}/people", cal.headers)["owners"]] == [cal.id]


def test_a_restriction_that_nobody_proved_is_refused_on_the_desk(
    home: House, trio: tuple[Person, Person, Person]
) -> None:
    ann, bob, _ = trio
    key = home.key_headers(bob, "own-data:write")
    home.ok("POST", "/v1/requests", key, kind="restriction", text="By a program with a key.")
    refused = home.call("POST", "/v1/restrictions", ann.headers, subject=bob.id, reason="accuracy-contested")
    assert (refused.status_code, refused.json()["code"]) == (409, "identity-not-shown")
    (asked,) = [one for one in home.ok("GET", "/v1/requests", bob.headers)["requests"] if one["open"]]
    desk = page(home, ann, f"/desk/{asked['id']}").text
    assert "it must be shown who asks" in desk
    home.ok("POST", f"/v1/requests/{asked['id']}/confirm", bob.headers)
    home.ok("POST", "/v1/restrictions", ann.headers, subject=bob.id, reason="accuracy-contested")
    home.ok("DELETE", f"/v1/restrictions/{bob.id}", ann.headers, reason="checked")
    own = home.call("POST", "/v1/restrictions", ann.headers, subject=ann.id, reason="accuracy-contested")
    assert own.json()["code"] in ("own-request", "not-found")


def test_an_erasure_that_nobody_proved_is_refused_on_the_desk(home: House, trio: tuple[Person, Person, Person]) -> None:
    ann = trio[0]
    bob, cal = (home.member(ann, f"{name}@leaving.example.org") for name in ("bob", "cal"))
    home.ok("POST", "/v1/requests", home.key_headers(bob, "own-data:write"), kind="erasure", text="By a program.")
    refused = home.call("POST", "/v1/erasures", ann.headers, subject=bob.id)
    assert (refused.status_code, refused.json()["code"]) == (409, "identity-not-shown")
    home.ok("POST", "/v1/erasures", ann.headers, subject=cal.id)  # nobody asked: their contract ended
    (asked,) = [one for one in home.ok("GET", "/v1/requests", bob.headers)["requests"] if one["kind"] == "erasure"]
    home.ok("POST", f"/v1/requests/{asked['id']}/confirm", bob.headers)
    home.ok("POST", "/v1/erasures", ann.headers, subject=bob.id)
