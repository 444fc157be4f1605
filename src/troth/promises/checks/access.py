"""Access promises: the decision point of the running system is asked, for every operation, what it would say."""

from __future__ import annotations

from collections.abc import Iterable

from troth.access.policy import CedarDecider, shipped_policies
from troth.identity.roles import TENANT_ROLES
from troth.kernel.caller import Authentication, Caller, Connection, Device
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Declaration, Group, Operation
from troth.promises.check import Check, Facts, counted
from troth.promises.system import System

_OPEN = (Group.PUBLIC, Group.SIGN_IN)
_LOCAL = Connection("TLSv1.3", "loopback")
_TENANT = "ten_probe"


def _person(*roles: str, assurance: int = 2, connection: Connection = _LOCAL) -> Caller:
    signed_in = Authentication("password+totp", assurance, 60, "ses_probe")
    return Caller(
        actor="usr_probe",
        kind="user",
        tenant=_TENANT,
        subject="usr_probe",
        roles=frozenset(roles),
        authentication=signed_in,
        device=Device("dpop", "probe"),
        connection=connection,
    )


def _closed(system: System) -> list[Operation]:
    return [operation for operation in system.dispatcher.registry if operation.declaration.group not in _OPEN]


def _refused(decider: CedarDecider, caller: Caller, operations: Iterable[Operation]) -> Facts:
    return counted([not decider.decide(caller, operation).allowed for operation in operations])


def _lax_policies(system: System) -> CedarDecider:
    """The known-bad fixture: one policy that permits everything to everybody."""
    permissive = "\n".join(
        f'@id("lax-{group.value}") permit (principal, action in Action::"{group.value}", resource);' for group in Group
    )
    return CedarDecider(system.dispatcher.registry, {"lax.cedar": permissive})


def _without_role(decider: CedarDecider, system: System) -> Facts:
    beyond_account = [one for one in _closed(system) if one.declaration.group is not Group.OWN_ACCOUNT]
    return _refused(decider, _person(), beyond_account)


def _role_taken(system: System, role_after: str | None) -> Facts:
    """For each operation that each role permits: may its holder still, after the role was taken?"""
    asked = [one for one in _closed(system) if one.declaration.group is not Group.OWN_ACCOUNT]
    after, outcomes = _person(role_after) if role_after else _person(), list[bool]()
    for role in sorted(TENANT_ROLES):
        may = [one for one in asked if system.decider.decide(_person(role), one).allowed]
        outcomes.append(bool(may))  # a role that permits nothing would show nothing
        outcomes += [not system.decider.decide(after, operation).allowed for operation in may]
    return counted(outcomes)


def _strangers(decider: CedarDecider, system: System) -> Facts:
    outcomes: list[bool] = []
    for zone in ("loopback", "private", "in-process", "public"):
        stranger = Caller("anonymous", connection=Connection("TLSv1.3", zone))
        outcomes += [not decider.decide(stranger, operation).allowed for operation in _closed(system)]
    return counted(outcomes)


def _classes(decider: CedarDecider) -> Facts:
    """The same administrator may read system data and not user-generated data, by the same action group."""
    admin = _person("admin")
    system_data = _synthetic("probe.system", Group.ADMINISTER, DataClass.SYSTEM)
    content = _synthetic("probe.content", Group.ADMINISTER, DataClass.USER_GENERATED)
    return counted([decider.decide(admin, system_data).allowed, not decider.decide(admin, content).allowed])


def _synthetic(name: str, group: Group, data_class: DataClass) -> Operation:
    return Operation(Declaration(name, group, object, None, None, data_class), lambda _call, _request: None)


def _classes_kept(system: System) -> Facts:
    return _classes(CedarDecider(_class_operations(system)))


def _classes_ignored(system: System) -> Facts:
    """The known-bad fixture: the shipped policies without the one that protects content."""
    limits = shipped_policies()["limits.cedar"].partition('@id("content-of-others")')[0]
    return _classes(CedarDecider(_class_operations(system), {**shipped_policies(), "limits.cedar": limits}))


def _class_operations(system: System) -> list[Operation]:
    return [
        *system.dispatcher.registry,
        _synthetic("probe.system", Group.ADMINISTER, DataClass.SYSTEM),
        _synthetic("probe.content", Group.ADMINISTER, DataClass.USER_GENERATED),
    ]


def _one_factor(decider: CedarDecider, system: System) -> Facts:
    half = _person(*TENANT_ROLES, assurance=1)
    beyond = [one for one in _closed(system) if one.declaration.group is not Group.OWN_ACCOUNT]
    return _refused(decider, half, beyond)


CHECKS = (
    Check(
        "access-default-deny",
        ("ACC-01",),
        "A fresh person without a role is asked about every operation of this installation; each must be refused. "
        "That grants end is for `access-elevation`; what roles of real people permit is not looked at.",
        lambda system: _without_role(system.decider, system),
        lambda system: _without_role(_lax_policies(system), system),
        scope="policies for a person without a role, all operations",
        population="operations beyond public, sign-in and own account",
    ),
    Check(
        "access-role-removed",
        ("ACC-02",),
        "Whatever each shipped role permits is asked again without the role; each must then be refused. A session that "
        "loses a role is for `access-custom-roles`.",
        lambda system: _role_taken(system, None),
        lambda system: _role_taken(system, "member"),
        scope="policies for each shipped role, with and without it",
        population="roles, and operations that each may use",
    ),
    Check(
        "access-strangers",
        ("ACC-03", "CRY-06"),
        "A caller without identity from loopback, private, public and in-process places asks the policies for every "
        "operation; each must be refused. The network and alarms are not looked at.",
        lambda system: _strangers(system.decider, system),
        lambda system: _strangers(_lax_policies(system), system),
        scope="policies for callers without identity, from four places",
        population="operations, each asked from four places",
    ),
    Check(
        "access-by-class",
        ("CLS-02",),
        "The shipped policies let an administrator read system data and refuse user-generated data, in two made-up "
        "operations. Whether each real operation declares its class rightly, and the log, are not looked at.",
        _classes_kept,
        _classes_ignored,
        scope="shipped policies on two classes of data",
        population="operations, one for each class of data",
    ),
    Check(
        "access-second-factor",
        ("IDN-02",),
        "A session with a password alone and every role asks for every operation beyond its own account; each must be "
        "refused.",
        lambda system: _one_factor(system.decider, system),
        lambda system: _one_factor(_lax_policies(system), system),
        scope="policies for sessions with a password alone",
        population="operations beyond public, sign-in and own account",
    ),
)
