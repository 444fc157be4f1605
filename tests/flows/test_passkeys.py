"""Passkeys through the door of a running installation: a stranger's request in, a phishing-resistant session out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import update

from house import House, house
from troth.identity.store import grants, sessions
from troth.kernel.caller import Connection
from troth.kernel.scope import SYSTEM, within
from troth.promises.authenticator import Authenticator, text_of

ORIGIN = "https://localhost:8443"  # `server.name` and `server.port` as they are by default


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as built:
        yield built


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def entered(home: House, device: Authenticator, **wrong: Any) -> Any:
    asked = home.ok("POST", "/v1/sessions/passkey/options")
    answer = text_of(device.get(asked["options"], **wrong))
    return home.call("POST", "/v1/sessions/passkey", attempt=asked["attempt"], **answer)


def test_a_whole_life_of_a_passkey(home: House) -> None:
    owner = home.tenant("life")
    device = home.passkey(owner)
    made = entered(home, device)
    assert (made.status_code, made.json()["assurance"], made.json()["missing"]) == (201, 2, [])
    headers = bearer(made.json()["token"])
    assert home.call("GET", "/v1/objects", headers).status_code == 200  # data is reached: two factors in one
    listed = home.ok("GET", "/v1/sessions", headers)
    (here,) = [one for one in listed["sessions"] if one["id"] == listed["current"]]
    assert here["method"] == "passkey"
    (shown,) = home.ok("GET", "/v1/passkeys", headers)["passkeys"]
    assert (shown["name"], shown["used_at"] is not None, sorted(shown)) == (
        "phone",
        True,
        ["backed_up", "created_at", "id", "name", "used_at"],
    )
    home.ok("PUT", f"/v1/passkeys/{shown['id']}/name", headers, name="old phone")
    assert home.ok("GET", "/v1/me", headers)["passkeys"] == 1
    proof = device.get(home.ok("POST", "/v1/sessions/current/step-up/passkey/options", headers)["options"])
    fresh = home.ok("POST", "/v1/sessions/current/step-up/passkey", headers, **text_of(proof))
    headers = bearer(fresh["token"])
    home.ok("POST", "/v1/me/rectification", headers, totp="", display_name="No code needed")
    home.ok("DELETE", f"/v1/passkeys/{shown['id']}", headers)
    assert entered(home, device).json()["code"] == "passkey-refused"


def test_the_policy_and_the_log_see_how_somebody_came(home: House) -> None:
    owner = home.tenant("seen")
    device = home.passkey(owner)
    session = entered(home, device).json()
    operation = home.system.dispatcher.registry["object.list"]
    by_passkey, by_code = (
        home.system.identity.sessions.authenticate(
            token, Connection(tls="TLSv1.3", zone="loopback"), home.proving.shown(token)
        )
        for token in (session["token"], home.tenant("code").headers["authorization"].removeprefix("Bearer "))
    )
    digests = [home.system.decider.decide(caller, operation).evidence for caller in (by_passkey, by_code)]
    assert digests[0] != digests[1]
    home.system.base.sequencer.flush()
    events = home.ok("GET", "/v1/activity", bearer(session["token"]), operation="session.opened")["entries"]
    assert session["id"] in [one["facts"].get("session") for one in events]


def test_privileges_rest_without_a_passkey_once_the_grace_is_over(home: House) -> None:
    owner = home.tenant("rests")
    assert home.ok("GET", "/v1/users", owner.headers)["users"]
    assert home.ok("GET", "/v1/me", owner.headers)["passkey_due"] > 0
    with within(SYSTEM), home.system.base.database.write() as connection:
        fortnight = update(grants).where(grants.c.user == owner.id)
        connection.execute(fortnight.values(granted_at=grants.c.granted_at - 14 * 24 * 3600 * 1000))
    for path in ("/v1/users", "/v1/reviews"):
        refused = home.call("GET", path, owner.headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "passkey-required"), path
    assert home.call("GET", "/v1/objects", owner.headers).status_code == 200
    cookie = {"cookie": f"__Host-sid={owner.headers['authorization'].removeprefix('Bearer ')}"}
    page = home.client.get("/people", headers={**cookie, "accept": "text/html"}, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/passkeys?back=%2Fpeople")
    assert "Your role asks for a passkey" in home.client.get("/passkeys", headers=cookie).text
    home.passkey(owner)
    assert home.ok("GET", "/v1/users", owner.headers)["users"]
    assert home.ok("GET", "/v1/me", owner.headers)["passkey_due"] is None


def test_a_passkey_of_one_tenant_is_no_key_to_another(home: House) -> None:
    ada, eve = home.tenant("one"), home.tenant("two")
    device = home.passkey(ada)
    asked = home.ok("POST", "/v1/sessions/current/step-up/passkey/options", eve.headers)
    assert asked["options"]["allowCredentials"] == []
    answer = text_of(device.get(asked["options"]))
    refusal = home.call("POST", "/v1/sessions/current/step-up/passkey", eve.headers, **answer)
    assert (refusal.status_code, refusal.json()["code"]) == (401, "passkey-refused")
    (hers,) = home.ok("GET", "/v1/passkeys", ada.headers)["passkeys"]
    assert home.call("DELETE", f"/v1/passkeys/{hers['id']}", eve.headers).status_code == 404
    assert home.call("PUT", f"/v1/passkeys/{hers['id']}/name", eve.headers, name="mine").status_code == 404


def test_asking_for_a_challenge_tells_nothing(home: House) -> None:
    one, two = (home.ok("POST", "/v1/sessions/passkey/options") for _ in range(2))
    assert one["options"].pop("challenge") != two["options"].pop("challenge")
    assert one["options"] == two["options"]
    assert home.call("POST", "/v1/sessions/passkey/options", email="owner@life.example.org").json() != one
    assert one["options"]["allowCredentials"] == []


@pytest.mark.parametrize(
    "name", ["credential", "client_data", "authenticator_data", "signature", "user_handle", "attempt"]
)
@pytest.mark.parametrize("value", ["", "A" * 20_000, "not base64url!", "AA==", "\x00", "Ünïcode"])
def test_what_is_too_large_or_no_base64url_is_refused(home: House, name: str, value: str) -> None:
    answer = dict.fromkeys(("credential", "client_data", "authenticator_data", "signature", "user_handle"), "AAAA")
    response = home.call("POST", "/v1/sessions/passkey", **{**answer, "attempt": "x", name: value})
    assert response.status_code in ((401, 422) if name == "attempt" else (422,)), response.text


def test_a_body_beyond_its_limit_is_refused(home: House) -> None:
    response = home.call("POST", "/v1/sessions/passkey", attempt="x" * (1 << 15))
    assert response.status_code == 413


def test_wrong_origin_and_wrong_domain_are_refused_with_one_answer(home: House) -> None:
    device = home.passkey(home.tenant("phish"))
    answers = [entered(home, device, origin="https://localhost:8444"), entered(home, device, rp_id="evil.example")]
    answers.append(entered(home, Authenticator(ORIGIN, key=device.key, handle=device.handle)))  # an unknown credential
    told = {(one.status_code, one.json()["code"], one.json()["detail"]) for one in answers}
    assert len(told) == 1


def test_an_old_session_shows_anew_who_is_there_before_a_passkey_is_added(home: House) -> None:
    owner = home.tenant("stale")
    cookie = {"cookie": f"__Host-sid={owner.headers['authorization'].removeprefix('Bearer ')}"}
    page = home.client.get("/passkeys", headers=cookie).text
    assert "Name of the passkey" in page
    with home.system.base.database.write() as connection:
        aged = update(sessions).where(sessions.c.user == owner.id)
        connection.execute(aged.values(verified_at=sessions.c.verified_at - 16 * 60 * 1000))
    page = home.client.get("/passkeys", headers=cookie).text
    assert "Prove that it is you" in page
    assert "Name of the passkey" not in page
    posted = {**cookie, "sec-fetch-site": "same-origin"}
    refused = home.client.post("/passkeys/options", headers=posted)
    assert (refused.status_code, "one-time code or a passkey" in refused.json()["advice"]) == (403, True)
    led = home.client.post(
        "/passkeys/psk_1/remove", headers={**posted, "accept": "text/html"}, data={}, follow_redirects=False
    )
    assert (led.status_code, led.headers["location"]) == (303, "/prove?back=%2Fpasskeys")
    assert 'value="/passkeys"' in home.client.get(led.headers["location"], headers=cookie).text
    later = pyotp.TOTP(owner.secret).at(datetime.now(UTC) + timedelta(seconds=30))  # not used yet, within the drift
    proved = home.client.post(
        "/prove/code", headers=posted, data={"totp": later, "back": "/passkeys"}, follow_redirects=False
    )
    assert (proved.status_code, proved.headers["location"]) == (303, "/passkeys")
    fresh = {**posted, "cookie": proved.headers["set-cookie"].partition(";")[0]}
    assert home.client.post("/passkeys/options", headers=fresh).json()["rp"]["id"] == "localhost"


def test_a_recovery_code_shows_who_is_there_once(home: House) -> None:
    owner = home.tenant("lost")
    codes = home.system.identity.bootstrap.recovery.renew(owner.id)
    assert len(codes) == 10
    token = owner.headers["authorization"].split()[1]
    posted = {"cookie": f"__Host-sid={token}", "sec-fetch-site": "same-origin"}
    assert "Recovery code" in home.client.get("/prove?back=/keys", headers=posted).text
    form = {"recovery_code": codes[0], "back": "/keys"}
    proved = home.client.post("/prove/code", headers=posted, data=form, follow_redirects=False)
    assert (proved.status_code, proved.headers["location"]) == (303, "/keys")
    assert home.system.identity.bootstrap.recovery.left(owner.id) == len(codes) - 1
