"""Sign-ins stand in the tenant's own log, and the operator's log says nothing about whom; strangers fill no log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from house import House, house


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as built:
        yield built


def _log(home: House, headers: dict[str, str]) -> list[dict[str, Any]]:
    home.system.base.sequencer.flush()
    entries: list[dict[str, Any]] = home.ok("GET", "/v1/activity", headers, limit=200)["entries"]
    return entries


def test_a_tenant_sees_who_signed_in_and_who_failed_and_the_operator_does_not(home: House) -> None:
    owner = home.tenant("aurora")
    assert home.call("POST", "/v1/sessions", email=owner.email, password="wrong wrong wrong").status_code == 401
    own = {entry["operation"]: entry for entry in _log(home, owner.headers)}
    assert (own["session.opened"]["actor"], own["session.opened"]["outcome"]) == (owner.id, "done")
    assert own["session.opened"]["facts"]["user"] == owner.id
    assert (own["session.refused"]["actor"], own["session.refused"]["code"]) == ("anonymous", "sign-in-failed")
    operators = [entry for entry in _log(home, home.operator) if entry["operation"].startswith("session.")]
    assert {entry["operation"] for entry in operators} == {"session.create", "session.opened"}
    session = own["session.opened"]["facts"]["session"]
    assert not [entry for entry in operators if owner.id in json.dumps(entry) or session in json.dumps(entry)]
    assert own["session.opened"]["request"] in {entry["request"] for entry in operators}


def test_a_stranger_who_reads_the_promises_fills_no_log(home: House) -> None:
    before = len(_log(home, home.operator))
    for _ in range(20):
        assert home.client.get("/v1/promises").status_code == 200
        assert home.client.get("/trust").status_code == 200
        assert home.client.get("/verify").status_code == 200
    home.system.dispatcher.tally()
    newest, *rest = _log(home, home.operator)
    assert newest["operation"] == "public.read"
    assert newest["facts"] == {"counts": {"promise.list": 20, "trust.show": 20}}
    assert len(rest) == before + 2, "nothing but the reading of the log itself"
    home.ok("GET", "/v1/promises", home.operator)
    assert "promise.list" in {entry["operation"] for entry in _log(home, home.operator)[:3]}


def test_the_last_owner_is_not_erased_by_anybody(home: House) -> None:
    owner = home.tenant("lastly")
    officer = home.member(owner, "privacy@lastly.example.org", "privacy-officer")
    refused = home.call("POST", "/v1/erasures", officer.headers, subject=owner.id)
    assert (refused.status_code, refused.json()["code"]) == (409, "last-owner")
    own = home.call("POST", "/v1/erasures/own", owner.headers, confirm="erase everything about me")
    assert (own.status_code, own.json()["code"]) == (409, "last-owner")
    assert home.call("GET", "/v1/me", owner.headers).status_code == 200
    home.member(owner, "second@lastly.example.org", "owner")
    assert home.call("POST", "/v1/erasures", officer.headers, subject=owner.id).status_code == 201
    assert home.call("GET", "/v1/me", owner.headers).status_code == 401


def test_who_is_alone_in_a_tenant_may_be_forgotten(home: House) -> None:
    owner = home.tenant("alone")
    wish = {"confirm": "erase everything about me"}
    assert home.call("POST", "/v1/erasures/own", owner.headers, **wish).status_code == 201
