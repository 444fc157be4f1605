"""Who may change what others have shows a passkey: the road of every operation is asked with and without one."""

from __future__ import annotations

from dataclasses import replace

from troth.identity.privileged import GROUPS, REMEDY
from troth.identity.sign_in import WITH_CODE, WITH_PASSKEY
from troth.kernel.caller import Authentication, Caller, Connection
from troth.kernel.dispatch import Decider
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import BOUND
from troth.promises.system import System

_LONG_AGO = 1  # epoch ms: a role that was given long before any grace could be running


def _rest(decider: Decider, system: System) -> Facts:
    """Whatever a privileged person may do to others rests without a passkey, and is there again with one."""
    outcomes = []
    for bare in (_owner(), _operator()):
        by_code, by_passkey = _shown(bare, WITH_CODE.method), _shown(bare, WITH_PASSKEY.method)
        for operation in system.dispatcher.registry:
            if operation.declaration.group in GROUPS and system.decider.decide(by_passkey, operation).allowed:
                decision = decider.decide(by_code, operation)
                outcomes.append(not decision.allowed and decision.remedy == REMEDY)
                outcomes.append(decider.decide(by_passkey, operation).allowed)
    return counted(outcomes)


def _owner() -> Caller:
    return Caller("usr_probe", "user", "ten_probe", "usr_probe", frozenset({"owner"}), privileged_since=_LONG_AGO)


def _operator() -> Caller:
    roles = frozenset({"operator"})
    return Caller("usr_probe", "operator", subject="usr_probe", roles=roles, privileged_since=_LONG_AGO)


def _shown(caller: Caller, method: str) -> Caller:
    here = Connection("TLSv1.3", "loopback")
    return replace(caller, authentication=Authentication(method, 2, 60, "ses_probe"), device=BOUND, connection=here)


CHECKS = (
    Check(
        "privileged-passkey",
        ("IDN-02",),
        "An owner and an operator with roles from long ago ask for every operation that administers, audits, reviews "
        "or operates: without a passkey each must be refused with what to do about it, with one each must be allowed. "
        "Accounts of real people are not counted.",
        lambda system: _rest(system.dispatcher.decider, system),
        lambda system: _rest(system.decider, system),
        scope="policies for owners and operators of long standing",
        population="privileged operations, each without and with a passkey",
    ),
)
