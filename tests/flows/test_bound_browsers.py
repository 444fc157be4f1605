"""Sessions of browsers: a key of the device answers for them, and a copy of all cookies dies with the short one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update

from house import House, Person
from portal_binding import Browser, signed_in
from troth.identity.devices.holding import DeviceKey
from troth.identity.sessions import Proof
from troth.identity.store import sessions


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("browsers")


@pytest.fixture
def person(owner: Person) -> Person:
    return owner


def later(home: House, seconds: int, *columns: str) -> None:
    """As if so much time had passed for every browser's session."""
    earlier = {name: sessions.c[name] - seconds * 1000 for name in columns}
    with home.system.base.database.write() as connection:
        connection.execute(update(sessions).where(sessions.c.bound.is_distinct_from("dpop")).values(earlier))


def opened(home: House, person: Person, *, bound: bool = True) -> Browser:
    """A browser in which the person signed in a moment ago."""
    made = home.system.identity.sessions.open(person.id, Proof("password+totp", 2), "loopback")
    browser = Browser(home.client, home.proving.origin, made.token)
    if bound:
        assert browser.bind().status_code == 200
    return browser


def confirming(answer: Any) -> bool:
    return answer.status_code == 403 and "Confirming this device" in answer.text


def test_a_fresh_session_is_bound_and_its_page_says_what_the_script_does(home: House, person: Person) -> None:
    browser = opened(home, person, bound=False)
    assert 'data-task="bind"' in browser.get("/account").text
    answer = browser.bind()
    assert (answer.status_code, answer.json()) == (200, {"seconds": 300})
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-bound="))
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=300"} <= set(cookie.split("; "))
    assert 'data-task="keep"' in browser.get("/data").text
    listed = home.ok("GET", "/v1/sessions", person.headers)["sessions"]
    assert "webcrypto" in [one["bound"] for one in listed]


def test_a_copied_jar_dies_with_the_short_cookie_and_only_the_key_brings_it_back(home: House, person: Person) -> None:
    browser = opened(home, person)
    thief = Browser(home.client, home.proving.origin, browser.session, bound=browser.bound)
    assert thief.get("/data").status_code == 200, "until then a copy is as good as the jar"
    later(home, 300, "cookie_until")
    for one in (thief, browser):
        assert confirming(one.get("/data"))
        assert confirming(one.post("/account/correct", name="Somebody"))
    assert thief.confirm().json()["code"] == "proof-invalid"
    assert thief.bind().json()["code"] == "proof-invalid"
    assert confirming(thief.get("/account")), "neither is what an unbound session would reach"
    assert confirming(thief.get("/passkeys"))
    assert browser.confirm().status_code == 200
    assert browser.get("/data").status_code == 200
    assert confirming(thief.get("/data"))


def test_the_cookie_before_works_for_half_a_minute(home: House, person: Person) -> None:
    browser = opened(home, person)
    before = Browser(home.client, home.proving.origin, browser.session, browser.key, browser.bound)
    assert browser.confirm().status_code == 200
    assert before.bound != browser.bound
    assert before.get("/data").status_code == 200, "a request of the same moment"
    later(home, 31, "cookie_before_until")
    assert confirming(before.get("/data"))
    assert browser.get("/data").status_code == 200


def test_the_cookie_before_never_outlives_its_own_time(home: House, person: Person) -> None:
    browser = opened(home, person)
    before = Browser(home.client, home.proving.origin, browser.session, browser.key, browser.bound)
    later(home, 300, "cookie_until")
    assert browser.confirm().status_code == 200
    assert confirming(before.get("/data"))


def test_once_bound_never_bound_again(home: House, person: Person) -> None:
    browser = opened(home, person, bound=False)
    session = home.system.identity.bindings.ask(browser.session).session
    native = home.system.identity.bindings.offer(session, "dbsc")
    challenge = browser.asked().json()["challenge"]
    assert browser.bind().status_code == 200
    other = DeviceKey()
    late = other.answer(challenge, "POST", browser.origin + "/v1/sessions/current/binding")
    assert (
        browser.client.post("/device/bind", headers=browser.headers, data={"proof": late}).json()["code"]
        == "device-bound"
    )
    headers = browser.headers | {"secure-session-response": other.native(native)}
    assert browser.client.post("/device/native", headers=headers).json()["code"] == "device-bound"


def test_an_older_session_is_bound_by_signing_in_anew(home: House, person: Person) -> None:
    browser = opened(home, person, bound=False)
    challenge = browser.asked().json()["challenge"]
    later(home, 301, "created_at", "verified_at")
    proof = browser.key.answer(challenge, "POST", browser.origin + "/v1/sessions/current/binding")
    answer = browser.client.post("/device/bind", headers=browser.headers, data={"proof": proof})
    assert (answer.status_code, answer.json()["code"]) == (403, "device-too-late")
    assert browser.asked().json()["code"] == "device-too-late"
    assert "data-task" not in browser.get("/account").text


def test_a_challenge_counts_once_for_one_session_and_one_purpose(home: House, person: Person) -> None:
    one, two = opened(home, person), opened(home, person)

    def confirmed(browser: Browser, challenge: str, named: str = "/device/confirm") -> Any:
        proof = browser.key.answer(challenge, "POST", browser.origin + named)
        return browser.client.post("/device/confirm", headers=browser.headers, data={"proof": proof})

    challenge = one.asked().json()["challenge"]
    assert confirmed(one, challenge).status_code == 200
    assert confirmed(one, challenge).json()["code"] == "proof-invalid"
    assert confirmed(one, two.asked().json()["challenge"]).json()["code"] == "proof-invalid"
    assert confirmed(one, one.asked().json()["challenge"], "/device/bind").json()["code"] == "proof-invalid"
    assert confirmed(one, "none").json()["code"] == "proof-invalid"


def test_a_key_that_is_not_the_sessions_is_told_to_the_person(home: House, person: Person) -> None:
    browser = opened(home, person)
    thief = Browser(home.client, home.proving.origin, browser.session, bound=browser.bound)
    assert thief.confirm().status_code == 401
    home.system.base.sequencer.flush()
    told = home.ok("GET", "/v1/activity", person.headers, operation="session.refused")["entries"]
    assert "proof-invalid" in [one["code"] for one in told]


def test_another_site_makes_no_browser_bind(home: House, person: Person) -> None:
    browser = opened(home, person, bound=False)
    foreign = browser.headers | {"sec-fetch-site": "cross-site"}
    for path in ("/device", "/device/bind", "/device/confirm"):
        assert browser.client.post(path, headers=foreign, data={"proof": "a"}).status_code == 403
    assert browser.bind().status_code == 200


def test_a_browsers_session_is_none_of_the_api(home: House, person: Person) -> None:
    browser = opened(home, person)
    answer = home.call("GET", "/v1/me", {"authorization": f"Bearer {browser.session}", "dpop": "none"})
    assert (answer.status_code, answer.json()["code"]) == (401, "proof-required")


def test_to_confirm_is_no_use_of_the_session(home: House, person: Person) -> None:
    browser = opened(home, person)
    later(home, 1800, "seen_at")
    browser.confirm()
    assert browser.get("/data").headers["location"] == "/sign-in?ended=1"


def test_signing_in_at_the_portal_opens_what_the_script_binds(home: House, owner: Person) -> None:
    email = "new@browsers.example.org"
    wish = {"email": email, "display_name": "New", "roles": ["member"]}
    browser = signed_in(home, email, home.ok("POST", "/v1/users", owner.headers, **wish)["password"])
    assert 'data-task="bind"' in browser.get("/welcome/password").text
    assert browser.bind().status_code == 200
    assert browser.get("/welcome/password").status_code == 200
    thief = Browser(home.client, home.proving.origin, browser.session)
    assert confirming(thief.get("/welcome/password"))
    assert thief.post("/sign-out").headers["location"] == "/sign-in", "who cannot go on can go out"


def test_a_browser_that_binds_by_itself(home: House, person: Person) -> None:
    """Device Bound Session Credentials, as Chromium speaks it."""
    browser = opened(home, person, bound=False)
    asked = browser.get("/data").headers["secure-session-registration"]
    challenge = re.fullmatch(r'\(ES256\);path="/device/native";challenge="([\w-]+)"', asked)
    assert challenge
    native = browser.cookie | {"dpop": "none"}  # it says nothing of where it comes from
    answer = browser.took(
        home.client.post(
            "/device/native", headers=native | {"secure-session-response": browser.key.native(challenge[1])}
        )
    )
    said = answer.json()
    assert (said["refresh_url"], said["scope"]["origin"]) == ("/device/native/confirm", browser.origin)
    assert said["credentials"][0]["name"] == "__Host-bound"
    assert "secure-session-registration" not in browser.get("/data").headers
    assert "data-task" not in browser.get("/data").text
    later(home, 300, "cookie_until")
    assert confirming(browser.get("/data"))
    named = native | {"sec-secure-session-id": f'"{said["session_identifier"]}"'}
    asked = home.client.post("/device/native/confirm", headers=named)
    challenge = re.fullmatch(r'"([\w-]+)";id="([\w-]+)"', asked.headers["secure-session-challenge"])
    assert challenge
    assert (asked.status_code, challenge[2]) == (403, said["session_identifier"])
    stolen = {"secure-session-response": DeviceKey().native(challenge[1])}
    asked = home.client.post("/device/native/confirm", headers=named | stolen)
    assert (asked.status_code, "set-cookie" in asked.headers) == (403, False)
    challenge = re.fullmatch(r'"([\w-]+)";id="([\w-]+)"', asked.headers["secure-session-challenge"])
    assert challenge
    mine = named | {"secure-session-response": browser.key.native(challenge[1], carried=False)}
    assert browser.took(home.client.post("/device/native/confirm", headers=mine)).status_code == 200
    assert browser.get("/data").status_code == 200


def test_a_browser_forgets_a_session_that_is_over(home: House) -> None:
    over = {"cookie": "__Host-sid=troth_st_gone", "sec-secure-session-id": '"ses_gone"'}
    answer = home.client.post("/device/native/confirm", headers=over)
    assert answer.json() == {"session_identifier": "ses_gone", "continue": False}
