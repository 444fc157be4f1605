"""Every operation by every caller that may do less than a person in good order: what each reaches is one table.

The first half asks the decider of the running installation; the second goes through the door with the very credentials.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import update

from house import PASSWORD, House, Person
from proving import Proving
from troth.access.policy import CedarDecider
from troth.identity.store import sessions
from troth.kernel.caller import Authentication, Device, anonymous
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Group, Operation, Route
from troth.kernel.scope import SYSTEM, within
from unit.access.world import SECURE, a_caller

ROLES = ("owner", "admin", "member", "auditor", "privacy-officer")
SCOPES = ("generate", "own-data", "own-data:write", "provision", "administer", "operate")
STALE = Authentication("password+totp", 2, 15 * 60 + 1, "ses_1")
CALLERS = {
    "anonymous": anonymous(SECURE),
    "unbound session": a_caller("user", ROLES, device=Device()),
    "stale step-up": a_caller("user", ROLES, authentication=STALE),
    "revoked role": a_caller("user"),
    "api key": a_caller("api-key", ROLES, SCOPES),
    "service": a_caller("service", ROLES, SCOPES, tenant="ten_1", device=Device("dpop", "aa")),
    "stolen token of a service": a_caller("service", ROLES, SCOPES, tenant="ten_1"),
    "operator": a_caller("operator", ["operator"]),
    "unbound operator": a_caller("operator", ["operator"], device=Device()),
    "stale operator": a_caller("operator", ["operator"], authentication=STALE),
    "provisioning": a_caller("provisioning", ROLES, SCOPES),
}
# A letter for each caller in that order: x may, r may read, a dot is a refusal. A group without a row fails the build.
REACH = {
    Group.PUBLIC: "xxxxxxxxxxx",
    Group.SIGN_IN: "xxxxxxxxxx.",
    Group.OWN_ACCOUNT: ".xxx...xxx.",
    Group.OWN_DATA: "..x.xx.....",
    Group.OWN_RIGHTS: ".xx.x......",
    Group.OWN_ERASURE: "..r........",
    Group.OWN_KEYS: "..r........",
    Group.GENERATE: "..x.xx.....",
    Group.ADMINISTER: "..r........",
    Group.PRIVACY: "..r........",
    Group.AUDIT: "..x....x.x.",
    Group.REVIEW: "..r....x.r.",
    Group.GOVERN: "..r........",
    Group.OPERATE: ".......x.r.",
    Group.PROVISION: "..........x",
    Group.ROOM: "..x........",
}
NO_CONTENT = (
    *(Group.OWN_RIGHTS, Group.ADMINISTER, Group.AUDIT, Group.REVIEW, Group.GOVERN),
    *(Group.OPERATE, Group.PROVISION, Group.ROOM),
)
WITHOUT_DEVICE = (Group.PUBLIC, Group.SIGN_IN, Group.OWN_ACCOUNT, Group.OWN_RIGHTS)
FRESH = (Group.OWN_ERASURE, Group.OWN_KEYS, Group.ADMINISTER, Group.PRIVACY, Group.REVIEW, Group.GOVERN)


def operations(home: House) -> list[Operation]:
    return list(home.system.dispatcher.registry)


def test_every_group_has_a_row_and_every_caller_a_letter(home: House) -> None:
    assert REACH.keys() == set(Group)
    assert {len(row) for row in REACH.values()} == {len(CALLERS)}
    assert all(operation.declaration.group in REACH for operation in operations(home))
    assert not [one.name for one in operations(home) if one.declaration.data_class is DataClass.USER_GENERATED
                and one.declaration.group in NO_CONTENT]  # fmt: skip


@pytest.mark.parametrize("who", CALLERS)
def test_what_each_reaches_of_every_operation(home: House, who: str) -> None:
    decider: CedarDecider = home.system.decider
    column = list(CALLERS).index(who)
    for operation in operations(home):
        letter, route = REACH[operation.declaration.group][column], operation.declaration.route
        reads = route is not None and route.method in ("GET", "HEAD")
        expected = letter == "x" or (letter == "r" and reads)
        assert decider.decide(CALLERS[who], operation).allowed is expected, operation.name


def routed(home: House) -> Iterator[tuple[Operation, Route]]:
    for operation in operations(home):
        if operation.declaration.route is not None:
            yield operation, operation.declaration.route


def ask(home: House, route: Route, headers: dict[str, str], **named: str) -> Any:
    place = re.sub(r"{(\w+)(?::\w+)?}", lambda match: named.get(match[1], "obj_" + "a" * 26), route.path)
    body: dict[str, Any] = {"json": {}} if route.body in ("json", "scim") and route.method != "GET" else {}
    if route.body == "multipart":
        body = {"files": {"file": ("a.txt", b"a", "text/plain")}}
    return home.client.request(route.method, place, headers=headers, **body)


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("delta")


def signed_in_without_a_key(home: House, person: Person) -> dict[str, str]:
    """A session as a program opens it that proves no key."""
    later = pyotp.TOTP(person.secret).at(datetime.now(UTC) + timedelta(seconds=30))
    wish = {"email": person.email, "password": PASSWORD, "totp": later}
    return {"authorization": f"Bearer {home.ok('POST', '/v1/sessions', {'dpop': 'none'}, **wish)['token']}"}


def test_an_unbound_session_reaches_its_account_and_rights_only(home: House, owner: Person) -> None:
    person = home.member(owner, "unbound@delta.example.org", *ROLES[1:])
    headers = signed_in_without_a_key(home, person)
    assert home.call("GET", "/v1/me", headers).status_code == 200
    assert home.call("GET", "/v1/requests", headers).status_code == 200
    for operation, route in routed(home):
        if operation.declaration.group not in WITHOUT_DEVICE:
            answer = ask(home, route, headers)
            assert (answer.status_code, _code(answer)) == (403, "device-unbound"), operation.name


@pytest.mark.parametrize("path", ["/v1/passkeys/options", "/v1/me/links/lnk_none/accept"])
def test_a_stolen_unbound_session_gets_no_lasting_credential(home: House, owner: Person, path: str) -> None:
    person = home.member(owner, f"stolen{len(path)}@delta.example.org", *ROLES[1:])
    refused = home.call("POST", path, signed_in_without_a_key(home, person))
    assert (refused.status_code, refused.json()["code"]) == (403, "device-unbound"), refused.text


def test_who_files_by_an_unbound_session_is_not_verified_yet(home: House, owner: Person) -> None:
    person = home.member(owner, "filed@delta.example.org")
    wish = {"kind": "access"}
    copied = home.ok("POST", "/v1/requests", signed_in_without_a_key(home, person), **wish)
    held = home.ok("POST", "/v1/requests", person.headers, **wish)
    assert (copied["state"], held["state"]) == ("confirmed", "verified")


def test_the_log_names_what_refused_and_the_digest_of_what_it_saw(home: House, owner: Person) -> None:
    person, base = home.member(owner, "logged@delta.example.org"), home.system.base
    seen = set()
    for headers, code in ((signed_in_without_a_key(home, person), "device-unbound"), (person.headers, None)):
        answer = home.call("GET", "/v1/objects", headers)
        base.sequencer.flush(person.tenant)
        first = min(base.prover.locate(person.tenant, answer.headers["x-request-id"]))
        entry = json.loads(base.reader.entry(person.tenant, first))
        assert entry["policies"] == (["bound-device"] if code else ["person-own-data"])
        assert (entry.get("code"), len(bytes.fromhex(entry["evidence"]))) == (code, 32)
        seen.add(entry["evidence"])
    assert len(seen) == 2


@pytest.mark.parametrize("thief", ["bearer", "own key", "old proof"])
def test_a_stolen_token_of_a_bound_session_is_worth_nothing(home: House, owner: Person, thief: str) -> None:
    token = owner.headers["authorization"].partition(" ")[2]
    stranger = Proving(home.proving.origin)
    replayed = home.proving.proof("GET", "/v1/me", token)
    assert home.client.get("/v1/me", headers={"authorization": f"DPoP {token}", "dpop": replayed}).status_code == 200
    for operation, route in routed(home):
        if operation.declaration.group not in (Group.PUBLIC, Group.SIGN_IN):
            proofs = {
                "bearer": "none",
                "own key": stranger.proof(route.method, route.path, token),
                "old proof": replayed,
            }
            scheme = "Bearer" if thief == "bearer" else "DPoP"
            answer = ask(home, route, {"authorization": f"{scheme} {token}", "dpop": proofs[thief]})
            assert answer.status_code == 401, (operation.name, answer.status_code)
    assert home.call("GET", "/v1/me", owner.headers).status_code == 200  # who holds the key goes on


def test_a_stale_proof_changes_nothing_that_weighs(home: House, owner: Person) -> None:
    person = home.member(owner, "stale@delta.example.org", *ROLES[1:])
    with within(SYSTEM), home.system.base.database.write() as connection:
        aged = update(sessions).where(sessions.c.user == person.id)
        connection.execute(aged.values(verified_at=sessions.c.verified_at - 16 * 60 * 1000))
    looked = 0
    for operation, route in routed(home):
        if operation.declaration.group in FRESH and route.method != "GET":
            answer = ask(home, route, person.headers)
            assert (answer.status_code, _code(answer)) == (403, "step-up-required"), operation.name
            looked += 1
    assert looked > 40
    assert home.call("GET", "/v1/objects", person.headers).status_code == 200


def test_a_role_that_was_taken_is_gone_with_the_next_request(home: House, owner: Person) -> None:
    person = home.member(owner, "revoked@delta.example.org", "member")
    assert home.call("GET", "/v1/objects", person.headers).status_code == 200
    home.ok("DELETE", f"/v1/users/{person.id}/roles/member", owner.headers)
    for operation, route in routed(home):
        if operation.declaration.group not in (Group.PUBLIC, Group.SIGN_IN, Group.OWN_ACCOUNT):
            assert ask(home, route, person.headers).status_code == 403, operation.name


def test_another_tenant_learns_nothing_by_the_ids_of_this_one(home: House, owner: Person) -> None:
    person = home.member(owner, "victim@delta.example.org", "member", name="Victim of Delta")
    picture = home.picture(person)["receipt"]
    asked = home.ok("POST", "/v1/requests", person.headers, kind="objection", purpose="analytics")["id"]
    consent = home.ok("POST", "/v1/consents", person.headers, purpose="training", notice="v1")["id"]
    session = home.ok("GET", "/v1/sessions", person.headers)["sessions"][0]["id"]
    key = home.ok("GET", "/v1/keys", person.headers)["keys"][0]["id"]
    things = {
        "object_id": picture["objects"][0],
        "file_id": picture["objects"][0],
        "user_id": person.id,
        "subject": person.id,
        "consent_id": consent,
        "session_id": session,
        "key_id": key,
        "tenant_id": person.tenant,
        "resource_id": person.id,
    }
    needles = {*things.values(), asked, person.email, "Victim of Delta"}
    stranger = home.tenant("epsilon")
    for operation, route in routed(home):
        wanted = things | {"request_id": asked if "/requests/" in route.path else picture["request_id"]}
        named = {name: wanted[name] for name in re.findall(r"{(\w+)", route.path) if name in wanted}
        answer = ask(home, route, stranger.headers, **named)
        assert not (named and answer.is_success), operation.name
        assert not [one for one in needles if one in answer.text], operation.name


# SCIM has no codes (RFC 7644 section 3.12), and the OpenAI API writes them otherwise.
NO_KEY = "No key of a device answers for this session, so it reaches no data; sign in anew with one."


def _code(answer: Any) -> str:
    said = answer.json()
    told = str(said.get("code") or said.get("error", {}).get("code") or said.get("detail")).replace("_", "-")
    return "device-unbound" if told == NO_KEY else told
