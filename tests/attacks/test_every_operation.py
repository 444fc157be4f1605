"""Every operation, asked by those who may not: strangers, half-signed-in people, other roles, other tenants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from house import House, Person
from troth.kernel.operation import Group, Operation, Route

OPEN = (Group.PUBLIC, Group.SIGN_IN)
# Group -> a role of one's own tenant that must not reach it.
WRONG_ROLE = {
    Group.ADMINISTER: "member",
    Group.PRIVACY: "member",
    Group.AUDIT: "member",
    Group.REVIEW: "member",
    Group.GOVERN: "member",
    Group.GENERATE: "auditor",
    Group.OWN_KEYS: "auditor",
    Group.OPERATE: "member",
    Group.PROVISION: "owner",
    Group.ROOM: "member",
}


def _routed(home: House) -> Iterator[tuple[Operation, Route]]:
    for operation in home.system.dispatcher.registry:
        route = operation.declaration.route
        if route is not None:
            yield operation, route


def _ask(home: House, route: Route, headers: dict[str, str], **path: str) -> Any:
    place = re.sub(r"{(\w+)}", lambda match: path.get(match[1], "obj_" + "a" * 26), route.path)
    if route.body == "multipart":
        return home.client.request(route.method, place, headers=headers, files={"file": ("a.txt", b"a", "text/plain")})
    if route.body == "json":
        return home.client.request(route.method, place, headers=headers, json={})
    return home.client.request(route.method, place, headers=headers)


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("gamma")
    roles = ("member", "auditor", "room-auditor")
    return {"owner": owner, **{role: home.member(owner, f"{role}@gamma.example.org", role) for role in roles}}


def test_every_operation_has_a_route_and_an_action_that_somebody_is_refused(home: House) -> None:
    groups = {operation.declaration.group for operation, _ in _routed(home)}
    assert groups <= {*OPEN, *WRONG_ROLE, Group.OWN_ACCOUNT, Group.OWN_DATA, Group.OWN_RIGHTS, Group.OWN_ERASURE}
    assert sum(1 for _ in _routed(home)) == len(home.system.dispatcher.registry)


def test_strangers_get_401_everywhere(home: House) -> None:
    for operation, route in _routed(home):
        if operation.declaration.group not in OPEN:
            assert _ask(home, route, {}).status_code == 401, operation.name


@pytest.mark.parametrize(
    "token", ["", "x", "troth_sk_" + "a" * 26 + "_" + "b" * 43, "a" * 43, "Ünïcode", "\x00", "a" * 5000]
)
def test_made_up_tokens_get_401_everywhere(home: House, token: str) -> None:
    headers = {b"authorization": b"Bearer " + token.encode()}
    for operation, route in _routed(home):
        if operation.declaration.group not in OPEN:
            assert _ask(home, route, headers).status_code == 401, operation.name  # type: ignore[arg-type]


def test_a_password_alone_opens_nothing_but_the_account(home: House) -> None:
    wish = {"name": "half", "jurisdiction": "eu", "owner_email": "o@half.example.org", "owner_name": "Half"}
    issued = home.ok("POST", "/v1/tenants", home.operator, **wish)["password"]
    made = home.ok("POST", "/v1/sessions", email="o@half.example.org", password=issued)
    headers = {"authorization": f"Bearer {made['token']}"}
    for operation, route in _routed(home):
        if operation.declaration.group not in (*OPEN, Group.OWN_ACCOUNT):
            assert _ask(home, route, headers).status_code == 403, operation.name


def test_the_wrong_role_is_refused(home: House, people: dict[str, Person]) -> None:
    looked = 0
    for operation, route in _routed(home):
        role = WRONG_ROLE.get(operation.declaration.group)
        if role is not None:
            response = _ask(home, route, people[role].headers)
            assert response.status_code == 403, (operation.name, response.status_code)
            looked += 1
    assert looked > 15


def test_who_audits_in_a_room_alone_reaches_that_and_their_own_account(home: House, people: dict[str, Person]) -> None:
    """Every operation of every other group is refused: no log, no register, no report of the house, no content."""
    own = (*OPEN, Group.OWN_ACCOUNT, Group.OWN_RIGHTS, Group.OWN_ERASURE)
    reached = set()
    for operation, route in _routed(home):
        if operation.declaration.group is Group.ROOM:
            assert _ask(home, route, people["room-auditor"].headers).status_code in (200, 404, 422), operation.name
            reached.add(operation.name)
        elif operation.declaration.group not in own:
            assert _ask(home, route, people["room-auditor"].headers).status_code == 403, operation.name
    assert reached == {f"room.{one}" for one in ("list", "show", "runs", "proof", "records", "sample", "report", "ask")}


def test_a_key_never_administers(home: House, people: dict[str, Person]) -> None:
    headers = home.key_headers(people["owner"], "generate", "own-data", "own-data:write")
    beyond = (
        Group.OWN_ACCOUNT,
        Group.OWN_ERASURE,
        Group.OWN_KEYS,
        Group.ADMINISTER,
        Group.PRIVACY,
        Group.AUDIT,
        Group.REVIEW,
        Group.GOVERN,
        Group.OPERATE,
        Group.ROOM,
    )
    for operation, route in _routed(home):
        if operation.declaration.group in beyond:
            response = _ask(home, route, headers)
            assert response.status_code == 403, (operation.name, response.status_code)


def test_an_operator_reaches_nobodys_data(home: House) -> None:
    for operation, route in _routed(home):
        if operation.declaration.group in (
            Group.OWN_DATA,
            Group.OWN_RIGHTS,
            Group.OWN_ERASURE,
            Group.GENERATE,
            Group.ADMINISTER,
            Group.PRIVACY,
            Group.GOVERN,
            Group.ROOM,
        ):
            response = _ask(home, route, home.operator)
            assert response.status_code == 403, (operation.name, response.status_code)


def test_refusals_never_tell_of_the_inside(home: House, people: dict[str, Person]) -> None:
    inside = re.compile(r"Traceback|sqlalchemy|sqlite|/src/|site-packages|File \"", re.IGNORECASE)
    for operation, route in _routed(home):
        # What an operator may run is no refusal; all checks at once are what tests/promises look at.
        callers = [{}, people["member"].headers] + ([] if operation.name == "check.run" else [home.operator])
        for headers in callers:
            assert not inside.search(_ask(home, route, headers).text)
