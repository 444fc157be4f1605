"""Operators look at keys, rotate them and answer a compromise, over HTTPS; nobody else does."""

from __future__ import annotations

import json

import pytest

from house import House
from troth.audit.log import Filter


def _told(home: House, operation: str) -> list[dict[str, object]]:
    home.system.base.sequencer.flush()
    page = home.system.base.reader.page("operator", Filter(operation=operation), before=None, limit=10)
    return [json.loads(entry.leaf)["facts"] for entry in page.entries]


def test_an_operator_lists_rotates_and_replaces_compromised_roots(home: House) -> None:
    me = home.operator
    before = home.ok("GET", "/v1/root-keys", me)
    assert [root["state"] for root in before["roots"]] == ["active"]
    assert before["due_at"] > before["since"]
    assert home.ok("POST", "/v1/root-keys/rotation", me) == {"epoch": before["epoch"] + 1, "units": 0}
    answer = home.ok("POST", "/v1/root-keys/compromise", me, reason="lost-token")
    assert answer == {"epoch": before["epoch"] + 2, "units": 0}
    after = home.ok("GET", "/v1/root-keys", me)
    assert after["roots_destroyed"] == before["roots_destroyed"] + 2
    assert {"state": "compromised", "reason": "lost-token"}.items() <= _told(home, "keys.compromised")[0].items()
    newest = _told(home, "keys.epoch")[0]
    assert (newest["epoch"], newest["digest"]) == (after["epoch"], after["manifest"])


def test_the_keys_of_a_tenant_rotate_and_what_is_kept_still_opens(home: House) -> None:
    owner = home.tenant("keys-rotate")
    kept = home.ok("GET", "/v1/me", owner.headers)
    home.ok("POST", "/v1/root-keys/rotation", home.operator, tenant=owner.tenant)
    assert home.ok("GET", "/v1/me", owner.headers) == kept
    home.member(owner, "new@keys-rotate.example.org")


@pytest.mark.parametrize(
    "body", [{}, {"reason": "Free text"}, {"reason": "x", "tenant": "everybody"}, {"reason": "x", "more": 1}]
)
def test_what_is_not_a_reason_or_a_tenant_is_refused(home: House, body: dict[str, object]) -> None:
    assert home.call("POST", "/v1/root-keys/compromise", home.operator, **body).status_code == 422


def test_keys_whose_content_cannot_be_moved_are_left_alone(home: House) -> None:
    owner = home.tenant("keys-compromise")
    refused = home.call("POST", "/v1/root-keys/compromise", home.operator, reason="lost-token", tenant=owner.tenant)
    assert (refused.status_code, refused.json()["code"]) == (503, "no-reencryption")
    home.ok("GET", "/v1/me", owner.headers)
