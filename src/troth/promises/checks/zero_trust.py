"""Zero trust: decisions rest on whole evidence, a device's key answers for sessions, and the log says both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from troth.access.evidence import CONTEXT_TYPES, Evidence, evidence_of
from troth.access.policy import CedarDecider, shipped_policies
from troth.identity.devices.holding import DeviceKey
from troth.identity.devices.shown import PLAIN, Scheme, Shown
from troth.identity.roles import TENANT_ROLES
from troth.identity.sessions import Proof
from troth.identity.users import NewUser
from troth.kernel.caller import Authentication, Caller, Connection, Device
from troth.kernel.clock import epoch_ms
from troth.kernel.dispatch import Decider, Decision, Dispatcher
from troth.kernel.errors import NotFound, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.operation import Group, Operation
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import SERVICE, Probe, probe, refused
from troth.promises.system import System
from troth.vault.messages import Nothing

_PROVEN = Authentication("password+totp", 2, 60, "ses_probe")
_DOOR = Connection("TLSv1.3", "loopback")
_BOUND = Device("dpop", "probe")
_WITHOUT_DEVICE = (Group.PUBLIC, Group.SIGN_IN, Group.OWN_ACCOUNT, Group.OWN_RIGHTS)
# What weakens the evidence of anybody so far that nothing but what is public stays.
_WORTHLESS: tuple[Mapping[str, Any], ...] = ({"tls": "none"}, {"tls": "TLSv1.2"}, {"age_minutes": 721})
_PATH = "/v1/consents"


class _Trusting(CedarDecider):
    """The known-bad decider: what the evidence does not say, it takes for granted."""

    def judge(self, evidence: Evidence) -> Decision:
        usual = {"assurance": 2, "age_minutes": 1, "tls": "TLSv1.3"}
        absent: dict[str, Any] = {"Long": 0, "String": "webcrypto", "Boolean": True, "Set": []}
        whole = {name: usual.get(name, absent[kind]) for name, kind in CONTEXT_TYPES.items()}
        return super().judge(replace(evidence, context=whole | dict(evidence.context) | usual))


def _callers() -> tuple[Caller, ...]:
    good: dict[str, Any] = {"subject": "usr_probe", "authentication": _PROVEN, "device": _BOUND, "connection": _DOOR}
    person = Caller("usr_probe", "user", tenant="ten_probe", roles=TENANT_ROLES, **good)
    return person, Caller("usr_probe", "operator", roles=frozenset({"operator"}), **good)


def _asked(system: System) -> Iterator[tuple[Operation, Evidence]]:
    """Every operation that is not public or sign-in, with the evidence of a person or operator who may do it."""
    for operation in system.dispatcher.registry:
        if operation.declaration.group not in (Group.PUBLIC, Group.SIGN_IN):
            able = (evidence_of(caller, operation) for caller in _callers())
            yield from ((operation, one) for one in able if system.decider.judge(one).allowed)


def _evidence(system: System, decider: CedarDecider) -> Facts:
    """Each attribute taken away in turn, then the evidence made worthless: nothing may be allowed."""
    outcomes = []
    for _, evidence in _asked(system):
        poorer = [{name: value for name, value in evidence.context.items() if name != gone} for gone in CONTEXT_TYPES]
        poorer += [{**evidence.context, **worthless} for worthless in _WORTHLESS]
        outcomes += [not decider.judge(replace(evidence, context=context)).allowed for context in poorer]
    return counted(outcomes)


def _devices(system: System, decider: CedarDecider, device: Device) -> Facts:
    """Without a device's key nothing but account and rights; and a bound session's token, with its key and without."""
    outcomes = []
    for operation, evidence in _asked(system):
        if operation.declaration.group not in _WITHOUT_DEVICE:
            unbound = replace(evidence, context={**evidence.context, "device": "none"})
            outcomes += [decider.judge(evidence).allowed, decider.judge(unbound).remedy == "device-unbound"]
    return counted(outcomes + _sessions(system, device))


def _sessions(system: System, device: Device) -> list[bool]:
    """A real session of a synthetic person, bound to `device`'s key; a thief has its token."""
    identity, key = system.identity, DeviceKey()
    with probe(system) as around:
        new = NewUser(around.tenant, f"{new_id('usr')}@example.org", "Self-check", frozenset({"member"}), SERVICE)
        person = Probe(system, around.tenant, identity.users.create(new).id)
        try:
            session = identity.sessions.open(person.subject, Proof("password+totp", 2), "loopback")
            identity.sessions.bind_to(session.id, replace(device, thumbprint=key.thumbprint))
            by = {name: _shown(system, maker, session.token) for name, maker in (("own", key), ("thief", DeviceKey()))}
            attempts = [PLAIN, by["thief"], by["own"], replace(by["own"], method="POST")]
            ok = [not refused(lambda s=shown: identity.sessions.authenticate(session.token, _DOOR, s), Unauthenticated)  # type: ignore[misc]
                  for shown in attempts]  # fmt: skip
            return [not ok[0], not ok[1], ok[2], not ok[3]]
        finally:
            person.erase()


def _shown(system: System, key: DeviceKey, token: str) -> Shown:
    origin, now = system.identity.passkeys.party.origins[0], epoch_ms(system.base.clock.now())
    return Shown(Scheme.DPOP, key.proof("GET", origin + _PATH, now=now, token=token), "GET", _PATH)


class _Silent:
    """The known-bad decider: it says yes and not why."""

    def decide(self, caller: Caller, operation: Operation) -> Decision:
        del caller, operation
        return Decision(allowed=True)


def _recorded(system: System, decider: Decider) -> Facts:
    """Of what is allowed and what is refused, the entry names the policies and the digest of the evidence."""
    base, outcomes = system.base, list[bool]()
    with probe(system) as person:
        registry = system.dispatcher.registry
        dispatcher = Dispatcher(registry, decider, base.outbox, base.clock, base.journal)
        for name in ("consent.list", "user.list"):
            request, caller = new_id("req"), person.caller()
            refused(lambda n=name, c=caller, r=request: dispatcher.run(n, c, Nothing(), r))  # type: ignore[misc]
            expected = system.decider.decide(caller, registry[name])
            entry = _entry(system, person.tenant, request)
            outcomes.append(entry.get("policies") == list(expected.policies) != [])
            outcomes.append(entry.get("evidence") == evidence_of(caller, registry[name]).digest())
    return counted(outcomes)


def _entry(system: System, log: str, request: str) -> dict[str, Any]:
    """The first entry of a request in a log; nothing when there is none."""
    system.base.sequencer.flush(log)
    try:
        first = min(system.base.prover.locate(log, request))
    except (NotFound, ValueError):
        return {}
    entry: dict[str, Any] = json.loads(system.base.reader.entry(log, first))
    return entry


def _without_guard(system: System) -> CedarDecider:
    """The known-bad fixture: the shipped policies without those that ask for a device and a fresh proof."""
    lax = {name: text for name, text in shipped_policies().items() if name != "guard.cedar"}
    return CedarDecider(system.dispatcher.registry, lax)


CHECKS = (
    Check(
        "zero-trust-evidence",
        ("ACC-03", "ACC-05"),
        "For every operation that a person or operator in good order may do, each fact that the policies see is taken "
        "away in turn, and the channel and age are made worthless; each must then be refused.",
        lambda system: _evidence(system, system.decider),
        lambda system: _evidence(system, _Trusting(system.dispatcher.registry)),
        scope="policies and each fact that they see",
        population="operations, each with one fact gone or worthless",
    ),
    Check(
        "zero-trust-device",
        ("ACC-04", "ACC-05"),
        "The same without a device's key must be refused beyond account and rights; and a real session's token must be "
        "refused without its key, with another key and with a proof for another request, and pass with its own.",
        lambda system: _devices(system, system.decider, _BOUND),
        lambda system: _devices(system, _without_guard(system), Device()),
        scope="policies on devices, and one synthetic bound session",
        population="operations with and without a device, uses of a token",
    ),
    Check(
        "zero-trust-recorded",
        ("ACC-03",),
        "One operation that is allowed and one that is refused: the log's entries must name the policies that spoke "
        "and the SHA-256 of exactly the evidence they saw.",
        lambda system: _recorded(system, system.decider),
        lambda system: _recorded(system, _Silent()),
        scope="log entries of two operations of a synthetic person",
        population="policies and evidence that two entries name",
    ),
)
