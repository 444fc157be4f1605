"""Sessions of programs that a key answers for (RFC 9449): what is stolen of them is of no use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from house import House, Person
from proving import Proving
from troth.identity.devices.holding import DeviceKey

NOW = "none"  # said as header DPoP, the house's client adds no proof


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("bound")


def token_of(person: Person) -> str:
    return person.headers["authorization"].partition(" ")[2]


def asked(home: House, token: str, proof: str | None, scheme: str = "DPoP", method: str = "GET") -> Any:
    headers = {"authorization": f"{scheme} {token}", "dpop": proof or NOW}
    return home.client.request(method, "/v1/sessions", headers=headers)


def refused(answer: Any, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["www-authenticate"].startswith("DPoP ")
    assert 'algs="ES256 Ed25519"' in answer.headers["www-authenticate"]


def test_a_session_is_bound_from_the_start_and_says_so(home: House, owner: Person) -> None:
    listed = home.ok("GET", "/v1/sessions", owner.headers)
    (mine,) = (one for one in listed["sessions"] if one["id"] == listed["current"])
    assert mine["bound"] == "dpop"


def test_the_token_alone_is_refused(home: House, owner: Person) -> None:
    token = token_of(owner)
    refused(asked(home, token, None, "Bearer"), "proof-required")
    refused(asked(home, token, None), "proof-required")
    refused(asked(home, token, home.proving.proof("GET", "/v1/sessions", token), "Bearer"), "proof-required")
    assert asked(home, token, home.proving.proof("GET", "/v1/sessions", token)).status_code == 200


def test_another_key_or_request_or_token_is_refused(home: House, owner: Person) -> None:
    token, mine = token_of(owner), home.proving
    thief = Proving(mine.origin, DeviceKey())
    elsewhere = Proving("https://evil.example", mine.key)
    for proof in (
        thief.proof("GET", "/v1/sessions", token),
        elsewhere.proof("GET", "/v1/sessions", token),
        mine.proof("POST", "/v1/sessions", token),
        mine.proof("GET", "/v1/me", token),
        mine.proof("GET", "/v1/sessions?all", token),
        mine.proof("GET", "/v1/sessions", token + "a"),
        mine.proof("GET", "/v1/sessions"),
    ):
        refused(asked(home, token, proof), "proof-invalid")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/me"), ("POST", "/v1/passkeys/options")])
def test_a_proof_counts_once(home: House, owner: Person, method: str, path: str) -> None:
    token = token_of(owner)
    proof = home.proving.proof(method, path, token)
    headers = {"authorization": f"DPoP {token}", "dpop": proof}
    assert home.client.request(method, path, headers=headers).status_code == 200
    refused(home.client.request(method, path, headers=headers), "proof-invalid")


def test_two_proofs_at_once_are_refused(home: House, owner: Person) -> None:
    token = token_of(owner)
    proofs = [("dpop", home.proving.proof("GET", "/v1/sessions", token)) for _ in range(2)]
    headers = [("authorization", f"DPoP {token}"), *proofs]
    refused(home.client.get("/v1/sessions", headers=headers), "proof-invalid")  # type: ignore[arg-type]


def test_the_same_session_at_the_portal_needs_its_proof_too(home: House, owner: Person) -> None:
    cookie = {"cookie": f"__Host-sid={token_of(owner)}", "accept": "text/html"}
    assert home.client.get("/account", headers=cookie).status_code == 200
    stolen = home.client.get("/account", headers=cookie | {"dpop": NOW}, follow_redirects=False)
    assert (stolen.status_code, stolen.headers["location"]) == (303, "/sign-in?ended=1")


def test_a_new_token_of_the_session_stays_bound(home: House) -> None:
    person = home.tenant("rotating")  # its token was replaced twice on the way
    refused(asked(home, token_of(person), None, "Bearer"), "proof-required")
    assert asked(home, token_of(person), home.proving.proof("GET", "/v1/sessions", token_of(person))).is_success


def test_a_session_without_a_key_is_shown_as_it_is(home: House, owner: Person) -> None:
    wish = {"email": "plain@bound.example.org", "display_name": "Plain", "roles": ["member"]}
    password = home.ok("POST", "/v1/users", owner.headers, **wish)["password"]
    opened = home.ok("POST", "/v1/sessions", {"dpop": NOW}, email=wish["email"], password=password)
    token = opened["token"]
    assert asked(home, token, None, "Bearer").json()["sessions"][0]["bound"] is None
    proof = Proving(home.proving.origin, DeviceKey()).proof("GET", "/v1/sessions", token)
    refused(asked(home, token, proof), "proof-invalid")  # no key was ever said to answer for it


def test_a_wrong_proof_opens_no_session(home: House) -> None:
    before = datetime.now(UTC).timestamp() - 600
    stale = home.proving.key.proof("POST", home.proving.origin + "/v1/sessions", now=int(before * 1000))
    answer = home.call("POST", "/v1/sessions", {"dpop": stale}, email="a@b.example", password="x")
    refused(answer, "proof-invalid")


def test_an_api_key_is_not_shown_by_proof(home: House, owner: Person) -> None:
    key = home.key(owner, "own-data")
    assert home.call("GET", "/v1/me", {"authorization": f"DPoP {key}"}).status_code == 401
