"""The rights of people from end to end: by portal, API and e-mail, with a real mail server on each side."""

from __future__ import annotations

import io
import json
import smtplib
import socket
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pyotp
import pytest

from house import House, Person, house
from mail_world import PASSWORD, USER, Postbox, relay
from troth.kernel.scope import SYSTEM, within

DOMAIN = "desk.example.org"


@pytest.fixture(scope="module")
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, postbox: Postbox) -> Iterator[House]:
    """A house with an e-mail desk and a relay."""
    folder: Path = tmp_path_factory.mktemp("office")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    with relay(folder, postbox, port=port) as authority:
        mail = {"listen": "127.0.0.1:0", "domain": DOMAIN, "relay_host": "127.0.0.1", "relay_port": port}
        mail |= {"relay_authority": authority, "relay_user": USER, "relay_password": PASSWORD}
        with house(folder, mail=mail) as built:
            yield built


def send(office: House, tenant: str, sender: str, text: str) -> None:
    with smtplib.LMTP(*office.system.mail.listener.bound, timeout=20) as client:
        message = f"From: {sender}\r\nSubject: My data\r\n\r\n{text}\r\n"
        client.sendmail(sender, [f"privacy+{tenant}@{DOMAIN}"], message)


def deliver(office: House) -> int:
    with within(SYSTEM):
        return int(office.system.mail.desk.deliver())


def archive(home: House, person: Person) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(home.call("POST", "/v1/export", person.headers).content)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def cookie(person: Person) -> dict[str, str]:
    return {"cookie": f"__Host-sid={person.headers['authorization'].partition(' ')[2]}"}


def test_a_mail_becomes_an_erasure_only_after_a_sign_in(office: House, postbox: Postbox) -> None:
    owner = office.tenant("mailed")
    maria = office.member(owner, "maria@mailed.example.org", name="Maria")
    before = len(postbox.mails)
    send(office, owner.tenant, maria.email, "Please erase everything about me.")
    (asked,) = office.ok("GET", "/v1/requests", maria.headers)["requests"]
    assert (asked["state"], asked["kind"], asked["level"]) == ("received", "unsorted", 1)
    assert deliver(office) == 1
    path, recipients, raw = postbox.mails[before]
    assert (path, recipients) == ("<>", [maria.email])
    assert asked["id"] in str(message_from_bytes(raw).get_payload())
    assert office.ok("GET", f"/v1/requests/{asked['id']}", maria.headers)["request"]["state"] == "confirmed"

    place = f"/v1/desk/requests/{asked['id']}"
    office.ok("POST", f"{place}/sort", owner.headers, kind="erasure")
    office.ok("POST", f"{place}/take", owner.headers)
    refused = office.call("POST", f"{place}/answer", owner.headers, text="Done.")
    assert refused.json()["code"] == "identity-not-shown"
    assert office.ok("POST", f"/v1/requests/{asked['id']}/confirm", maria.headers)["level"] == 2
    assert office.ok("GET", place, owner.headers)["subject"] == maria.id

    assert office.ok("POST", "/v1/erasures", owner.headers, subject=maria.id)["state"] == "done"
    closed = next(
        one for one in office.ok("GET", "/v1/desk/requests", owner.headers)["requests"] if one["id"] == asked["id"]
    )
    assert (closed["state"], closed["urgency"]) == ("answered", "on-time")
    shown = office.ok("GET", place, owner.headers)
    assert (shown["text"], shown["address"], shown["subject"]) == ("", None, None)
    assert deliver(office) == 1  # the last letter: its address was sealed apart before the keys went
    _, recipients, raw = postbox.mails[-1]
    assert recipients == [maria.email]
    assert "was erased" in str(message_from_bytes(raw).get_payload())
    assert deliver(office) == 0


def test_a_stranger_is_told_by_mail(office: House, postbox: Postbox) -> None:
    owner = office.tenant("stranger")
    before = len(postbox.mails)
    send(office, owner.tenant, "joe@nowhere.example.org", "What do you have about me?")
    (asked,) = office.ok("GET", "/v1/desk/requests", owner.headers)["requests"]
    place = f"/v1/desk/requests/{asked['id']}"
    office.ok("POST", f"{place}/sort", owner.headers, kind="access")
    office.ok("POST", f"{place}/verify", owner.headers, means="video-call")
    office.ok("POST", f"{place}/take", owner.headers)
    office.ok("POST", f"{place}/extend", owner.headers, reason="complexity")
    office.ok("POST", f"{place}/answer", owner.headers, text="We hold nothing about you.")
    assert deliver(office) == 3
    texts = [str(message_from_bytes(raw).get_payload()) for _, _, raw in postbox.mails[before:]]
    assert any("takes longer" in text for text in texts)
    assert any("We hold nothing about you." in text for text in texts)
    assert office.ok("GET", "/v1/desk/requests", owner.headers)["letters"] == []


def test_a_relay_that_refuses_leaves_it_to_a_person(office: House, postbox: Postbox) -> None:
    owner = office.tenant("by-hand")
    send(office, owner.tenant, "joe@nowhere.example.org", "Hello, my data please.")
    postbox.refuse = True
    try:
        assert [deliver(office) for _ in range(8)] == [0] * 8
    finally:
        postbox.refuse = False
    (letter,) = office.ok("GET", "/v1/desk/requests", owner.headers)["letters"]
    assert (letter["by_hand"], letter["address"]) == (True, "joe@nowhere.example.org")
    done = office.ok("POST", f"/v1/desk/requests/{letter['request']}/notices", owner.headers, notice="receipt")
    assert done["state"] == "confirmed"


def test_correcting_oneself(home: House) -> None:
    owner = home.tenant("corrected")
    person = home.member(owner, "wrng@corrected.example.org", name="Marai")
    code = pyotp.TOTP(person.secret)
    wrong = home.call("POST", "/v1/me/rectification", person.headers, totp="000000", display_name="Maria")
    assert wrong.status_code == 401
    later = {
        "totp": code.at(datetime.now(UTC) + timedelta(seconds=30)),
        "email": "maria@corrected.example.org",
        "display_name": "Maria",
    }
    home.ok("POST", "/v1/me/rectification", person.headers, **later)
    me = home.ok("GET", "/v1/me", person.headers)
    assert (me["email"], me["display_name"]) == ("maria@corrected.example.org", "Maria")
    text = archive(home, person)["data/identity.json"].decode()
    assert "wrng@" not in text
    assert "maria@corrected.example.org" in text


def test_answers_show_a_consent_as_it_stands_after_the_call(home: House) -> None:
    owner = home.tenant("consenting")
    given = home.ok("POST", "/v1/consents", owner.headers, purpose="training", notice="2026-11")
    assert given["valid"]
    assert [one["valid"] for one in home.ok("GET", "/v1/consents", owner.headers)["consents"]] == [True]
    ended = home.ok("DELETE", f"/v1/consents/{given['id']}", owner.headers)
    assert not ended["valid"]
    assert [one["valid"] for one in home.ok("GET", "/v1/consents", owner.headers)["consents"]] == [False]


def test_an_objection_stops_vendors_that_keep_requests(home: House) -> None:
    """The gateway asks the same register, at each request."""
    owner = home.tenant("objecting")
    consents = home.system.vault.consents
    home.ok("POST", "/v1/consents", owner.headers, purpose="vendor-retention", notice="2026-11")
    assert consents.valid(owner.tenant, owner.id, "vendor-retention")
    done = home.ok("POST", "/v1/requests", owner.headers, kind="objection", purpose="vendor-retention")
    assert done["state"] == "answered"
    assert consents.valid(owner.tenant, owner.id, "vendor-retention") is None
    again = home.call("POST", "/v1/consents", owner.headers, purpose="vendor-retention", notice="2026-11")
    assert (again.status_code, again.json()["code"]) == (409, "objected")


def test_who_restricted_everything_keeps_their_rights(home: House) -> None:
    owner = home.tenant("restricted")
    home.ok("POST", "/v1/processing/restriction", owner.headers, reason="accuracy-contested")
    asked = home.ok("POST", "/v1/requests", owner.headers, kind="rectification", text="My age is wrong.")
    home.ok("POST", "/v1/statements", owner.headers, about="account", text="My age is 41.")
    home.ok("POST", "/v1/requests", owner.headers, kind="opt-out")
    assert home.ok("GET", f"/v1/requests/{asked['id']}", owner.headers)["text"] == "My age is wrong."
    rights = json.loads(archive(home, owner)["data/rights.json"])
    assert {one["kind"] for one in rights} == {"request", "statement", "objection"}
    home.ok("DELETE", "/v1/processing/restriction", owner.headers)


def test_the_signal_of_a_browser_is_honoured_at_both_doors_and_shown(home: House) -> None:
    owner = home.tenant("signalled")
    assert home.client.get("/.well-known/gpc.json").json()["gpc"] is True
    page = home.client.get("/my-requests", headers=cookie(owner))
    assert "privacy signal" not in page.text
    page = home.client.get("/my-requests", headers=cookie(owner) | {"sec-gpc": "1"})
    assert "privacy signal is honoured" in page.text
    member = home.member(owner, "m@signalled.example.org")
    home.client.get("/v1/models", headers=home.key_headers(member, "generate") | {"sec-gpc": "1"})
    raised = home.ok("GET", "/v1/objections", member.headers)["objections"]
    assert {one["purpose"] for one in raised} == {"sale", "sharing"}


def test_pages_from_request_to_answer(home: House) -> None:
    owner = home.tenant("paged")
    person = home.member(owner, "p@paged.example.org")
    own = {"sec-fetch-site": "same-origin"}

    def post(path: str, who: Person, **fields: str) -> Any:
        return home.client.post(path, headers=cookie(who) | own, data=fields, follow_redirects=False)

    made = post("/my-requests", person, kind="access", text="All of it, please.")
    assert made.status_code == 303
    identifier = made.headers["location"].rpartition("/")[2]
    place = f"/desk/{identifier}"
    assert "All of it, please." in home.client.get(place, headers=cookie(owner)).text
    assert post(f"{place}/take", owner).status_code == 303
    assert post(f"{place}/extend", owner, reason="complexity").status_code == 303
    second = post(f"{place}/extend", owner, reason="complexity")
    assert second.status_code == 409
    assert "extended once" in second.text
    assert post(f"{place}/answer", owner, text="Take the archive below.").status_code == 303
    page = home.client.get(f"/my-requests/{identifier}", headers=cookie(person)).text
    assert "Take the archive below." in page
    assert 'action="/export"' in page
    assert post(f"{place}/dance", owner).status_code == 404
    assert post("/my-requests", person, kind="dance").status_code == 422
