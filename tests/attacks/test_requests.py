"""Requests of others do not exist, officers' moves are officers' only, and signals cannot be turned against anybody."""

from __future__ import annotations

import re
from typing import Any

import pytest

from house import House, Person

DESK = ("take", "sort", "verify", "notices", "extend", "answer", "refuse")
BODIES: dict[str, dict[str, str]] = {
    "sort": {"kind": "access"},
    "verify": {"means": "in-person"},
    "notices": {"notice": "receipt"},
    "extend": {"reason": "complexity"},
    "answer": {"text": "x"},
    "refuse": {"reason": "duplicate"},
}


@pytest.fixture(scope="module")
def anna(home: House) -> Person:
    return home.tenant("requests-a")


@pytest.fixture(scope="module")
def others(home: House, anna: Person) -> dict[str, Person]:
    mallory = home.tenant("requests-b")
    return {
        "mallory": mallory,
        "member": home.member(anna, "member@requests-a.example.org"),
        "admin": home.member(anna, "admin@requests-a.example.org", "admin"),
        "auditor": home.member(anna, "auditor@requests-a.example.org", "auditor"),
    }


@pytest.fixture
def made(home: House, anna: Person) -> Any:
    wish = home.ok("POST", "/v1/requests", anna.headers, kind="access", text="Quillfeather's secret wish")
    yield wish
    home.call("POST", f"/v1/requests/{wish['id']}/withdraw", anna.headers)


@pytest.mark.parametrize("who", ["mallory", "member", "admin", "auditor"])
@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", "/confirm"), ("POST", "/withdraw")])
def test_requests_of_others_do_not_exist(
    home: House, others: dict[str, Person], made: Any, who: str, method: str, end: str
) -> None:
    response = home.call(method, f"/v1/requests/{made['id']}{end}", others[who].headers)
    assert response.status_code == 404, response.text
    assert made["id"] not in home.call("GET", "/v1/requests", others[who].headers).text


@pytest.mark.parametrize("move", DESK)
def test_officers_of_another_tenant_find_nothing(home: House, others: dict[str, Person], made: Any, move: str) -> None:
    place = f"/v1/desk/requests/{made['id']}"
    assert home.call("GET", place, others["mallory"].headers).status_code == 404
    response = home.call("POST", f"{place}/{move}", others["mallory"].headers, **BODIES.get(move, {}))
    assert response.status_code == 404, response.text
    assert made["id"] not in home.call("GET", "/v1/desk/requests", others["mallory"].headers).text


@pytest.mark.parametrize("who", ["member", "admin", "auditor"])
@pytest.mark.parametrize("move", DESK)
def test_who_is_no_officer_makes_no_move(
    home: House, others: dict[str, Person], made: Any, who: str, move: str
) -> None:
    place = f"/v1/desk/requests/{made['id']}"
    for response in (
        home.call("GET", "/v1/desk/requests", others[who].headers),
        home.call("GET", place, others[who].headers),
        home.call("POST", f"{place}/{move}", others[who].headers, **BODIES.get(move, {})),
    ):
        assert response.status_code == 403, response.text
        assert "Quillfeather" not in response.text


def test_an_officers_key_is_no_officer(home: House, anna: Person, made: Any) -> None:
    headers = home.key_headers(anna, "own-data", "own-data:write")
    assert home.call("GET", "/v1/desk/requests", headers).status_code == 403
    assert home.call("POST", f"/v1/desk/requests/{made['id']}/take", headers).status_code == 403


def test_a_key_asks_but_confirms_nothing(home: House, anna: Person) -> None:
    headers = home.key_headers(anna, "own-data", "own-data:write")
    asked = home.ok("POST", "/v1/requests", headers, kind="erasure")
    assert (asked["level"], asked["state"], asked["channel"]) == (1, "confirmed", "api")
    refused = home.call("POST", f"/v1/requests/{asked['id']}/confirm", headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "identity-not-shown")
    officer = home.member(anna, "desk-of-keys@example.org", "privacy-officer")
    home.ok("POST", f"/v1/desk/requests/{asked['id']}/take", officer.headers)
    refused = home.call("POST", f"/v1/desk/requests/{asked['id']}/answer", officer.headers, text="Done.")
    assert (refused.status_code, refused.json()["code"]) == (409, "identity-not-shown")
    read_only = home.key_headers(anna, "own-data")
    assert home.call("POST", "/v1/requests", read_only, kind="access").status_code == 403
    home.ok("POST", f"/v1/requests/{asked['id']}/withdraw", anna.headers)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"kind": "unsorted"},
        {"kind": "everything"},
        {"kind": "objection"},
        {"kind": "objection", "purpose": "breathing"},
        {"kind": "access", "law": "sharia"},
        {"kind": "access", "text": "x" * 20_001},
        {"kind": "access", "subject": "usr_other"},
        {"kind": "access", "level": 2},
    ],
)
def test_odd_wishes_are_refused(home: House, anna: Person, wish: dict[str, str]) -> None:
    assert home.call("POST", "/v1/requests", anna.headers, **wish).status_code == 422


def test_what_is_written_never_reaches_log_or_errors(home: House, anna: Person, made: Any) -> None:
    home.system.base.sequencer.flush()
    log = home.call("GET", "/v1/activity", anna.headers, limit=50).text
    assert made["id"] in log
    assert "uillfeather" not in log


def test_pages_escape_what_was_written(home: House, anna: Person) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    asked = home.ok("POST", "/v1/requests", anna.headers, kind="access", text=hostile)
    officer = home.member(anna, "desk-of-pages@example.org", "privacy-officer")
    home.ok("POST", f"/v1/desk/requests/{asked['id']}/take", officer.headers)
    home.ok("POST", f"/v1/desk/requests/{asked['id']}/answer", officer.headers, text=hostile)
    home.ok("POST", "/v1/statements", anna.headers, about="account", text=hostile)
    cookie = {"cookie": f"__Host-sid={anna.headers['authorization'].partition(' ')[2]}"}
    for path in ("/my-requests", f"/my-requests/{asked['id']}", "/desk", f"/desk/{asked['id']}"):
        page = home.client.get(path, headers=cookie)
        assert page.status_code == 200, path
        assert not re.search(r"<script|<img src=x", page.text), path


def test_a_page_says_nothing_of_the_requests_of_others(
    home: House, anna: Person, others: dict[str, Person], made: Any
) -> None:
    for who in ("mallory", "member"):
        cookie = {"cookie": f"__Host-sid={others[who].headers['authorization'].partition(' ')[2]}"}
        assert home.client.get(f"/my-requests/{made['id']}", headers=cookie).status_code == 404
        desk = home.client.get(f"/desk/{made['id']}", headers=cookie).status_code
        assert desk == (404 if who == "mallory" else 403)
        for path in (f"/desk/{made['id']}/take", f"/my-requests/{made['id']}/withdraw"):
            posted = home.client.post(path, headers=cookie | {"sec-fetch-site": "same-origin"}, data={"x": "y"})
            assert posted.status_code in (403, 404)
    assert home.ok("GET", f"/v1/requests/{made['id']}", anna.headers)["request"]["open"]


def test_a_signal_counts_for_who_sends_it_only(home: House, anna: Person, others: dict[str, Person]) -> None:
    home.client.get("/v1/me", headers={"sec-gpc": "1"})
    home.client.get("/v1/me", headers={"sec-gpc": "1", "authorization": "Bearer made-up"})
    for value in ("0", "true", "", "1, 1", "2"):
        home.client.get("/v1/me", headers={**anna.headers, "sec-gpc": value})
    assert home.ok("GET", "/v1/objections", anna.headers)["objections"] == []
    home.client.get("/v1/me", headers={**others["member"].headers, "sec-gpc": "1"})
    raised = home.ok("GET", "/v1/objections", others["member"].headers)["objections"]
    assert {(one["purpose"], one["source"]) for one in raised} == {("sale", "gpc"), ("sharing", "gpc")}
    assert home.ok("GET", "/v1/objections", anna.headers)["objections"] == []
    lifted = home.call("DELETE", f"/v1/objections/{raised[0]['id']}", anna.headers)
    assert lifted.status_code == 404


def test_an_operators_signal_changes_nothing(home: House) -> None:
    assert home.client.get("/v1/tenants", headers={**home.operator, "sec-gpc": "1"}).status_code == 200
