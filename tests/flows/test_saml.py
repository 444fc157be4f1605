"""Sign-in through a SAML provider by every door: an owner connects it, a browser goes and comes back from elsewhere."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate
from lxml import etree

import saml_world as w
from house import House, Person

FOREIGN = {"origin": "https://idp.example", "sec-fetch-site": "cross-site"}


@dataclass
class Connected:
    """A connection, and what the provider knows of us."""

    home: House
    owner: Person
    shown: dict[str, Any]

    def begin(self) -> tuple[str, str]:
        """The id of our request, and the state; the browser keeps the cookie."""
        self.home.client.cookies.clear()
        path = f"/sign-in/saml/{self.shown['id']}"
        sent = self.home.client.get(path, follow_redirects=False)
        assert sent.status_code == 303, sent.text
        cookie = sent.headers["set-cookie"]
        assert cookie.startswith("__Host-saml=")
        assert {"Secure", "HttpOnly", "SameSite=none", "Path=/"} <= set(cookie.split("; "))
        query = parse_qs(urlsplit(sent.headers["location"]).query)
        root = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))
        assert root.get("AssertionConsumerServiceURL") == self.shown["acs"]
        return root.get("ID"), query["RelayState"][0]

    def answer(self, request: str, **changes: Any) -> str:
        """An honest Response of this moment, in base64."""
        now = datetime.now(UTC)

        def at(seconds: float) -> str:
            return (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

        facts = w.Facts(
            name_id="ada@delta.example",
            destination=self.shown["acs"],
            recipient=self.shown["acs"],
            audience=self.shown["entity_id"],
            response_to=request,
            confirmation_to=request,
            issued=at(0),
            not_before=at(-30),
            not_on_or_after=at(300),
            confirmation_until=at(300),
            authenticated=at(-5),
            session_until=at(1800),
        )
        return base64.b64encode(w.both_signed(w.replace(facts, **changes)).encode()).decode()

    def come_back(self, response: str, state: str) -> Any:
        """What the provider's page posts."""
        place = urlsplit(self.shown["acs"]).path
        form = {"SAMLResponse": response, "RelayState": state}
        return self.home.client.post(place, data=form, headers=FOREIGN, follow_redirects=False)


@pytest.fixture(scope="module")
def connected(home: House) -> Connected:
    owner = home.tenant("delta")
    wish = {
        "name": "Delta's provider",
        "metadata": w.provider_metadata("idp"),
        "domains": ["delta.example"],
        "rules": {"role_claim": "groups", "roles": {"staff": "member"}, "assurance": 2},
        "just_in_time": True,
    }
    made = home.ok("POST", "/v1/sso/saml", owner.headers, **wish)
    home.ok("POST", "/v1/sso/domains", home.operator, connection_id=made["id"], domain="delta.example")
    return Connected(home, owner, made)


def _refusals(at: Connected) -> list[str]:
    """Reasons in the tenant's log, newest first."""
    at.home.system.base.sequencer.flush()
    found = at.home.ok("GET", "/v1/activity", at.owner.headers, limit=200)
    entries = found["entries"]
    return [
        one["facts"]["reason"] for one in entries if one["operation"] == "session.refused" and "reason" in one["facts"]
    ]


def test_a_browser_comes_back_from_the_provider_with_a_session(connected: Connected) -> None:
    request, state = connected.begin()
    back = connected.come_back(connected.answer(request), state)
    assert (back.status_code, back.headers["location"]) == (303, "/")
    token = back.cookies["__Host-sid"]
    me = connected.home.ok("GET", "/v1/me", {"authorization": f"Bearer {token}"})
    assert (me["email"], me["tenant"], me["roles"]) == ("ada@delta.example", connected.owner.tenant, ["member"])
    sessions = connected.home.ok("GET", "/v1/sessions", {"authorization": f"Bearer {token}"})
    (mine,) = [one for one in sessions["sessions"] if one["id"] == sessions["current"]]
    assert mine["expires_at"] <= (datetime.now(UTC) + timedelta(seconds=1800)).timestamp() * 1000


def test_another_browser_gets_nothing(connected: Connected) -> None:
    request, state = connected.begin()
    connected.home.client.cookies.clear()
    back = connected.come_back(connected.answer(request), state)
    assert back.status_code == 401
    assert "__Host-sid" not in back.cookies


def test_an_answer_comes_once(connected: Connected) -> None:
    request, state = connected.begin()
    response = connected.answer(request, assertion_id="_once")
    assert connected.come_back(response, state).status_code == 303
    assert connected.come_back(response, state).status_code == 401


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda at: {"audience": "https://other.example"}, "audience"),
        (lambda at: {"provider": "https://evil.example"}, "issuer"),
        (lambda at: {"confirmation_to": None}, "unsolicited"),
    ],
    ids=["audience", "issuer", "unsolicited"],
)
def test_the_log_says_why_and_the_stranger_does_not_learn_it(
    connected: Connected, change: Callable[[Connected], dict[str, Any]], reason: str
) -> None:
    request, state = connected.begin()
    back = connected.come_back(connected.answer(request, **change(connected)), state)
    assert back.status_code == 401
    assert "start again from the sign-in page" in back.text
    assert reason not in back.text.replace("saml-refused", "")
    assert reason in _refusals(connected)


def test_an_assertion_that_came_before_is_refused_in_a_fresh_attempt(connected: Connected) -> None:
    first, state = connected.begin()
    assert connected.come_back(connected.answer(first, assertion_id="_twice"), state).status_code == 303
    second, state = connected.begin()
    assert connected.come_back(connected.answer(second, assertion_id="_twice"), state).status_code == 401
    assert "replayed" in _refusals(connected)


def test_the_request_is_signed_by_the_key_in_our_metadata_also_after_a_rotation(connected: Connected) -> None:
    home, owner, place = connected.home, connected.owner, f"/v1/sso/saml/{connected.shown['id']}"

    def signer() -> str:
        sent = home.client.get(f"/sign-in/saml/{connected.shown['id']}", follow_redirects=False)
        query, _, signature = sent.headers["location"].partition("?")[2].partition("&Signature=")
        value = base64.b64decode(parse_qs(f"s={signature}")["s"][0])
        root = etree.fromstring(home.client.get(f"{place}/metadata").content)
        for one in root.iter(f"{{{w.NS['ds']}}}X509Certificate"):
            key = load_der_x509_certificate(base64.b64decode(one.text)).public_key()
            assert isinstance(key, RSAPublicKey)
            try:
                key.verify(value, query.encode(), PKCS1v15(), hashes.SHA256())
            except InvalidSignature:
                continue
            return str(one.text)
        raise AssertionError("no certificate of our metadata fits")

    before = signer()
    assert len(home.ok("POST", f"{place}/rotate", owner.headers)["own"]) == 2
    assert signer() == before
    assert len(home.ok("POST", f"{place}/rotate", owner.headers)["own"]) == 1
    assert signer() != before


def test_a_change_brings_the_providers_next_certificate(connected: Connected) -> None:
    home, owner, place = connected.home, connected.owner, f"/v1/sso/saml/{connected.shown['id']}"
    wish = {
        "name": "Delta's provider",
        "metadata": w.provider_metadata("idp", "next"),
        "domains": ["delta.example"],
        "rules": {"role_claim": "groups", "roles": {"staff": "member"}, "assurance": 2},
        "just_in_time": True,
    }
    assert len(home.ok("PUT", place, owner.headers, **wish)["certificates"]) == 2
    assert len(home.ok("GET", place, owner.headers)["certificates"]) == 2


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ("<x/>", "saml-metadata"),
        ("<!DOCTYPE x>" + w.provider_metadata("idp"), "saml-metadata"),
        (w.provider_metadata(), "saml-certificate"),
        (w.provider_metadata("idp", validUntil="2020-01-01T00:00:00Z"), "saml-metadata-expired"),
        (w.provider_metadata("idp").replace(w.SSO, "javascript:alert(1)"), "saml-metadata"),
        (w.provider_metadata("idp").replace(w.SSO, "http://idp.example/sso"), "saml-metadata"),
        (w.provider_metadata("idp").replace("HTTP-Redirect", "HTTP-POST"), "saml-metadata"),
    ],
    ids=["no-metadata", "doctype", "no-certificate", "expired", "script-address", "plain-http", "no-redirect"],
)
def test_bad_metadata_is_refused(connected: Connected, metadata: str, code: str) -> None:
    wish = {"name": "x", "metadata": metadata, "domains": ["delta.example"]}
    answer = connected.home.call("POST", "/v1/sso/saml", connected.owner.headers, **wish)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_only_an_owner_connects_a_provider(connected: Connected) -> None:
    admin = connected.home.member(connected.owner, "admin@delta.example.org", "admin")
    wish = {"name": "x", "metadata": w.provider_metadata("idp"), "domains": ["delta.example"]}
    answer = connected.home.call("POST", "/v1/sso/saml", admin.headers, **wish)
    assert (answer.status_code, answer.json()["code"]) == (403, "role-not-yours")


def test_other_pages_take_no_post_from_another_site(connected: Connected) -> None:
    assert connected.home.client.post("/sign-in", data={"email": "x"}, headers=FOREIGN).status_code == 403
