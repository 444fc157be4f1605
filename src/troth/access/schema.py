"""The Cedar schema, generated from the operations: one action each, a member of the action of its group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from troth.access.evidence import CONTEXT_TYPES
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Group, Operation

# Kind of caller -> Cedar entity type. A kind that is not here is refused before any policy is asked.
PRINCIPALS: Mapping[str, str] = {
    "anonymous": "Anonymous",
    "user": "User",
    "api-key": "ApiKey",
    "operator": "Operator",
    "service": "Service",
    "provisioning": "Provisioning",
}


class UndeclaredAction(ValueError):
    """An operation names no known group, or a name that a group has: the start is refused."""


def schema_of(operations: Iterable[Operation], *, every_group: bool = False) -> dict[str, Any]:
    """The schema in Cedar's JSON form. Raises `UndeclaredAction` for an operation that names no known group.

    `every_group` adds a stand-in action to each group: to validate policies of groups that no operation has yet.
    """
    actions: dict[str, Any] = {group.value: {} for group in Group}
    if every_group:
        actions |= {f"{group.value}/any": _action(group) for group in Group}
    for operation in operations:
        name, group = operation.name, operation.declaration.group
        if not isinstance(group, Group) or name in actions:
            raise UndeclaredAction(f"operation {name} must declare one known group and a name of its own")
        actions[name] = _action(group)
    principals = {name: {"memberOfTypes": ["Role"]} for name in PRINCIPALS.values()}
    return {
        "": {
            "commonTypes": {"Evidence": _evidence_type()},
            "entityTypes": {"Role": {}, "DataClass": {}, **principals},
            "actions": actions,
        }
    }


def entities_of(kind: str, roles: Iterable[str]) -> list[dict[str, Any]]:
    """The small slice that a decision needs: the principal with its roles, the roles, the classes of data."""
    parents = [{"type": "Role", "id": role} for role in roles]
    principal = {"uid": {"type": PRINCIPALS[kind], "id": "caller"}, "attrs": {}, "parents": parents}
    leaves = parents + [{"type": "DataClass", "id": one.value} for one in DataClass]
    return [principal, *({"uid": uid, "attrs": {}, "parents": []} for uid in leaves)]


def _action(group: Group) -> dict[str, Any]:
    applies = {
        "principalTypes": sorted(PRINCIPALS.values()),
        "resourceTypes": ["DataClass"],
        "context": {"type": "Evidence"},
    }
    return {"memberOf": [{"id": group.value}], "appliesTo": applies}


def _evidence_type() -> dict[str, Any]:
    def cedar(kind: str) -> dict[str, Any]:
        return {"type": "Set", "element": {"type": "String"}} if kind == "Set" else {"type": kind}

    return {"type": "Record", "attributes": {name: cedar(kind) for name, kind in CONTEXT_TYPES.items()}}
