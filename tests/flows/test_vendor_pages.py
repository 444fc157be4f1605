"""Vendors through the door: papers as YAML, pages of operators, and what a tenant wants of vendors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from gateway_world import DAY, due_diligence
from house import House, Person, house
from troth.gateway.vendors.paper_file import exported
from troth.gateway.vendors.papers import SubProcessor

FORM = {"origin": "https://localhost", "sec-fetch-site": "same-origin",
        "content-type": "application/x-www-form-urlencoded", "accept": "text/html"}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("vendors")) as built:
        yield built


WISH = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "a harbour nobody else has seen"}]}


def cookie(headers: dict[str, str]) -> dict[str, str]:
    return {"cookie": f"__Host-sid={headers['authorization'].removeprefix('Bearer ')}"}


def test_an_operator_puts_papers_on_file_and_follows_them(home: House) -> None:
    now = int(time.time() * 1000)
    sub = SubProcessor(name="hoster", region="us", since=now + 20 * DAY)
    papers = exported(due_diligence(now, name="Bright <b>Models</b>", sub_processors=(sub,)))
    made = home.ok("PUT", "/v1/vendors/bright/papers", home.operator, papers=papers)
    assert (made["state"], made["facts"]["sub_processors"][0]["region"]) == ("draft", "us")
    back = home.call("GET", "/v1/vendors/bright/papers", home.operator)
    assert (back.headers["content-type"], back.text) == ("application/yaml", papers)
    assert home.call("PUT", "/v1/vendors/bad/papers", home.operator, papers="name: x").json()["code"] == "bad-papers"
    coming = home.ok("GET", "/v1/vendor-lapses", home.operator)["lapses"]
    assert (coming[0]["what"], coming[0]["state"]) == ("sub-processor hoster begins", "soon")
    headers = cookie(home.operator)
    listed = home.client.get("/vendors", headers=headers | {"accept": "text/html"}).text
    assert "Lapses next" in listed
    assert "Bright &lt;b&gt;Models&lt;/b&gt;" in listed
    sent = home.client.post("/vendors/bright/contact", headers=headers | FORM, data={"answered": "yes"},
                            follow_redirects=False)  # fmt: skip
    assert sent.headers["location"] == "/vendors/bright"
    one = home.client.get("/vendors/bright", headers=headers | {"accept": "text/html"}).text
    assert "last answered on" in one
    assert "not accepted, begins" in one
    assert "Are requests of one customer kept apart" in one
    assert one.count("<b>Models") == 0
    days = {"since": "2026-01-01", "until": "2026-01-02"}
    exposed = home.client.get("/vendors/bright/exposure", headers=headers | {"accept": "text/html"}, params=days)
    assert "0 requests of 0 tenants" in exposed.text
    wrong = home.client.get("/vendors/bright/exposure", headers=headers | {"accept": "text/html"},
                            params={"since": "then", "until": "now"})  # fmt: skip
    assert wrong.status_code == 422
    assert home.client.get("/vendors/local-studio", headers=headers | {"accept": "text/html"}).status_code == 200


def test_who_used_a_vendor_is_the_operators_to_see_and_holds_no_content(home: House) -> None:
    owner = home.tenant("exposed")
    home.ok("POST", "/v1/chat/completions", owner.headers, **WISH)
    now = int(time.time() * 1000)
    path, window = "/v1/vendors/local-studio/exposure", {"since": now - DAY, "until": now + DAY}
    found = home.ok("GET", path, home.operator, **window)
    assert [one["tenant"] for one in found["tenants"]].count(owner.tenant) == 1
    assert "harbour" not in str(found)
    assert home.call("GET", path, owner.headers, **window).status_code == 403


def test_a_tenant_says_which_vendors_and_two_people_loosen_it(home: House) -> None:
    owner = home.tenant("choosy")
    second = home.member(owner, "bo@choosy.example.org", "owner")
    member = home.member(owner, "mia@choosy.example.org")
    deny = {"policy": {"deny": ["local-studio"]}, "reason": "rule"}
    assert home.call("PUT", "/v1/routing-policy", member.headers, **deny).status_code == 403
    assert home.ok("PUT", "/v1/routing-policy", owner.headers, **deny)["policy"]["deny"] == ["local-studio"]
    refused = home.call("POST", "/v1/chat/completions", member.headers, **WISH)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "vendor_not_allowed")
    assert home.ok("GET", "/v1/models", member.headers)["data"] == []
    waiting = home.ok("PUT", "/v1/routing-policy", owner.headers, policy={}, reason="rule")
    assert waiting["looser"] == ["deny"]
    assert decided(home, owner).json()["code"] == "same-person"
    assert home.call("POST", "/v1/chat/completions", member.headers, **WISH).status_code == 403
    assert decided(home, second).status_code == 200
    assert home.call("POST", "/v1/chat/completions", member.headers, **WISH).status_code == 200


def decided(home: House, person: Person) -> Any:
    return home.call("POST", "/v1/routing-policy/approval", person.headers, approved=True, reason="checked")
