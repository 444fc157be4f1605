"""Which entries of a log are acts that somebody else must look at, and how heavy they are. Pure.

An act is the *opened* entry of an administrative operation, or the event that a command on the machine itself leaves.
The opened entry counts, not the closed one: what crashed in between was an act too. Refusals by the policy never open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from troth.kernel.operation import Group, Operation

MACHINE = "machine"  # who acts by a command on the machine itself, as far as Troth knows
ADMINISTRATION = frozenset({Group.ADMINISTER, Group.PRIVACY, Group.OPERATE})
_SERVICE = "svc_"  # acts for nobody: sweeps and self-checks, which no door reaches


class Weight(IntEnum):
    """How heavy an act is. Every act of the highest weight is looked at, of the others a sample."""

    READING = 1
    CHANGE = 2
    HEAVIEST = 3


# What cannot be taken back, what a second person decides, and what gives somebody power.
HEAVIEST = frozenset(
    """erasure.request erasure.period erasure.approve erasure.cancel offboarding.request offboarding.approve
    offboarding.cancel hold.place hold.lift keys.compromise key-domain.retire key-replacement.approve move.pin
    move.approve operator.create operator.disable role.assign vendor.approve redaction.set redaction.clear
    routing.approve check.confirm house.name house.approve paper.publish paper.approve
    privacy-statement.publish privacy-statement.approve webhook.add
    auditor.grant log.prune audit.details custom-role.create custom-role.change elevation.approve emergency.designate
    authority.rotate device.confirm
    emergency.use role.replace user.offboard provisioning.create provisioning.rotate
    moderation-policy.approve takedown.approve takedown.withdraw preserved.open preserved.release moderation-case.open
    user.create access-review.open access-review.judge""".split()
)
# Events that are no operations: of commands on the machine itself, and of providers that give and take roles.
BESIDE = frozenset(
    """backup.restored backup.loss-accepted installation.adopted operator.founded tenant.packed tenant.arrived
    tenant.invited log.replayed role.pushed credentials.created credentials.renewed""".split()
)


@dataclass(frozen=True, slots=True)
class Act:
    """One administrative act: where it stands in its log, what it weighs, who did it and when (epoch ms)."""

    index: int
    weight: int
    operation: str
    actor: str
    request: str
    at: int


def weights_of(operations: Iterable[Operation]) -> dict[str, int]:
    """The table of weights: every administrative operation, and the events that stand beside operations."""
    table = {name: int(Weight.HEAVIEST) for name in BESIDE}
    for one in operations:
        if one.declaration.group in ADMINISTRATION or one.name in HEAVIEST:
            table[one.name] = _weight(one)
    return table


def digest(table: Mapping[str, int]) -> str:
    """SHA-256 in hex over the table as lines `name weight`, by name: each review's record names the table it used."""
    text = "".join(f"{name} {weight}\n" for name, weight in sorted(table.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def act_of(index: int, members: Mapping[str, Any], table: Mapping[str, int]) -> Act | None:
    """The act that an entry tells of, or None. `members` are those of the leaf."""
    operation, phase, actor = (str(members.get(name, "")) for name in ("op", "phase", "actor"))
    weight = table.get(operation)
    beside = operation in BESIDE and phase == "event"
    if weight is None or not (beside or (phase == "opened" and not actor.startswith(_SERVICE))):
        return None
    moment = members.get("time")
    at = moment if isinstance(moment, int) else 0
    return Act(index, weight, operation, actor, str(members.get("request", "")), at)


def _weight(one: Operation) -> int:
    if one.name in HEAVIEST:
        return int(Weight.HEAVIEST)
    route = one.declaration.route
    return int(Weight.READING if route is not None and route.method == "GET" else Weight.CHANGE)
