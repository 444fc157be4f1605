"""Every operation that is not public, with each thing that the policies see taken away, and weakened, in turn.

Operations are those of the running installation; what stands for evidence is what `CONTEXT_TYPES` names.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from house import House
from troth.access.evidence import CONTEXT_TYPES, Evidence, evidence_of
from troth.access.policy import UNDECIDABLE, CedarDecider, shipped_policies
from troth.kernel.caller import Device
from troth.kernel.operation import Group
from unit.access.world import a_caller

ROLES = ("owner", "admin", "member", "auditor", "privacy-officer")
SCOPES = ("generate", "own-data", "own-data:write", "provision")
# Between them they may do everything that anybody may.
CALLERS = (
    a_caller("user", ROLES),
    a_caller("operator", ["operator"]),
    a_caller("api-key", ROLES, SCOPES),
    dataclasses.replace(a_caller("service", (), SCOPES, tenant="ten_1"), device=Device("dpop", "aa")),
    a_caller("provisioning", (), SCOPES),
)
Allowed = list[tuple[Evidence, Group]]


def _people(evidence: Evidence) -> bool:
    return evidence.kind in ("user", "operator")


def _session(evidence: Evidence) -> bool:
    return evidence.kind in ("user", "operator", "service")


def _never(_evidence: Evidence, _group: Group) -> bool:
    return False


def _always(_evidence: Evidence, _group: Group) -> bool:
    return True


ACCOUNT = (Group.SIGN_IN, Group.OWN_ACCOUNT)
WITHOUT_DEVICE = (*ACCOUNT, Group.OWN_RIGHTS)
FRESH = (
    *(Group.OWN_ERASURE, Group.OWN_KEYS, Group.ADMINISTER, Group.PRIVACY, Group.REVIEW, Group.GOVERN),
    Group.OPERATE,
)
Denies = Callable[[Evidence, Group], bool]
# Attribute -> poorer values, and for whom and which group each must end in a no.
WEAKER: dict[str, list[tuple[Any, Denies]]] = {
    "assurance": [
        (0, lambda evidence, group: _people(evidence) and group is not Group.SIGN_IN),
        (1, lambda evidence, group: _people(evidence) and group not in ACCOUNT),
    ],
    "age_minutes": [
        (16, lambda evidence, group: evidence.kind == "service" and group is not Group.SIGN_IN),
        (16, lambda evidence, group: _people(evidence) and not evidence.context["reads"] and group in FRESH),
        (721, lambda evidence, group: _session(evidence) and group is not Group.SIGN_IN),
        (10**9, lambda evidence, group: _session(evidence) and group is not Group.SIGN_IN),
    ],
    "device": [
        ("none", lambda evidence, group: _session(evidence) and group not in WITHOUT_DEVICE),
        ("webcrypto", lambda evidence, group: evidence.kind == "service" and group is not Group.SIGN_IN),
    ],
    "tls": [("none", _always), ("TLSv1.2", _always), ("", _always)],
    "tenant_bound": [
        (False, lambda evidence, group: evidence.kind in ("user", "api-key", "service") and group is not Group.SIGN_IN),
        (False, lambda evidence, _group: evidence.kind == "provisioning"),
        (True, lambda evidence, _group: evidence.kind == "operator"),
    ],
    "scopes": [
        ([], lambda evidence, group: not _people(evidence) and group is not Group.SIGN_IN),
        (["x"], lambda evidence, group: not _people(evidence) and group is not Group.SIGN_IN),
    ],
    "reads": [(False, _never)],
    "method": [("none", _never), ("password", _never), ("made-up", _never)],
    "zone": [("unknown", _never), ("loopback", _never), ("private", _never)],
}
POORER = [(name, value, denies) for name, weaker in WEAKER.items() for value, denies in weaker]


@pytest.fixture(scope="module")
def decider(home: House) -> CedarDecider:
    """That of the running installation."""
    found: CedarDecider = home.system.decider
    return found


@pytest.fixture(scope="module")
def allowed(home: House, decider: CedarDecider) -> Allowed:
    """Every operation that is not public, with the evidence of everybody who may do it."""

    def found() -> Iterator[tuple[Evidence, Group]]:
        for operation in home.system.dispatcher.registry:
            group = operation.declaration.group
            if group is not Group.PUBLIC:
                whole = [evidence_of(caller, operation) for caller in CALLERS]
                able = [one for one in whole if decider.judge(one).allowed]
                assert able, f"nobody here may do {operation.name}: give CALLERS somebody who may"
                yield from ((one, group) for one in able)

    return list(found())


def changed(evidence: Evidence, **attributes: Any) -> Evidence:
    return dataclasses.replace(evidence, context={**evidence.context, **attributes})


@pytest.mark.parametrize("attribute", CONTEXT_TYPES)
def test_without_it_everything_is_denied(decider: CedarDecider, allowed: Allowed, attribute: str) -> None:
    assert len(allowed) > 150
    for evidence, _ in allowed:
        context = {name: value for name, value in evidence.context.items() if name != attribute}
        decision = decider.judge(dataclasses.replace(evidence, context=context))
        assert (decision.allowed, decision.policies) == (False, (UNDECIDABLE,)), evidence.action


@pytest.mark.parametrize("row", range(len(POORER)), ids=[f"{name}-{value}" for name, value, _ in POORER])
def test_weaker_evidence_is_denied_where_it_must_be(decider: CedarDecider, allowed: Allowed, row: int) -> None:
    name, value, denies = POORER[row]
    must = [evidence for evidence, group in allowed if denies(evidence, group)]
    assert must or denies is _never
    for evidence in must:
        assert not decider.judge(changed(evidence, **{name: value})).allowed, (evidence.kind, evidence.action)


@pytest.mark.parametrize("row", range(len(POORER)), ids=[f"{name}-{value}" for name, value, _ in POORER])
def test_weaker_evidence_opens_nothing(home: House, decider: CedarDecider, row: int) -> None:
    name, value, _ = POORER[row]
    for operation in home.system.dispatcher.registry:
        for caller in CALLERS:
            whole = evidence_of(caller, operation)
            if not decider.judge(whole).allowed:
                assert not decider.judge(changed(whole, **{name: value})).allowed, (caller.kind, operation.name)


def test_every_attribute_that_a_policy_names_is_weakened_here() -> None:
    texts = "\n".join(shipped_policies().values())
    named = {name for name in CONTEXT_TYPES if f"context.{name}" in texts}
    assert named <= WEAKER.keys() <= CONTEXT_TYPES.keys()


def test_the_tests_see_a_policy_that_is_gone(home: House, allowed: Allowed) -> None:
    lax = {name: text for name, text in shipped_policies().items() if name != "limits.cedar"}
    without = CedarDecider(home.system.dispatcher.registry, lax)
    opened = [one for one, _ in allowed if without.judge(changed(one, tls="none")).allowed]
    assert len(opened) > 100
