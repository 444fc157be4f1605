"""The owner's pages of single sign-on, by plain forms as a browser without scripts sends them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

import saml_world as w
from house import ADDRESS, House, Person

FORM = {"accept": "text/html", "sec-fetch-site": "same-origin", "origin": ADDRESS}
OIDC = {
    "name": "Acme <b>directory</b>",
    "domains": "pages.example.org\nmore.example.org",
    "role_claim": "groups",
    "roles": "staff = member\nlab=auditor",
    "required": "hd = pages.example.org\nhd = more.example.org",
    "assurance": "2",
    "just_in_time": "yes",
    "issuer": "https://idp.pages.example.org",
    "client_id": "troth",
    "client_auth": "private_key_jwt",
    "algorithm": "ES256",
}


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("pages")


def ask(home: House, person: Person, method: str, path: str, **sent: Any) -> Any:
    home.client.cookies.set("__Host-sid", person.headers["authorization"].removeprefix("Bearer "))
    try:
        return home.client.request(method, path, headers=FORM, follow_redirects=False, **sent)
    finally:
        home.client.cookies.clear()


def seen(home: House, person: Person, path: str) -> str:
    answer = ask(home, person, "GET", path)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def made(home: House, owner: Person, **changes: str) -> str:
    answer = ask(home, owner, "POST", "/single-sign-on", data=OIDC | changes)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def test_an_owner_connects_by_openid_connect(home: House, owner: Person) -> None:
    place = made(home, owner)
    page = seen(home, owner, place)
    assert "Acme <b>directory</b>" in page
    assert "<b>directory" not in ask(home, owner, "GET", place).text  # what people write is text
    assert f"/v1/sso/connections/{place.rpartition('/')[2]}/keys" in page
    (shown,) = [
        one for one in home.ok("GET", "/v1/sso/connections", owner.headers)["connections"] if one["id"] in place
    ]
    assert shown["rules"]["roles"] == {"staff": "member", "lab": "auditor"}
    assert shown["rules"]["required"] == {"hd": ["pages.example.org", "more.example.org"]}
    assert (shown["just_in_time"], shown["settings"]["algorithms"]) == (True, ["ES256"])
    (key,) = home.ok("GET", f"/v1/sso/connections/{shown['id']}/keys")["keys"]
    assert "d" not in key
    home.ok("POST", "/v1/sso/domains", home.operator, connection_id=shown["id"], domain="pages.example.org")
    assert re.search(r"pages\.example\.org</dt><dd><span class=\"state kept\">verified", seen(home, owner, place))
    wrong = ask(home, owner, "POST", f"{place}/delete", data={"words": "yes"})
    assert wrong.status_code == 422
    assert ask(home, owner, "POST", f"{place}/delete", data={"words": "delete this connection"}).status_code == 303
    assert ask(home, owner, "GET", place).status_code == 404


@pytest.mark.parametrize("bad", [{"roles": "staff"}, {"issuer": "https://accounts.google.com", "required": ""}])
def test_what_does_not_hold_is_told_on_the_page(home: House, owner: Person, bad: dict[str, str]) -> None:
    answer = ask(home, owner, "POST", "/single-sign-on", data=OIDC | bad)
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)


@pytest.mark.parametrize("as_file", [False, True])
def test_an_owner_connects_by_saml(home: House, owner: Person, as_file: bool) -> None:
    fields = {"name": "SAML", "domains": "saml.example.org", "assurance": "1"}
    metadata = w.provider_metadata("idp")
    files = {"metadata-file": ("idp.xml", metadata, "text/xml")}
    given = fields | ({} if as_file else {"metadata": metadata})
    answer = ask(home, owner, "POST", "/single-sign-on/saml", data=given, files=files if as_file else None)
    assert answer.status_code == 303, answer.text
    page = seen(home, owner, answer.headers["location"])
    assert page.count("Certificate of") == 2
    assert "/metadata" in page
    assert "ends" in seen(home, owner, "/single-sign-on")


def test_enforcing_counts_before_and_asks_for_words(home: House, owner: Person) -> None:
    cal = home.member(owner, "cal@pages.example.org", "member")
    home.key(cal, "own-data")
    place = made(home, owner, name="Only way")
    page = seen(home, owner, place)
    counted = re.search(r'name="people" value="(\d+)"', page)
    assert counted is not None
    assert "1 API key of theirs would end" in page
    words = {"words": "only through the provider"}
    assert ask(home, owner, "POST", f"{place}/enforce", data={"people": counted[1]}).status_code == 422
    late = {"people": str(int(counted[1]) + 1), **words}
    assert ask(home, owner, "POST", f"{place}/enforce", data=late).status_code == 409
    assert home.call("GET", "/v1/me", cal.headers).status_code == 200
    assert ask(home, owner, "POST", f"{place}/enforce", data={"people": counted[1], **words}).status_code == 303
    assert home.call("GET", "/v1/me", cal.headers).status_code == 401
    assert "Nobody signs in by password" in seen(home, owner, place)
    assert ask(home, owner, "POST", f"{place}/enforce", data={"people": ""}).status_code == 303
    assert "It would concern" in seen(home, owner, place)


def test_links_wait_for_whom_they_must(home: House, owner: Person) -> None:
    place = made(home, owner, name="Links")
    officer = home.member(owner, "officer@pages.example.org", "privacy-officer")
    bob = home.member(owner, "bob@pages.example.org", "member")
    for person, subject in ((officer, "officer"), (bob, "bob")):
        sent = {"user_id": person.id, "subject": subject}
        assert ask(home, owner, "POST", f"{place}/links", data=sent).status_code == 303
    links = {one["user"]: one for one in home.ok("GET", "/v1/sso/links", owner.headers)["links"]}
    assert (links[officer.id]["confirmed"], links[bob.id]["confirmed"]) == (False, True)
    waiting = links[officer.id]["id"]
    assert ask(home, owner, "POST", f"/single-sign-on/links/{waiting}/confirm").status_code == 403
    assert ask(home, bob, "POST", f"/my-links/{waiting}/accept").status_code == 403
    assert "waits" in seen(home, officer, "/my-links")
    assert ask(home, officer, "POST", f"/my-links/{waiting}/accept").status_code == 303
    mine = seen(home, officer, "/my-links")
    assert "waits" not in mine
    assert f'href="/sign-in/sso/{place.rpartition("/")[2]}?fresh"' in mine  # how who has no other way steps up
    home.client.cookies.clear()
    assert home.ok("GET", "/v1/me/links", home.operator)["links"] == []
    assert ask(home, owner, "POST", f"/single-sign-on/links/{waiting}/remove").status_code == 303
    assert ask(home, owner, "POST", f"/single-sign-on/links/{waiting}/nothing").status_code == 404


def test_an_administrator_looks_and_changes_nothing(home: House, owner: Person) -> None:
    place = made(home, owner, name="Looked at")
    admin = home.member(owner, "admin@pages.example.org", "admin")
    assert "It would concern" not in seen(home, admin, place)
    assert "Connect a provider" not in seen(home, admin, "/single-sign-on")
    assert ask(home, admin, "POST", "/single-sign-on", data=OIDC).status_code == 403
    assert ask(home, admin, "POST", f"{place}/enforce", data={"people": ""}).status_code == 403
    member = home.member(owner, "member@pages.example.org", "member")
    assert ask(home, member, "GET", "/single-sign-on").status_code == 403
