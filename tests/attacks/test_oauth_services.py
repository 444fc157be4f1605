"""Service accounts under attack: forged and replayed assertions, stolen tokens, other tenants, what is switched off."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import pytest

from house import House, Person
from oauth_world import CLIENT, Service, part, refused, seconds, service
from troth.identity.devices.holding import DeviceKey


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("services")


@pytest.fixture(scope="module")
def stranger(home: House) -> Person:
    return home.tenant("services-neighbour")


@pytest.fixture(scope="module")
def robot(home: House, owner: Person) -> Service:
    return service(home, owner)


def test_a_service_does_what_its_scopes_say_and_no_more(robot: Service) -> None:
    answer = robot.asked()
    given = answer.json()
    assert (given["token_type"], given["scope"], set(given)) == (
        "DPoP",
        "generate own-data",
        {"access_token", "token_type", "expires_in", "scope"},
    )
    assert 0 < given["expires_in"] <= 900
    assert robot.get("/v1/objects", given["access_token"]).status_code == 200
    for path in ("/v1/me", "/v1/users", "/v1/services", "/v1/keys", "/v1/sessions"):
        assert robot.get(path, given["access_token"]).status_code == 403, path
    narrow = robot.asked(scope="generate").json()["access_token"]
    assert robot.get("/v1/objects", narrow).status_code == 403
    refused(robot.asked(scope="generate own-data:write"), "invalid_scope")


def test_a_proof_counts_once_for_services_too(robot: Service) -> None:
    token = robot.access()
    proof = robot.proof("GET", "/v1/objects", token)
    assert robot.get("/v1/objects", token, proof).status_code == 200
    assert robot.get("/v1/objects", token, proof).status_code == 401


def _brought(one: Service) -> str:
    thief = DeviceKey()
    return one.assertion({"alg": "ES256", "jwk": thief.jwk}, by=thief)


def _confused(one: Service) -> str:
    """The public key as the secret of an HMAC."""
    signed = f"{part({'alg': 'HS256'})}.{one.assertion().split('.')[1]}"
    tag = hmac.digest(json.dumps(one.signer.jwk).encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"


def _twice(one: Service) -> str:
    """Two subjects: one for us, one for who reads the last."""
    claims = json.dumps({"sub": one.id, "iss": one.id, "aud": one.issuer, "iat": seconds(), "exp": seconds() + 60})
    doubled = claims[:-1] + f', "jti": "a", "sub": "{one.id}"' + "}"
    body = base64.urlsafe_b64encode(doubled.encode()).decode().rstrip("=")
    return f"{part({'alg': 'ES256'})}.{body}.{one.assertion().split('.')[2]}"


FAULTS: dict[str, Callable[[Service], str]] = {
    "other key": lambda one: one.assertion(by=DeviceKey()),
    "other audience": lambda one: one.assertion(aud="https://evil.example"),
    "audience of several": lambda one: one.assertion(aud=[one.issuer, "https://evil.example"]),
    "audience in a list": lambda one: one.assertion(aud=[one.issuer]),
    "endpoint as audience": lambda one: one.assertion(aud=one.issuer + "/oauth/token"),
    "no audience": lambda one: one.assertion(aud=None),
    "other issuer": lambda one: one.assertion(iss="svc_other"),
    "no subject": lambda one: one.assertion(sub=None),
    "unknown subject": lambda one: one.assertion(iss="svc_other", sub="svc_other"),
    "expired": lambda one: one.assertion(iat=seconds() - 400, exp=seconds() - 100),
    "no end": lambda one: one.assertion(exp=None),
    "long life": lambda one: one.assertion(exp=seconds() + 3600),
    "of the future": lambda one: one.assertion(iat=seconds() + 120, exp=seconds() + 180),
    "not yet": lambda one: one.assertion(nbf=seconds() + 120),
    "no jti": lambda one: one.assertion(jti=None),
    "long jti": lambda one: one.assertion(jti="a" * 200),
    "end as text": lambda one: one.assertion(exp=str(seconds() + 60)),
    "none": lambda one: f"{part({'alg': 'none'})}.{one.assertion().split('.')[1]}.",
    "none, signed": lambda one: one.assertion({"alg": "none"}),
    "other algorithm": lambda one: one.assertion({"alg": "Ed25519"}),
    "ES384": lambda one: one.assertion({"alg": "ES384"}),
    "key brought along": _brought,
    "key set address": lambda one: one.assertion({"alg": "ES256", "jku": "https://evil.example/keys"}),
    "certificate brought along": lambda one: one.assertion({"alg": "ES256", "x5c": ["MIIB"]}),
    "critical": lambda one: one.assertion({"alg": "ES256", "crit": ["exp"]}),
    "proof as assertion": lambda one: one.assertion({"alg": "ES256", "typ": "dpop+jwt"}),
    "other kid": lambda one: one.assertion({"alg": "ES256", "kid": DeviceKey().thumbprint}),
    "key confusion": _confused,
    "names twice": _twice,
    "cut": lambda one: one.assertion()[:-4],
    "padding": lambda one: one.assertion() + "=",
    "five parts": lambda one: one.assertion() + ".a.b",
    "not a token": lambda one: "x",
    "large": lambda one: one.assertion(note="a" * 5000),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_assertion_is_refused(robot: Service, fault: str) -> None:
    answer = robot.asked(FAULTS[fault](robot))
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_client", "invalid_request")


def test_an_assertion_counts_once_and_for_its_client(home: House, owner: Person, robot: Service) -> None:
    assertion = robot.assertion()
    assert robot.asked(assertion).status_code == 200
    refused(robot.asked(assertion), "invalid_client", 401)
    other = service(home, owner)
    refused(other.asked(robot.assertion(), client_id=other.id), "invalid_client", 401)
    refused(other.asked(other.assertion(iss=robot.id, sub=robot.id)), "invalid_client", 401)
    refused(robot.asked(client_assertion_type="urn:other"), "invalid_client", 401)
    refused(robot.token(grant_type="client_credentials", client_id=robot.id), "invalid_client", 401)
    refused(robot.token(grant_type="client_credentials", client_id=CLIENT), "invalid_client", 401)


def test_a_service_without_a_proof_gets_no_token(robot: Service) -> None:
    refused(robot.asked(proof=None), "invalid_dpop_proof")


def test_what_is_switched_off_is_off_at_once(home: House, owner: Person) -> None:
    one = service(home, owner)
    token = one.access()
    assert one.get("/v1/objects", token).status_code == 200
    home.ok("POST", f"/v1/services/{one.id}/disable", owner.headers)
    assert one.get("/v1/objects", token).status_code == 401
    refused(one.asked(), "invalid_client", 401)


def test_a_service_stands_and_falls_with_who_answers_for_it(home: House, owner: Person) -> None:
    ann = home.member(owner, "ann@services.example.org")
    one = service(home, owner, owner_id=ann.id)
    token = one.access()
    home.ok("POST", f"/v1/users/{ann.id}/disable", owner.headers)
    assert one.get("/v1/objects", token).status_code == 401
    refused(one.asked(), "invalid_client", 401)
    assert home.call("POST", "/v1/services", owner.headers, name="x", scopes=["generate"], owner_id=ann.id).is_error
    home.ok("PUT", f"/v1/services/{one.id}/owner", owner.headers, owner_id=owner.id)
    assert one.asked().status_code == 200


def test_a_new_key_leaves_time_unless_the_former_was_exposed(home: House, owner: Person) -> None:
    one, second, third = service(home, owner), DeviceKey(), DeviceKey()
    token = one.access()
    home.ok("PUT", f"/v1/services/{one.id}/key", owner.headers, jwk=second.jwk)
    assert one.asked().status_code == 200
    assert one.asked(one.assertion(by=second)).status_code == 200
    assert one.get("/v1/objects", token).status_code == 200
    home.ok("PUT", f"/v1/services/{one.id}/key", owner.headers, jwk=third.jwk, exposed=True)
    for gone in (one.signer, second):
        refused(one.asked(one.assertion(by=gone)), "invalid_client", 401)
    assert one.get("/v1/objects", token).status_code == 401
    assert one.asked(one.assertion(by=third)).status_code == 200


def test_another_tenant_reaches_no_service(home: House, owner: Person, stranger: Person, robot: Service) -> None:
    headers, named = stranger.headers, f"/v1/services/{robot.id}"
    assert robot.id not in home.call("GET", "/v1/services", headers).text
    assert home.call("POST", f"{named}/disable", headers).status_code == 404
    assert home.call("PUT", f"{named}/key", headers, jwk=DeviceKey().jwk).status_code == 404
    assert home.call("PUT", f"{named}/owner", headers, owner_id=stranger.id).status_code == 404
    mine = ("POST", "/v1/services", headers)
    wish = {"name": "x", "scopes": ["generate"], "jwk": DeviceKey().jwk}
    assert home.call(*mine, **wish, owner_id=owner.id).status_code == 404
    assert robot.asked().status_code == 200


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-384", "x": "A" * 43, "y": "A" * 43},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        DeviceKey().jwk | {"d": "A" * 43},
        {},
    ],
    ids=["oct", "rsa", "short", "p384", "off-curve", "x25519", "private", "empty"],
)
def test_only_public_keys_that_sign_are_registered(home: House, owner: Person, jwk: dict[str, str]) -> None:
    answer = home.call("POST", "/v1/services", owner.headers, name="x", scopes=["generate"], jwk=jwk)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-jwk")


def test_what_a_service_makes_is_its_own(home: House, owner: Person) -> None:
    one, other = service(home, owner), service(home, owner)
    token = one.access()
    headers = {"authorization": f"DPoP {token}", "dpop": one.proof("POST", "/v1/images/generations", token)}
    wish = {"model": "troth-studio-1", "prompt": "a harbour", "size": "96x96", "response_format": "b64_json"}
    made = home.client.post("/v1/images/generations", json=wish, headers=headers)
    assert made.status_code == 200, made.text
    (mine, *_) = one.get("/v1/objects", one.access()).json()["objects"]
    assert mine["id"] not in other.get("/v1/objects", other.access()).text
    assert mine["id"] not in home.call("GET", "/v1/objects", owner.headers).text
    assert other.get(f"/v1/objects/{mine['id']}/content", other.access()).status_code == 404


def test_an_admin_does_not_become_what_a_colleagues_service_is(home: House, owner: Person) -> None:
    """Whoever gave it a key, a certificate or a person would read what it made."""
    admin, colleague = (home.member(owner, f"{name}@services.example.org", "admin") for name in ("curious", "careful"))
    one, key = service(home, colleague), DeviceKey().jwk
    place = f"/v1/services/{one.id}"
    for method, part_of, body in (
        ("PUT", "key", {"jwk": key, "exposed": True}),
        ("PUT", "owner", {"owner_id": admin.id}),
        ("POST", "certificate", {"request": "x"}),
    ):
        answer = home.call(method, f"{place}/{part_of}", admin.headers, **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "service-not-yours"), part_of
    assert one.asked().status_code == 200
    home.ok("PUT", f"{place}/key", owner.headers, jwk=DeviceKey().jwk)  # the log names who answers for it
    home.system.base.sequencer.flush()
    told = home.ok("GET", "/v1/activity", owner.headers, operation="service.rotate")["entries"]
    assert colleague.id in [one["facts"].get("user") for one in told]


def test_a_service_has_no_more_scopes_than_its_maker(home: House, owner: Person) -> None:
    role = home.ok("POST", "/v1/custom-roles", owner.headers, name="desk", groups=["administer"])["id"]
    desk = home.member(owner, "desk@services.example.org", "auditor")
    home.ok("POST", f"/v1/users/{desk.id}/roles", owner.headers, role=role)
    wish = {"name": "robot", "days": 30, "jwk": DeviceKey().jwk}
    answer = home.call("POST", "/v1/services", desk.headers, scopes=["generate"], **wish)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope-not-yours")
    assert home.call("POST", "/v1/services", desk.headers, scopes=["own-data"], **wish).status_code == 201


def test_a_service_stands_only_while_its_person_has_a_role(home: House, owner: Person) -> None:
    person = home.member(owner, "roleless@services.example.org", "admin")
    one = service(home, person)
    assert one.asked().status_code == 200
    home.ok("DELETE", f"/v1/users/{person.id}/roles/admin", owner.headers)
    refused(one.asked(), "invalid_client", 401)
