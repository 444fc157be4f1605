"""What a request must show of itself whatever a role permits: a bound device, and a fresh proof for what weighs."""

from __future__ import annotations

import dataclasses

import pytest

from troth.access.policy import CedarDecider
from troth.kernel.caller import Authentication, Caller, Connection, Device
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Group
from unit.access.world import OPERATIONS, a_caller

WITHOUT_DEVICE = (Group.PUBLIC, Group.SIGN_IN, Group.OWN_ACCOUNT, Group.OWN_RIGHTS)
FRESH = (
    *(Group.OWN_ERASURE, Group.OWN_KEYS, Group.ADMINISTER, Group.PRIVACY, Group.REVIEW, Group.GOVERN),
    Group.OPERATE,
)
EVERYTHING = ("owner", "admin", "member", "auditor", "privacy-officer")
CALLERS = {"user": a_caller("user", EVERYTHING), "operator": a_caller("operator", ["operator"])}
REACH = {
    "user": [group for group in Group if group not in (Group.OPERATE, Group.PROVISION)],
    "operator": [Group.PUBLIC, Group.SIGN_IN, Group.OWN_ACCOUNT, Group.AUDIT, Group.REVIEW, Group.OPERATE],
}
ASKED = [(kind, group) for kind, groups in REACH.items() for group in groups]
_LOCAL = Authentication("local-operator", 0)


def aged(caller: Caller, seconds: int) -> Caller:
    return dataclasses.replace(caller, authentication=dataclasses.replace(caller.authentication, age_seconds=seconds))


@pytest.mark.parametrize(("kind", "group"), ASKED)
def test_without_a_device_nothing_but_the_account_and_rights(decider: CedarDecider, kind: str, group: Group) -> None:
    operation = OPERATIONS[group, DataClass.ACCOUNT, "GET"]
    assert decider.decide(CALLERS[kind], operation).allowed
    unbound = decider.decide(dataclasses.replace(CALLERS[kind], device=Device()), operation)
    assert unbound.allowed is (group in WITHOUT_DEVICE)
    if not unbound.allowed:
        assert (unbound.policies, unbound.remedy) == (("bound-device",), "device-unbound")


@pytest.mark.parametrize("binding", ["dbsc", "webcrypto", "dpop", "mtls"])
def test_every_binding_counts(decider: CedarDecider, binding: str) -> None:
    person = dataclasses.replace(CALLERS["user"], device=Device(binding, "aa"))
    assert decider.decide(person, OPERATIONS[Group.OWN_DATA, DataClass.USER_GENERATED, "GET"]).allowed


@pytest.mark.parametrize("kind", ["user", "operator"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("seconds", "stale"), [(0, False), (15 * 60, False), (15 * 60 + 1, True), (11 * 3600, True)])
def test_what_changes_much_needs_a_fresh_proof(
    decider: CedarDecider, kind: str, method: str, seconds: int, stale: bool
) -> None:
    for group in REACH[kind]:
        decision = decider.decide(aged(CALLERS[kind], seconds), OPERATIONS[group, DataClass.ACCOUNT, method])
        refused = stale and method == "POST" and group in FRESH
        assert decision.allowed is not refused, group
        if refused:
            assert (decision.policies, decision.remedy) == (("fresh-proof",), "step-up-required")


def test_a_device_is_asked_for_before_a_proof(decider: CedarDecider) -> None:
    poor = dataclasses.replace(aged(CALLERS["user"], 3600), device=Device())
    decision = decider.decide(poor, OPERATIONS[Group.ADMINISTER, DataClass.ACCOUNT, "POST"])
    assert (decision.policies, decision.remedy) == (("bound-device", "fresh-proof"), "device-unbound")


def test_no_remedy_is_promised_where_something_else_forbids_too(decider: CedarDecider) -> None:
    poor = dataclasses.replace(aged(a_caller("user", ["member"]), 13 * 3600), device=Device())
    assert decider.decide(poor, OPERATIONS[Group.ADMINISTER, DataClass.ACCOUNT, "POST"]).remedy is None


def test_a_service_without_a_key_reaches_nothing(decider: CedarDecider) -> None:
    for role in ("operator", "owner", "service"):
        for group in Group:
            caller = a_caller("service", [role], ["generate", "own-data"], tenant="ten_1")
            allowed = decider.decide(caller, OPERATIONS[group, DataClass.ACCOUNT, "POST"]).allowed
            assert allowed is (group in (Group.PUBLIC, Group.SIGN_IN)), group


def test_api_keys_are_the_weaker_class_and_stay_in_it(decider: CedarDecider) -> None:
    key = a_caller("api-key", ["owner"], ["generate", "own-data", "own-data:write"])
    assert decider.decide(aged(key, 80 * 86_400), OPERATIONS[Group.GENERATE, DataClass.ACCOUNT, "POST"]).allowed
    assert not decider.decide(key, OPERATIONS[Group.OWN_KEYS, DataClass.ACCOUNT, "POST"]).allowed


@pytest.mark.parametrize(
    ("connection", "allowed"),
    [(Connection(None, "in-process"), True), (Connection("TLSv1.3", "loopback"), False)],
)
def test_the_machine_itself_has_no_session_to_copy(
    decider: CedarDecider, connection: Connection, allowed: bool
) -> None:
    local = a_caller("operator", ["operator"], authentication=_LOCAL, device=Device(), connection=connection)
    assert decider.decide(local, OPERATIONS[Group.OPERATE, DataClass.SYSTEM, "POST"]).allowed is allowed
