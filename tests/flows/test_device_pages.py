"""Approving a command line on the portal's pages: typed, looked at, decided; and who is sent elsewhere first."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update

from house import House, Person
from oauth_world import NONE, Program, refused
from troth.identity.store import sessions
from troth.kernel.scope import SYSTEM, within

FORM = {"sec-fetch-site": "same-origin", "accept": "text/html"}


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("device-pages")


def cookie(person: Person) -> dict[str, str]:
    return {"cookie": f"__Host-sid={person.headers['authorization'].removeprefix('Bearer ')}"}


def send(home: House, path: str, person: Person, code: str, **headers: str) -> Any:
    shown = cookie(person) | FORM | headers
    return home.client.post(path, headers=shown, data={"user_code": code}, follow_redirects=False)


def test_a_person_types_looks_and_approves(home: House, owner: Person) -> None:
    program = Program(home)
    begun = program.begin()
    asked = home.client.get("/activate", headers=cookie(owner) | {"accept": "text/html"})
    assert asked.status_code == 200
    assert begun["verification_uri"] == program.issuer + "/activate"
    assert "verification_uri_complete" not in begun
    seen = send(home, "/activate", owner, begun["user_code"].lower())
    assert seen.status_code == 200
    assert "Only go on if you started this yourself" in seen.text
    assert program.key.thumbprint[:12] in seen.text
    assert re.search(r'action="/activate/approve"', seen.text)
    assert "is signed in as you" in send(home, "/activate/approve", owner, begun["user_code"]).text
    assert program.redeem(begun).status_code == 200
    assert send(home, "/activate/approve", owner, begun["user_code"]).status_code == 404


def test_a_person_says_no(home: House, owner: Person) -> None:
    program = Program(home)
    begun = program.begin()
    assert "was refused" in send(home, "/activate/deny", owner, begun["user_code"]).text
    refused(program.redeem(begun), "access_denied")


@pytest.mark.parametrize("typed", ["", "x", "ZZZZ-ZZZZ", "<script>alert(1)</script>", "a" * 200])
def test_what_is_no_code_is_told_and_not_repeated(home: House, typed: str) -> None:
    person = home.tenant(f"device-typo-{len(typed)}")
    answer = send(home, "/activate", person, typed)
    assert answer.status_code in (404, 422)
    assert "<script>alert" not in answer.text


def test_another_site_decides_nothing(home: House, owner: Person) -> None:
    program = Program(home)
    begun = program.begin()
    answer = send(home, "/activate/approve", owner, begun["user_code"], **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    refused(program.redeem(begun), "slow_down")
    by_link = home.client.get(f"/activate/approve?user_code={begun['user_code']}", headers=cookie(owner))
    assert by_link.status_code >= 400


def test_a_stale_proof_and_a_copied_cookie_are_sent_elsewhere(home: House) -> None:
    person, program = home.tenant("device-stale"), Program(home)
    begun = program.begin()
    answer = send(home, "/activate/approve", person, begun["user_code"], dpop=NONE)
    assert answer.status_code != 200  # the cookie alone
    with within(SYSTEM), home.system.base.database.write() as sql:
        older = sessions.c.verified_at - 16 * 60 * 1000
        sql.execute(update(sessions).where(sessions.c.user == person.id).values(verified_at=older))
    for answer in (
        home.client.get("/activate", headers=cookie(person) | {"accept": "text/html"}, follow_redirects=False),
        send(home, "/activate/approve", person, begun["user_code"]),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/prove?back=")
    refused(program.redeem(begun), "slow_down")
