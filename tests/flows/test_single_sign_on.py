"""Single sign-on through every door: an owner connects a provider, people come in by the portal, the provider sends
them out again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
from sqlalchemy import delete, select, update

from conformance.identity.faulty_provider import Provider, running
from house import ADDRESS, PASSWORD, House, Person, house
from troth.identity.store import attempts
from troth.kernel.scope import SYSTEM, within

PLACES = {"sso_private_networks": ["127.0.0.0/8"], "sso_plain_loopback": True}
PLACE = {"sso": "", "saml": "saml/"}
PAGE = {"accept": "text/html", "sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("sso"), identity=PLACES) as built:
        yield built


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running(Provider(lambda: int(time.time()))) as made:
        yield made


@pytest.fixture
def owner(home: House, request: pytest.FixtureRequest) -> Person:
    return home.tenant("sso-" + re.sub(r"\W+", "-", request.node.name)[-30:].strip("-"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "https://127.0.0.1/x"])
def test_what_is_open_to_providers_is_closed_to_webhooks(home: House, owner: Person, url: str) -> None:
    refused = home.call("POST", "/v1/webhooks", owner.headers, url=url)
    assert (refused.status_code, refused.json()["code"]) == (422, "webhook-address-refused")


def wish(provider: Provider, domain: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Acme's directory",
        "issuer": provider.issuer,
        "client_id": "troth",
        "client_secret": "a secret of the client",
        "domains": [domain],
        "rules": {"role_claim": "groups", "roles": {"x": "member"}, "assurance": 2},
        "just_in_time": True,
        **changes,
    }


def connected(
    home: House, owner: Person, provider: Provider, domain: str, *, verified: bool = True, **changes: Any
) -> dict[str, Any]:
    provider.reset()
    provider.lies.userinfo = lambda said: said.update(email=f"ada@{domain}", sub=f"ada-{domain}")
    provider.lies.claims = lambda said: said.update(sub=f"ada-{domain}")
    made = home.ok("POST", "/v1/sso/connections", owner.headers, **wish(provider, domain, **changes))
    if verified:
        home.ok("POST", "/v1/sso/domains", home.operator, connection_id=made["id"], domain=domain)
    return dict(made)


def browse(home: House, path: str) -> Any:
    return home.client.get(path, headers=PAGE, follow_redirects=False)


def through_the_portal(home: House, provider: Provider, connection: str) -> Any:
    """From the link to where the browser stands in the end."""
    away = browse(home, f"/sign-in/sso/{connection}")
    assert away.status_code == 303, away.text
    said = provider.authorize(away.headers["location"])
    back = urlsplit(provider.seen[-1]["redirect_uri"])
    assert back.path == f"/sign-in/sso/{connection}/callback"
    return home.client.get(back.path, params=said, headers=PAGE, follow_redirects=False)


def test_a_person_comes_in_by_the_portal_and_is_sent_out(home: House, provider: Provider, owner: Person) -> None:
    made = connected(home, owner, provider, "one.example.org", verified=False)
    assert made["redirect_uri"].endswith(f"/sign-in/sso/{made['id']}/callback")
    assert "a secret of the client" not in str(made)
    email = {"email": "ada@one.example.org"}
    assert home.ok("POST", "/v1/sso/find", **email)["connection_id"] is None  # nobody saw whose the domain is
    home.ok("POST", "/v1/sso/domains", home.operator, connection_id=made["id"], domain="one.example.org")
    found = home.client.post("/sign-in/sso", data=email, headers={**PAGE, "origin": ADDRESS})
    link = re.search(r'href="(/sign-in/sso/[^"]+)"', unescape(found.text))
    assert link is not None
    assert link[1] == f"/sign-in/sso/{made['id']}"
    home.client.cookies.clear()
    done = through_the_portal(home, provider, made["id"])
    assert (done.status_code, done.headers["location"]) == (303, "/")
    session = {"authorization": f"Bearer {home.client.cookies['__Host-sid']}"}
    me = home.ok("GET", "/v1/me", session)
    assert (me["email"], me["roles"], me["assurance"]) == ("ada@one.example.org", ["member"], 2)
    provider.lies.logout = lambda said: said.update(sub="ada-one.example.org")
    token = {"logout_token": provider.logout_token("troth")}
    place = f"/v1/sso/connections/{made['id']}/logout"
    assert home.client.post(place, data=token).status_code == 200
    assert home.call("GET", "/v1/me", session).status_code == 401
    assert home.client.post(place, data=token).status_code == 400
    home.system.base.sequencer.flush()
    entries = home.ok("GET", "/v1/activity", owner.headers)["entries"]
    names = [one["operation"] for one in entries]
    assert {"sso.connect", "sso.account-made", "session.opened"} <= set(names)
    home.client.cookies.clear()


def test_an_answer_in_another_browser_opens_nothing(home: House, provider: Provider, owner: Person) -> None:
    made = connected(home, owner, provider, "two.example.org")
    away = browse(home, f"/sign-in/sso/{made['id']}")
    said = provider.authorize(away.headers["location"])
    home.client.cookies.clear()
    answer = home.client.get(f"/sign-in/sso/{made['id']}/callback", params=said, headers=PAGE, follow_redirects=False)
    assert answer.status_code == 401
    assert "__Host-sid" not in home.client.cookies


def test_only_an_owner_says_who_vouches(home: House, provider: Provider, owner: Person) -> None:
    admin = home.member(owner, "admin@three.example.org", "admin")
    made = connected(home, owner, provider, "three.example.org")
    assert home.call("POST", "/v1/sso/connections", admin.headers, **wish(provider, "x.example.org")).status_code == 403
    here = f"/v1/sso/connections/{made['id']}"
    assert home.call("DELETE", here, admin.headers).status_code == 403
    assert home.ok("POST", here + "/test", admin.headers)["keys"] == 2
    link = {"connection_id": made["id"], "user_id": admin.id, "subject": "somebody-else"}
    refused = home.call("POST", "/v1/sso/links", admin.headers, **link)  # not even for oneself
    assert (refused.status_code, refused.json()["code"]) == (403, "role-not-yours")
    other = home.tenant("sso-elsewhere")
    assert home.call("DELETE", here, other.headers).status_code == 404
    assert home.call("POST", here + "/test", other.headers).status_code == 404
    changed = home.ok("PUT", here, owner.headers, **wish(provider, "three.example.org", name="Renamed"))
    assert (changed["name"], changed["secret"]) == ("Renamed", True)
    home.ok("DELETE", here, owner.headers)
    assert home.ok("GET", "/v1/sso/connections", owner.headers)["connections"] == []


def test_private_addresses_are_refused(home: House, provider: Provider, owner: Person) -> None:
    for issuer in ("https://10.0.0.1", "https://169.254.169.254/latest", "http://192.168.1.1", "https://[::1]"):
        body = wish(provider, "five.example.org", issuer=issuer)
        answer = home.call("POST", "/v1/sso/connections", owner.headers, **body)
        assert answer.status_code == 422, issuer


def test_an_existing_account_waits_for_its_owner(home: House, provider: Provider, owner: Person) -> None:
    bob = home.member(owner, "ada@four.example.org", "member")
    made = connected(home, owner, provider, "four.example.org")
    answer = through_the_portal(home, provider, made["id"])
    assert answer.status_code == 401
    assert "confirms the link first" in answer.text
    (link,) = home.ok("GET", "/v1/sso/links", owner.headers)["links"]
    assert (link["user"], link["confirmed"]) == (bob.id, False)
    home.ok("POST", f"/v1/sso/links/{link['id']}/confirm", owner.headers)
    assert through_the_portal(home, provider, made["id"]).status_code == 303
    with within(SYSTEM):
        kinds = {one.kind for one in home.system.identity.holder.holdings(bob.tenant, bob.id)}
        assert "sign-on-link" in kinds
    home.ok("DELETE", f"/v1/sso/links/{link['id']}", owner.headers)
    assert browse(home, "/data").headers["location"].startswith("/sign-in")
    home.client.cookies.clear()


def test_an_enforced_provider_is_the_only_way_but_for_owners(home: House, provider: Provider, owner: Person) -> None:
    member = home.member(owner, "cal@six.example.org", "member")
    connected(home, owner, provider, "six.example.org", enforced=True)
    for person, status in ((member, 401), (owner, 201)):
        time_now = pyotp.TOTP(person.secret).at(int(time.time()) + 30)
        answer = home.call("POST", "/v1/sessions", email=person.email, password=PASSWORD, totp=time_now)
        assert answer.status_code == status, answer.text
        assert status == 201 or answer.json()["code"] == "sso-required"


@pytest.mark.parametrize("kind", ["sso", "saml"])
def test_attempts_by_strangers_are_counted(home: House, kind: str) -> None:
    """Nobody is known yet: what is begun, and what is refused, counts for the neighbourhood it comes from."""
    wishes = {
        "begin": {"connection_id": "sso_none"},
        "finish": {"connection_id": "sso_none", "state": "s" * 43, "browser": "b" * 43},
    }
    if kind == "saml":
        wishes["finish"] |= {"response": "AAAA"}
    with within(SYSTEM), home.system.base.database.write() as sql:
        sql.execute(delete(attempts))
    for step, wish in wishes.items():
        assert home.call("POST", f"/v1/sso/{PLACE[kind]}{step}", **wish).status_code in (401, 404)
    with within(SYSTEM), home.system.base.database.write() as sql:
        assert sql.execute(select(attempts.c.failures)).scalars().all() == [1, 1]
        sql.execute(update(attempts).values(next_at=attempts.c.forget_at))
    for step, wish in wishes.items():
        assert home.call("POST", f"/v1/sso/{PLACE[kind]}{step}", **wish).status_code == 429
    with within(SYSTEM), home.system.base.database.write() as sql:
        sql.execute(delete(attempts))


@pytest.mark.parametrize("kind", ["sso", "saml"])
@pytest.mark.parametrize(
    "came",
    [
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
        {"referer": "https://evil.example/"},
    ],
)
def test_another_site_does_not_begin_a_sign_in(home: House, kind: str, came: dict[str, str]) -> None:
    """Else it signs a person in to an account of its own, where they leave what is theirs."""
    place = f"/sign-in/{kind}/sso_none"
    asked = home.client.get(place, headers={"accept": "text/html", **came}, follow_redirects=False)
    assert (asked.status_code, f'href="{place}"' in asked.text) == (200, True)
    assert "set-cookie" not in asked.headers
    assert browse(home, place).status_code == 404  # our own page does begin, here at a connection that is not there
