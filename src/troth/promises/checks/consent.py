"""Promises about consent: synthetic people agree and change their minds; a synthetic export must follow exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from troth.identity.privacy import PrivacySettings
from troth.kernel.data_class import DataClass
from troth.kernel.ids import new_id
from troth.promises.check import Check, Facts, counted
from troth.promises.checks.redaction import rows_of, training_set
from troth.promises.probe import Probe, ground, probe
from troth.promises.system import PROBE_TENANT, System
from troth.redact.consent import ConsentGate, ConsentRegister, NoSubjects
from troth.vault.consent import TRAINING, VENDOR_RETENTION
from troth.vault.deadlines import CLASS_DAYS, Deadlines

_ITEMS, _AGREED, _CANARIES = 100, 3, 60
_NOTICE = "self-check-1"
Gate = Callable[[Sequence[Probe]], ConsentGate]

# Written here again, so that a changed default in the code is a difference and not a new truth (GDPR article 25(2)).
_MOST_PRIVATE = {
    "training": "off",
    "sharing": "off",
    "retention": "shortest",
    "content-in-logs": "off",
    "analytics": "off",
}


def _register(people: Sequence[Probe]) -> ConsentGate:
    """The consents that stand in the vault's register now."""
    found = {one.subject: one.system.vault.consents.valid(one.tenant, one.subject, TRAINING) for one in people}
    return ConsentRegister("person", {subject: consent for subject, consent in found.items() if consent})


def _ask_nobody(_people: Sequence[Probe]) -> ConsentGate:
    """The known-bad gate."""
    return NoSubjects("The known-bad gate asks nobody.")


@dataclass(frozen=True)
class _Stale:
    """The known-bad register: consents as they were before anybody withdrew."""

    taken: dict[str, str]

    def gate(self, _people: Sequence[Probe]) -> ConsentGate:
        return ConsentRegister("person", self.taken)


def _exported(system: System, people: Sequence[Probe], gate: Gate) -> set[str]:
    """Which rows reach the training set: rows of the people, then of others who were never asked."""
    subjects = [one.subject for one in people] + [new_id("usr") for _ in range(_ITEMS - len(people))]
    rows = [{"person": subject, "item": f"item {n} end"} for n, subject in enumerate(subjects)]
    with training_set(system.base.signer, rows, gate(people), canaries=_CANARIES) as folder:
        return {row["item"] for row in rows_of(folder, system.base.signer)}


def _only_agreed(system: System, gate: Gate) -> Facts:
    with ExitStack() as stack:
        people = [stack.enter_context(probe(system)) for _ in range(_AGREED)]
        consents = [_agree(one) for one in people]
        exported = _exported(system, people, gate)
        named = gate(people)
        outcomes = [(f"item {n} end" in exported) == (n < _AGREED) for n in range(_ITEMS)]
        outcomes += [
            named.consented({"person": one.subject}) == consent for one, consent in zip(people, consents, strict=True)
        ]
    return counted(outcomes)


def _withdrawn(system: System, *, stale: bool) -> Facts:
    with probe(system) as stays, probe(system) as leaves:
        taken = {one.subject: _agree(one) for one in (stays, leaves)}
        gate = _Stale(taken).gate if stale else _register
        before = _exported(system, (stays, leaves), gate)
        system.vault.consents.withdraw(leaves.tenant, leaves.subject, taken[leaves.subject])
        after = _exported(system, (stays, leaves), gate)
    return counted([before == {"item 0 end", "item 1 end"}, after == {"item 0 end"}])


def _agree(person: Probe) -> str:
    return person.system.vault.consents.grant(person.tenant, person.subject, TRAINING, notice=_NOTICE).id


def _defaults(system: System) -> Facts:
    """Settings, consents and retention of a fresh person and of the probe tenant."""
    settings, consents = PrivacySettings(system.base.database), system.vault.consents
    tenant, subject = system.probe_person()
    shown = [settings.of(tenant), settings.of(subject)]
    outcomes = [one.get(name) == value for one in shown for name, value in _MOST_PRIVATE.items()]
    outcomes += [set(one) == set(_MOST_PRIVATE) for one in shown]
    outcomes += [consents.valid(tenant, subject, purpose) is None for purpose in (TRAINING, VENDOR_RETENTION)]
    days = Deadlines(ground(system)).days(tenant, DataClass.USER_GENERATED)
    outcomes.append(days is not None and days <= (CLASS_DAYS[DataClass.USER_GENERATED] or 0))
    return counted(outcomes)


def _opened_default(system: System) -> Facts:
    """The known-bad fixture: a probe tenant that somebody opened up."""
    settings, tenant = PrivacySettings(system.base.database), system.probe_tenant(PROBE_TENANT)
    settings.change(tenant, "training", "by-consent")
    try:
        return _defaults(system)
    finally:
        settings.change(tenant, "training", "off")


CHECKS = (
    Check(
        "consent-decides-export",
        ("CLS-06",),
        "Of 100 synthetic rows, 3 belong to people who agreed to training; the export must hold exactly those 3, and "
        "name each one's consent. That an operator brings the register as it stands is not looked at.",
        lambda system: _only_agreed(system, _register),
        lambda system: _only_agreed(system, _ask_nobody),
        every=24 * 3600,
    ),
    Check(
        "consent-withdrawn",
        ("CLS-07",),
        "A synthetic person withdraws by one act; the next export must leave their row out and keep the other's. "
        "Models that were trained before are not looked at: Troth keeps no lineage of models yet.",
        lambda system: _withdrawn(system, stale=False),
        lambda system: _withdrawn(system, stale=True),
        every=24 * 3600,
    ),
    Check(
        "defaults-private",
        ("GOV-16",),
        "A fresh synthetic person and their tenant must show every privacy setting at its most private value, no "
        "consent and the shortest retention. What real tenants chose for themselves is not looked at.",
        _defaults,
        _opened_default,
        every=6 * 3600,
    ),
)
