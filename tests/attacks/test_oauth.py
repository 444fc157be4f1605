"""The authorization server under attack: stolen codes and tokens, forged assertions, clients of others, replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from house import House, Person
from oauth_world import CLIENT, Program, Service, refused, seconds, service
from troth.identity.sign_in import WITH_CODE, WITH_PASSKEY
from troth.kernel.caller import Authentication, Device


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("oauth")


@pytest.fixture
def program(home: House) -> Program:
    return Program(home)


@pytest.fixture(scope="module")
def robot(home: House, owner: Person) -> Service:
    return service(home, owner)


# Device codes


def test_a_device_that_was_approved_is_its_person_with_its_own_key(program: Program, owner: Person) -> None:
    given = program.signed_in(owner)
    assert given["token_type"] == "DPoP"
    assert program.get("/v1/me", given["access_token"]).json()["id"] == owner.id
    listed = program.get("/v1/sessions", given["access_token"]).json()
    (mine,) = (one for one in listed["sessions"] if one["id"] == listed["current"])
    assert (mine["method"], mine["bound"]) == ("device-code", "dpop")


def test_from_where_a_device_came_is_sealed_before_its_session_is_written(
    program: Program, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rotation the first seal makes a key, in a transaction of its own: no device could sign in any more."""
    base = program.home.system.base
    sealer = type(base.details)
    seal = sealer.seal

    def made(self: Any, who: Any, details: Any) -> Any:
        with base.database.write():
            return seal(self, who, details)

    monkeypatch.setattr(sealer, "seal", made)
    assert program.get("/v1/me", program.signed_in(owner)["access_token"]).json()["id"] == owner.id


def test_a_passkey_that_approved_is_remembered_and_resists_no_phishing(program: Program, owner: Person) -> None:
    sessions, begun = program.home.system.identity.sessions, program.begin()
    opened = sessions.open(owner.id, WITH_PASSKEY, "public")
    sessions.bind_to(opened.id, Device("dpop", program.key.thumbprint))
    path = "/v1/device-codes/approve"
    headers = {"authorization": f"DPoP {opened.token}", "dpop": program.proof("POST", path, opened.token)}
    assert program.home.call("POST", path, headers, user_code=begun["user_code"]).status_code == 200
    token = program.redeem(begun).json()["access_token"]
    listed = program.get("/v1/sessions", token).json()
    (mine,) = (one for one in listed["sessions"] if one["id"] == listed["current"])
    shown = Authentication(mine["method"], 2)
    assert (mine["method"], shown.phishing_resistant, shown.passkey_shown) == ("passkey+device-code", False, True)
    assert not Authentication("device-code", 2).passkey_shown


def test_a_session_that_a_code_opened_is_never_fresh(program: Program, owner: Person) -> None:
    token = program.signed_in(owner)["access_token"]
    path = "/v1/passkeys/options"
    headers = {"authorization": f"DPoP {token}", "dpop": program.proof("POST", path, token)}
    refused = program.home.call("POST", path, headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")


def test_a_code_that_another_device_caught_is_worth_nothing(program: Program, owner: Person) -> None:
    begun, thief = program.begin(), Program(program.home)
    program.home.ok("POST", "/v1/device-codes/approve", owner.headers, user_code=begun["user_code"])
    refused(thief.redeem(begun), "invalid_grant")
    assert program.redeem(begun).status_code == 200


def test_a_device_code_and_a_user_code_count_once(program: Program, owner: Person) -> None:
    begun = program.begin()
    approve = ("POST", "/v1/device-codes/approve", owner.headers)
    program.home.ok(*approve, user_code=begun["user_code"].lower().replace("-", " "))
    assert program.home.call(*approve, user_code=begun["user_code"]).status_code == 404
    assert program.redeem(begun).status_code == 200
    refused(program.redeem(begun), "invalid_grant")


def test_who_says_no_ends_it(program: Program, owner: Person) -> None:
    begun = program.begin()
    refused(program.redeem(begun), "slow_down")  # sooner than it was told
    program.home.ok("POST", "/v1/device-codes/deny", owner.headers, user_code=begun["user_code"])
    refused(program.redeem(begun), "access_denied")
    refused(program.redeem(begun), "invalid_grant")


def test_codes_of_made_up_devices_and_clients_are_refused(program: Program, robot: Service, owner: Person) -> None:
    begun = program.begin()
    program.home.ok("POST", "/v1/device-codes/approve", owner.headers, user_code=begun["user_code"])
    refused(program.redeem(begun, device_code="troth_dc_" + "a" * 52), "invalid_grant")
    refused(program.redeem(begun, client_id="other"), "invalid_client", 401)
    refused(program.redeem(begun, client_id=robot.id), "invalid_client", 401)
    refused(program.redeem(begun, client_assertion=robot.assertion()), "invalid_client", 401)
    refused(program.redeem(begun, grant_type="password"), "unsupported_grant_type")
    refused(program.redeem(begun, grant_type=""), "unsupported_grant_type")
    refused(program.post("/oauth/device_authorization", client_id="other"), "invalid_client", 401)
    assert program.redeem(begun).status_code == 200


def test_without_a_key_nobody_gets_a_code_or_a_token(program: Program, owner: Person) -> None:
    refused(program.post("/oauth/device_authorization", None, client_id=CLIENT), "invalid_dpop_proof")
    begun = program.begin()
    program.home.ok("POST", "/v1/device-codes/approve", owner.headers, user_code=begun["user_code"])
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": CLIENT}
    for proof in (
        None,
        program.proof("GET", "/oauth/token"),
        program.proof("POST", "/oauth/revoke"),
        program.key.proof("POST", "https://evil.example/oauth/token", now=seconds() * 1000),
        program.key.proof("POST", program.issuer + "/oauth/token", now=(seconds() - 3600) * 1000),
        program.key.sign({"alg": "none", "typ": "dpop+jwt", "jwk": program.key.jwk}, {}).rpartition(".")[0] + ".",
    ):
        refused(program.token(proof, **form, device_code=begun["device_code"]), "invalid_dpop_proof")


def test_keys_and_unbound_sessions_approve_no_device(program: Program, owner: Person) -> None:
    begun, home = program.begin(), program.home
    wish = {"user_code": begun["user_code"]}
    key = home.key_headers(owner, "generate", "own-data", "own-data:write")
    assert home.call("POST", "/v1/device-codes/approve", key, **wish).status_code == 403
    assert home.call("POST", "/v1/device-codes/approve", **wish).status_code == 401
    copied = home.system.identity.sessions.open(owner.id, WITH_CODE, "public").token
    answer = home.call("POST", "/v1/device-codes/approve", {"authorization": f"Bearer {copied}"}, **wish)
    assert (answer.status_code, answer.json()["code"]) == (403, "device-unbound")
    refused(program.redeem(begun), "slow_down")  # nothing was decided


def test_guesses_of_codes_are_slowed(home: House) -> None:
    owner = home.tenant("oauth-guesser")
    answers = [
        home.call("POST", "/v1/device-codes/show", owner.headers, user_code="BCDF-GHJK").status_code for _ in range(8)
    ]
    assert answers[0] == 404
    assert answers[-1] == 429


# Tokens of the command line


@pytest.mark.parametrize(
    "show",
    [
        lambda mine, thief, token: mine.get("/v1/me", token, None),
        lambda mine, thief, token: mine.get("/v1/me", token, None, "Bearer"),
        lambda mine, thief, token: mine.get("/v1/me", token, scheme="Bearer"),
        lambda mine, thief, token: thief.get("/v1/me", token),
        lambda mine, thief, token: mine.get("/v1/me", token, mine.proof("POST", "/v1/me", token)),
        lambda mine, thief, token: mine.get("/v1/me", token, mine.proof("GET", "/v1/sessions", token)),
        lambda mine, thief, token: mine.get("/v1/me", token, mine.proof("GET", "/v1/me", token + "x")),
        lambda mine, thief, token: mine.get("/v1/me", token, mine.proof("GET", "/v1/me")),
    ],
    ids=["no-proof", "bearer", "bearer-with-proof", "other-key", "htm", "htu", "ath", "no-ath"],
)
def test_a_stolen_token_opens_nothing(
    program: Program, owner: Person, robot: Service, show: Callable[[Any, Program, str], Any]
) -> None:
    for mine, token in ((program, program.signed_in(owner)["access_token"]), (robot, robot.access())):
        assert show(mine, Program(program.home), token).status_code == 401


def test_a_refresh_token_that_comes_twice_ends_the_family(program: Program, owner: Person) -> None:
    first = program.signed_in(owner)
    second = program.refresh(first["refresh_token"]).json()
    assert program.get("/v1/me", second["access_token"]).status_code == 200
    refused(program.refresh(first["refresh_token"]), "invalid_grant")
    refused(program.refresh(second["refresh_token"]), "invalid_grant")
    assert program.get("/v1/me", second["access_token"]).status_code == 401


def test_a_refresh_token_needs_its_key_and_its_client(program: Program, owner: Person, robot: Service) -> None:
    given = program.signed_in(owner)
    refused(Program(program.home).refresh(given["refresh_token"]), "invalid_grant")
    refused(program.refresh(given["refresh_token"], client_id=robot.id), "invalid_client", 401)
    refused(program.refresh(given["access_token"]), "invalid_grant")
    refused(program.refresh(""), "invalid_request")
    assert program.refresh(given["refresh_token"]).status_code == 200  # nobody ended it who does not hold the key


def test_a_session_that_was_ended_takes_its_refresh_token_along(program: Program, owner: Person) -> None:
    given = program.signed_in(owner)
    assert program.get("/v1/sessions/current", given["access_token"], method="DELETE").status_code == 200
    refused(program.refresh(given["refresh_token"]), "invalid_grant")


def test_a_person_who_is_shut_out_is_out_at_once(program: Program, owner: Person) -> None:
    home = program.home
    mia = home.member(owner, "mia@oauth.example.org")
    given, begun = program.signed_in(mia), program.begin()
    home.ok("POST", "/v1/device-codes/approve", mia.headers, user_code=begun["user_code"])
    home.ok("POST", f"/v1/users/{mia.id}/disable", owner.headers)
    assert program.get("/v1/me", given["access_token"]).status_code == 401
    refused(program.refresh(given["refresh_token"]), "invalid_grant")
    refused(program.redeem(begun), "invalid_grant")


def test_revoking_ends_ones_own_and_tells_nothing(program: Program, owner: Person, robot: Service) -> None:
    given, thief = program.signed_in(owner), Program(program.home)
    access = robot.access()
    for by in (thief, program):
        assert by.post("/oauth/revoke", client_id=CLIENT, token=access).json() == {}
    assert thief.post("/oauth/revoke", client_id=CLIENT, token=given["refresh_token"]).json() == {}
    assert robot.get("/v1/objects", access).status_code == 200
    assert program.get("/v1/me", given["access_token"]).status_code == 200
    assert program.post("/oauth/revoke", client_id=CLIENT, token=given["refresh_token"]).json() == {}
    assert program.get("/v1/me", given["access_token"]).status_code == 401


def test_the_server_says_what_it_takes_and_nothing_weaker(program: Program) -> None:
    said = program.home.ok("GET", "/.well-known/oauth-authorization-server")
    assert said["issuer"] == program.issuer
    assert said["token_endpoint_auth_signing_alg_values_supported"] == ["ES256", "Ed25519"]
    assert not {"client_secret_basic", "client_secret_post"} & set(said["token_endpoint_auth_methods_supported"])
    assert said["response_types_supported"] == []
