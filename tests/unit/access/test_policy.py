"""Who may do what: the whole matrix as one table, and the limits that stop everybody."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from troth.access.policy import DEFAULT_DENY, BrokenPolicy, CedarDecider, shipped_policies
from troth.access.schema import UndeclaredAction
from troth.kernel.caller import Authentication, Caller, Connection, Device, anonymous
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Group
from unit.access.world import OPERATIONS, a_caller, an_operation

# Columns in the order of Group: P public, S sign-in, A own account, D own data, W own rights, F forget oneself, K own
# keys, G generate, M administer,
# R privacy (rights of others), L audit log, V review, B registers (books), O operate, I provision (a provider's token),
# E enter an auditor's room.
# A dot is a refusal.
MATRIX = {
    # caller                              PSADWFKGMRLVBOIE
    "anonymous":                         "PS..............",
    "user":                              "PSA.............",
    "user:member":                       "PSADWFKG........",
    "user:auditor":                      "PSADWF....L....E",
    "user:room-auditor":                 "PSA.WF.........E",
    "user:security-analyst":             "PSADWF....L.B...",
    "user:may:own-data":                 "PSADWF..........",
    "user:may:own-keys":                 "PSA...K.........",
    "user:may:generate":                 "PSA....G........",
    "user:may:administer":               "PSA.....M.......",
    "user:may:privacy":                  "PSA......R......",
    "user:may:audit":                    "PSA.......L.....",
    "user:may:review":                   "PSA........V....",
    "user:may:govern":                  "PSA.........B...",
    "user:may:operate":                  "PSA.............",
    "operator:may:administer":           "PSA.............",
    "api-key:may:generate+generate":     "PS.....G........",
    "api-key:may:own-keys+own-data:write": "PS.DW...........",
    "api-key:may:administer+generate":   "PS..............",
    "user:privacy-officer":              "PSADWF...R..B...",
    "user:admin":                        "PSADWFKGM...B...",
    "user:owner":                        "PSADWFKGMRLVB..E",
    "user:operator":                     "PSA.............",
    "user:made-up":                      "PSA.............",
    "operator":                          "PSA.............",
    "operator:operator":                 "PSA.......LV.O..",
    "operator:owner":                    "PSA.............",
    "service:operator":                  "PS..............",
    "service+generate":                  "PS.....G........",
    "service:owner+own-data:write":      "PS.D............",
    "api-key:member":                    "PS..............",
    "api-key:owner+generate":            "PS.....G........",
    "api-key:member+generate":           "PS.....G........",
    "api-key:member+own-data:write":     "PS.DW...........",
    "api-key:auditor+generate":          "PS..............",
    "api-key+generate":                  "PS..............",
    "api-key:owner+generate+administer": "PS.....G........",
    "provisioning":                      "P...............",
    "provisioning:owner+provision":      "P.............I.",
    "user:owner+provision":              "PSADWFKGMRLVB..E",
}  # fmt: skip


def named_caller(name: str) -> Caller:
    """`kind:role+scope+scope`, as the table writes it."""
    head, *scopes = name.split("+")
    kind, _, role = head.partition(":")
    bound = {"tenant": "ten_1", "device": Device("dpop", "aa")} if kind == "service" else {}
    return a_caller(kind, [role] if role else [], scopes, **bound)


@pytest.mark.parametrize(("name", "row"), MATRIX.items())
def test_every_role_against_every_group(decider: CedarDecider, name: str, row: str) -> None:
    allowed = ""
    for letter, group in zip("PSADWFKGMRLVBOIE", Group, strict=True):
        decision = decider.decide(named_caller(name), OPERATIONS[group, DataClass.SYSTEM, "POST"])
        allowed += letter if decision.allowed else "."
    assert allowed == row


def test_a_read_scope_reads_and_does_not_change(decider: CedarDecider) -> None:
    key = a_caller("api-key", ["member"], ["own-data"])
    reading = OPERATIONS[Group.OWN_DATA, DataClass.USER_GENERATED, "GET"]
    changing = OPERATIONS[Group.OWN_DATA, DataClass.USER_GENERATED, "POST"]
    assert decider.decide(key, reading).allowed
    assert not decider.decide(key, changing).allowed


@pytest.mark.parametrize("group", [Group.ADMINISTER, Group.AUDIT])
def test_nobody_administers_or_audits_their_way_into_content(decider: CedarDecider, group: Group) -> None:
    owner = a_caller("user", ["owner"])
    assert decider.decide(owner, OPERATIONS[group, DataClass.ACCOUNT, "GET"]).allowed
    refused = decider.decide(owner, OPERATIONS[group, DataClass.USER_GENERATED, "GET"])
    assert (refused.allowed, refused.policies) == (False, ("content-of-others",))


def test_operators_do_not_reach_content(decider: CedarDecider) -> None:
    operator = a_caller("operator", ["operator"])
    assert not decider.decide(operator, OPERATIONS[Group.OPERATE, DataClass.USER_GENERATED, "GET"]).allowed


PROTECTED = [group for group in Group if group not in (Group.PUBLIC, Group.SIGN_IN)]
BEYOND = (Group.OPERATE, Group.PROVISION)  # what no role of a tenant reaches


@pytest.mark.parametrize(
    ("policy", "changes"),
    [
        ("secure-channel", {"connection": Connection(tls="TLSv1.2", zone="public")}),
        ("secure-channel", {"connection": Connection(tls=None, zone="loopback")}),
        ("secure-channel", {"connection": Connection(tls=None, zone="private")}),
        ("session-age", {"authentication": Authentication("password+totp", 2, 12 * 3600 + 1)}),
        ("person-in-tenant", {"tenant": None}),
    ],
)
@pytest.mark.parametrize("group", [group for group in PROTECTED if group not in BEYOND])
def test_limits_stop_even_an_owner(decider: CedarDecider, policy: str, changes: dict[str, Any], group: Group) -> None:
    everything = a_caller("user", ["owner", "admin", "member", "auditor", "privacy-officer"])
    operation = OPERATIONS[group, DataClass.ACCOUNT, "GET"]
    assert decider.decide(everything, operation).allowed
    refused = decider.decide(dataclasses.replace(everything, **changes), operation)
    assert (refused.allowed, refused.policies) == (False, (policy,))


@pytest.mark.parametrize("group", [group for group in PROTECTED if group not in (Group.OWN_ACCOUNT, *BEYOND)])
def test_a_password_alone_leads_only_to_a_second_factor(decider: CedarDecider, group: Group) -> None:
    password_only = a_caller("user", ["owner"], authentication=Authentication("password", 1, 5))
    refused = decider.decide(password_only, OPERATIONS[group, DataClass.ACCOUNT, "GET"])
    assert (refused.allowed, refused.policies) == (False, ("second-factor",))
    assert decider.decide(password_only, OPERATIONS[Group.OWN_ACCOUNT, DataClass.ACCOUNT, "POST"]).allowed


def test_a_key_without_a_tenant_is_refused(decider: CedarDecider) -> None:
    key = a_caller("api-key", ["member"], ["generate"], tenant=None)
    refused = decider.decide(key, OPERATIONS[Group.GENERATE, DataClass.USER_GENERATED, "POST"])
    assert (refused.allowed, refused.policies) == (False, ("key-in-tenant",))


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"authentication": Authentication("password", 1, 5)}, False),
        ({"authentication": Authentication("password+totp", 2, 12 * 3600 + 1)}, False),
        ({"tenant": "ten_1"}, False),
        ({"authentication": Authentication("local-operator", 0), "connection": Connection(None, "in-process")}, True),
        (
            {"authentication": Authentication("local-operator", 0), "connection": Connection("TLSv1.3", "loopback")},
            False,
        ),
    ],
)
def test_when_an_operator_may_operate(decider: CedarDecider, changes: dict[str, Any], allowed: bool) -> None:
    operator = a_caller("operator", ["operator"], **changes)
    assert decider.decide(operator, OPERATIONS[Group.OPERATE, DataClass.SYSTEM, "POST"]).allowed is allowed


def test_public_needs_no_channel_but_sign_in_does(decider: CedarDecider) -> None:
    plain = anonymous(Connection(tls=None, zone="loopback"))
    assert decider.decide(plain, OPERATIONS[Group.PUBLIC, DataClass.SYSTEM, "GET"]).allowed
    assert not decider.decide(plain, OPERATIONS[Group.SIGN_IN, DataClass.SYSTEM, "POST"]).allowed


def test_a_decision_names_its_policies_and_its_evidence(decider: CedarDecider) -> None:
    operation = OPERATIONS[Group.GENERATE, DataClass.USER_GENERATED, "POST"]
    yes = decider.decide(a_caller("user", ["member"]), operation)
    no = decider.decide(a_caller("user", []), operation)
    assert yes.policies == ("member-generate",)
    assert no.policies == (DEFAULT_DENY,)
    assert yes.evidence is not None
    assert yes.evidence != no.evidence


def test_an_unknown_kind_of_caller_is_refused(decider: CedarDecider) -> None:
    assert not decider.decide(a_caller("ghost", ["owner"]), OPERATIONS[Group.PUBLIC, DataClass.SYSTEM, "GET"]).allowed


@pytest.mark.parametrize("group", ["made-up", None])
def test_an_operation_of_an_unknown_group_stops_the_start(group: Any) -> None:
    with pytest.raises(UndeclaredAction):
        CedarDecider([an_operation(group, name="thing.do")])


def test_an_operation_that_takes_the_name_of_a_group_stops_the_start() -> None:
    with pytest.raises(UndeclaredAction):
        CedarDecider([an_operation(Group.PUBLIC, name="operate")])


def test_an_operation_that_the_schema_does_not_know_is_refused(decider: CedarDecider) -> None:
    assert not decider.decide(a_caller("user", ["owner"]), an_operation(Group.PUBLIC, name="new.thing")).allowed


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("permit (principal, action, resource", "parsed"),
        ("permit (principal, action, resource);", "@id"),
        ('@id("own-data") permit (principal, action, resource) when { context.assurence > 1 };', "fit the schema"),
        ('@id("x") permit (principal, action in Action::"own-dada", resource);', "fit the schema"),
        ('@id("x") permit (principal is Userr, action, resource);', "fit the schema"),
        ('@id("public-for-everyone") permit (principal is User, action, resource);', "@id"),
    ],
)
def test_a_broken_policy_file_stops_the_start(addition: str, message: str) -> None:
    with pytest.raises(BrokenPolicy, match=message):
        CedarDecider(OPERATIONS.values(), {**shipped_policies(), "zz.cedar": addition})


def test_a_group_that_no_policy_permits_stops_the_start() -> None:
    files = shipped_policies()
    del files["keys.cedar"]
    CedarDecider(OPERATIONS.values(), files)
    del files["operators.cedar"]
    with pytest.raises(BrokenPolicy, match="operate"):
        CedarDecider(OPERATIONS.values(), files)


def test_a_registry_that_lacks_whole_groups_still_starts_and_decides() -> None:
    few = CedarDecider([an_operation(Group.GENERATE, name="image.generate")])
    assert few.decide(a_caller("user", ["member"]), an_operation(Group.GENERATE, name="image.generate")).allowed
    for name in ("generate", "generate/any", "operate", "public/any"):
        assert not few.decide(a_caller("user", ["owner"]), an_operation(Group.PUBLIC, name=name)).allowed
