"""Operators look at keys, rotate them and answer a compromise, over HTTPS; nobody else does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from house import PASSWORD, House, Person
from troth.audit.log import Filter
from troth.kernel.errors import Gone
from troth.kernel.scope import SYSTEM, within
from troth.keys.tree import Scope, Use
from troth.vault.rights.intake import Message


def _told(home: House, operation: str) -> list[dict[str, object]]:
    home.system.base.sequencer.flush()
    page = home.system.base.reader.page("operator", Filter(operation=operation), before=None, limit=10)
    return [json.loads(entry.leaf)["facts"] for entry in page.entries]


def test_an_operator_lists_rotates_and_replaces_compromised_roots(home: House) -> None:
    me = home.operator
    before = home.ok("GET", "/v1/root-keys", me)
    assert [root["state"] for root in before["roots"]] == ["active"]
    assert before["due_at"] > before["since"]
    assert home.ok("POST", "/v1/root-keys/rotation", me) == {"epoch": before["epoch"] + 1, "replacement": None}
    answer = home.ok("POST", "/v1/root-keys/compromise", me, reason="lost-token")
    assert answer == {"epoch": before["epoch"] + 2, "replacement": None}
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


def test_the_keys_of_a_tenant_are_compromised_and_nobody_there_loses_anything(home: House) -> None:
    owner, neighbour = home.tenant("keys-compromise"), home.tenant("keys-neighbour")
    member = home.member(owner, "maria@keys-compromise.example.org", name="Maria")
    home.key(member, "own-data")
    picture = home.picture(member)["object"]
    home.ok("POST", "/v1/requests", member.headers, kind="access", text="What do you have?")
    home.ok("POST", "/v1/statements", member.headers, about="account", text="It was raining.")
    stranger = Message(sender="joe@nowhere.example.org", title="Me", text="What do you have about me?", raw=b"x")
    unclaimed = home.system.vault.rights.intake.receive(owner.tenant, stranger)
    before, nearby = _kept(home, member, picture), _units(home, neighbour)
    letter = home.ok("GET", f"/v1/desk/requests/{unclaimed.id}", owner.headers)
    exposed = set(_units(home, owner))

    answer = home.ok("POST", "/v1/root-keys/compromise", home.operator, reason="memory-image", tenant=owner.tenant)

    job = answer["replacement"]
    assert (job["state"], job["people"], job["units"]) == ("open", 3, 0)  # the stranger is one too
    with within(SYSTEM):
        assert home.system.replacements.resume() == 1
    done = home.ok("GET", f"/v1/key-replacements/{job['id']}", home.operator)
    assert (done["state"], done["units"], done["done"], done["fault"]) == ("done", len(exposed), len(exposed), None)
    assert done["moved"] > len(exposed)
    assert exposed.isdisjoint(_units(home, owner))
    for unit in exposed:
        with pytest.raises(Gone):
            home.system.base.tree.key(unit, Use.REENCRYPTION)
    assert _kept(home, member, picture) == before
    assert home.ok("GET", f"/v1/desk/requests/{unclaimed.id}", owner.headers) == letter
    code = pyotp.TOTP(member.secret).at(datetime.now(UTC) + timedelta(seconds=30))
    home.ok("POST", "/v1/sessions", email=member.email, password=PASSWORD, totp=code)
    assert _units(home, neighbour) == nearby
    assert home.ok("POST", "/v1/erasures", owner.headers, subject=member.id)["state"] == "done"


def test_a_tenant_without_keys_is_refused(home: House) -> None:
    refused = home.call("POST", "/v1/root-keys/compromise", home.operator, reason="x", tenant="ten_" + "a" * 26)
    assert (refused.status_code, refused.json()["code"]) == (404, "no-units")


def _units(home: House, person: Person) -> list[bytes]:
    return sorted(row.id for row in home.system.base.tree.units_in(Scope.of_tenant(person.tenant)))


def _kept(home: House, member: Person, picture: str) -> list[object]:
    """What the member sees of their own."""
    paths = ("/v1/me", "/v1/keys", "/v1/requests", "/v1/statements", "/v1/objects", f"/v1/objects/{picture}")
    content = home.call("GET", f"/v1/objects/{picture}/content", member.headers)
    return [content.status_code, content.content, *(home.ok("GET", path, member.headers) for path in paths)]
