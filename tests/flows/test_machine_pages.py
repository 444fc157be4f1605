"""Devices with certificates on the pages, without scripts: a lost one taken out, somebody else's answered for."""

from __future__ import annotations

from typing import Any

from house import House, Person
from troth.identity.certificates.issuing import fresh_key
from troth.identity.certificates.requesting import request_by

FORM = {"sec-fetch-site": "same-origin", "accept": "text/html"}


def see(home: House, who: Person, path: str) -> str:
    response = home.client.get(path, headers=_cookie(who) | {"accept": "text/html"})
    assert response.status_code == 200, (path, response.status_code)
    return str(response.text)


def send(home: House, who: Person, path: str) -> Any:
    return home.client.post(path, headers=_cookie(who) | FORM, follow_redirects=False)


def enrolled(home: House, who: Person, name: str) -> str:
    made = home.ok("POST", "/v1/devices", who.headers, name=name, request=request_by(fresh_key()))
    return str(made["holder"])


def _cookie(who: Person) -> dict[str, str]:
    return {"cookie": f"__Host-sid={who.headers['authorization'].removeprefix('Bearer ')}"}


def test_a_lost_device_is_taken_out_on_ones_own_page(home: House) -> None:
    ada = home.tenant("machines")
    assert "You have no device" in see(home, ada, "/machines")
    lost, kept = enrolled(home, ada, "lost <b>laptop</b>"), enrolled(home, ada, "kept phone")
    shown = see(home, ada, "/machines")
    assert "lost &lt;b&gt;laptop&lt;/b&gt;" in shown
    assert send(home, ada, f"/machines/{lost}/revoke").status_code == 303
    shown = see(home, ada, "/machines")
    assert lost not in shown
    assert kept in shown
    assert send(home, ada, f"/machines/{lost}/revoke").status_code == 404


def test_administrators_answer_for_and_take_out_those_of_others(home: House) -> None:
    ada = home.tenant("fleet")
    bob = home.member(ada, "bob@fleet.example.org")
    his, hers = enrolled(home, bob, "Bob's tablet"), enrolled(home, ada, "Ada's laptop")
    shown = see(home, ada, "/fleet")
    assert f"/fleet/{his}/confirm" in shown
    assert f"/fleet/{hers}/confirm" not in shown
    assert send(home, ada, f"/fleet/{his}/confirm").status_code == 303
    assert "since" in see(home, ada, "/fleet")
    assert "by your organisation" in see(home, bob, "/machines")
    assert send(home, ada, f"/fleet/{hers}/confirm").status_code == 403
    assert send(home, bob, f"/fleet/{hers}/withdraw").status_code == 403
    assert send(home, ada, f"/fleet/{his}/withdraw").status_code == 303
    assert his not in see(home, ada, "/fleet")
    assert home.client.get("/fleet", headers=_cookie(bob) | {"accept": "text/html"}).status_code == 403
