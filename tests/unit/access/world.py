"""The world of the policy tests: one made-up operation per group, class of data and method; callers of every kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from troth.kernel.caller import Authentication, Caller, Connection, Device
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Declaration, Group, Operation, Route

SECURE = Connection(tls="TLSv1.3", zone="public")


def an_operation(
    group: Any, *, data_class: DataClass = DataClass.SYSTEM, method: str = "POST", name: str = ""
) -> Operation:
    """An operation named after its group, class and method."""
    title = name or f"{getattr(group, 'value', group)}.{data_class.value}-{method.lower()}"
    declaration = Declaration(title, group, dict, Route(method, f"/{title}"), None, data_class)
    return Operation(declaration, lambda call, request: None)


OPERATIONS = {
    (group, data_class, method): an_operation(group, data_class=data_class, method=method)
    for group in Group
    for data_class in DataClass
    for method in ("GET", "POST")
}


def a_caller(kind: str, roles: Iterable[str] = (), scopes: Iterable[str] = (), **changes: Any) -> Caller:
    """A caller in good order: TLS 1.3, second factor and bound device for people, a tenant for all but operators."""
    assurance = {"user": 2, "operator": 2, "api-key": 1}.get(kind, 0)
    method = {"user": "password+totp", "operator": "password+totp", "api-key": "api-key"}.get(kind, "none")
    caller = Caller(
        actor="usr_1",
        kind=kind,
        tenant="ten_1" if kind in ("user", "api-key", "provisioning") else None,
        subject="usr_1" if kind in ("user", "api-key", "operator") else None,
        roles=frozenset(roles),
        scopes=frozenset(scopes),
        authentication=Authentication(method, assurance, 60, "ses_1"),
        device=Device("webcrypto", "aa") if kind in ("user", "operator") else Device(),
        connection=SECURE,
    )
    return dataclasses.replace(caller, **changes)
