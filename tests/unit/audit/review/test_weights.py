from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pydantic import BaseModel

from troth.audit.review.weights import Weight, act_of, digest, weights_of
from troth.kernel.operation import Declaration, Group, Operation, Route

TABLE = {"user.create": 2, "hold.lift": 3, "backup.restored": 3}


def an_operation(name: str, group: Group, method: str) -> Operation:
    route = Route(method, f"/v1/{name}")
    declared = Declaration(name, group, BaseModel, route, None, None)  # type: ignore[arg-type]
    return Operation(declared, lambda _call, _request: None)


def test_administration_is_weighed_by_what_it_does() -> None:
    table = weights_of(
        [
            an_operation("user.list", Group.ADMINISTER, "GET"),
            an_operation("user.create", Group.ADMINISTER, "POST"),
            an_operation("user.disable", Group.ADMINISTER, "POST"),
            an_operation("hold.lift", Group.PRIVACY, "DELETE"),
            an_operation("tenant.create", Group.OPERATE, "POST"),
            an_operation("object.delete", Group.OWN_DATA, "DELETE"),
            an_operation("audit.list", Group.AUDIT, "GET"),
        ]
    )
    weighed = {
        name: table.get(name) for name in ("user.list", "user.create", "user.disable", "hold.lift", "tenant.create")
    }
    assert weighed == {"user.list": 1, "user.create": 3, "user.disable": 2, "hold.lift": 3, "tenant.create": 2}
    assert not {"object.delete", "audit.list"} & table.keys()
    assert table["backup.restored"] == Weight.HEAVIEST  # no operation, and still an act


def test_a_table_has_one_digest_whatever_its_order() -> None:
    assert digest(TABLE) == digest(dict(reversed(TABLE.items()))) != digest(TABLE | {"hold.lift": 2})
    assert digest({"a.b": 1, "a.a": 3}) == hashlib.sha256(b"a.a 3\na.b 1\n").hexdigest()


@pytest.mark.parametrize(
    ("members", "counts"),
    [
        ({"op": "user.create", "phase": "opened", "actor": "usr_a"}, True),
        ({"op": "user.create", "phase": "closed", "actor": "usr_a"}, False),  # the opened one counts, once
        ({"op": "user.create", "phase": "event", "actor": "usr_a"}, False),
        ({"op": "user.create", "phase": "opened", "actor": "svc_promises"}, False),
        ({"op": "object.open", "phase": "opened", "actor": "usr_a"}, False),
        ({"op": "backup.restored", "phase": "event", "actor": "svc_backup"}, True),
        ({}, False),
    ],
)
def test_what_is_an_act(members: dict[str, Any], counts: bool) -> None:
    act = act_of(7, members, TABLE)
    assert (act is not None) is counts
    if act is not None:
        assert (act.index, act.operation, act.actor) == (7, members["op"], members["actor"])
