"""Promises about consent: synthetic people agree and change their minds; a synthetic export must follow exactly."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from troth.gateway.receipts import Receipts
from troth.identity.privacy import PrivacySettings
from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Unavailable
from troth.kernel.ids import new_id
from troth.promises.account import Account, account
from troth.promises.check import Check, Facts, counted
from troth.promises.checks.redaction import rows_of, training_set
from troth.promises.desk import Desk, vendor
from troth.promises.probe import Probe, ground, probe, refused
from troth.promises.system import PROBE_TENANT, System
from troth.redact.consent import ConsentGate, ConsentRegister, NoSubjects
from troth.vault.consent import TRAINING, VENDOR_RETENTION
from troth.vault.deadlines import CLASS_DAYS, Deadlines
from troth.vault.objections import SALE_AND_SHARING

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


def _not_sold(system: System, signal: Callable[[System, Account], None]) -> Facts:
    """Nobody can agree to a sale, nothing is kept or leaves for one, and a browser's no stands on the next receipt."""
    with probe(system) as around:
        someone = account(system, around.tenant)
        person = someone.person
        try:
            outcomes = [
                refused(lambda one=purpose: _agree_to(person, one), code="never-sold")  # type: ignore[misc]
                and refused(lambda one=purpose: person.keep(purpose=one), code="no-consent")  # type: ignore[misc]
                for purpose in SALE_AND_SHARING
            ]
            signal(system, someone)
            standing = system.vault.rights.register.objections.standing(person.tenant, person.subject)
            request = new_id("req")
            Desk(person=person, record=vendor(epoch_ms(system.base.clock.now()))).ask("Say hello.", request)
            receipts = Receipts(system.base.database, system.vault.objects, system.base.clock)
            told = receipts.show(person.tenant, person.subject, request).objected
            outcomes += [purpose in standing and purpose in told for purpose in SALE_AND_SHARING]
        finally:
            person.erase()
    return counted(outcomes)


def _agree_to(person: Probe, purpose: str) -> None:
    person.system.vault.consents.grant(person.tenant, person.subject, purpose, notice=_NOTICE)


def _through_the_door(system: System, someone: Account) -> None:
    """A program of the person's sends Sec-GPC: 1 over the network; without a listener the register hears it itself."""
    listener, person = system.door.listener, someone.person
    if listener is None:
        system.vault.rights.register.signal(person.tenant, person.subject, new_id("run"))
        return
    context = ssl.create_default_context(cafile=str(listener.authority) if listener.authority else None)
    context.check_hostname = listener.authority is not None  # a public certificate names the host only
    connection = http.client.HTTPSConnection(listener.host, listener.port, timeout=10, context=context)
    headers = {"host": listener.name, "authorization": f"Bearer {someone.key.token}", "sec-gpc": "1"}
    try:
        connection.request("GET", "/v1/consents", headers=headers)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable("The HTTPS door does not answer.", code="no-listener") from error
    finally:
        connection.close()


def _unheard(_system: System, _someone: Account) -> None:
    """The known-bad door: it does not look at the header."""


CHECKS = (
    Check(
        "never-sold",
        ("RGT-06",),
        "A synthetic person can agree to neither sale nor sharing, and nothing can be kept for them; a request with "
        "Sec-GPC: 1 must raise both objections, and the receipt of the next request to a vendor must name them. A "
        "register of disclosures beside the receipts is not looked at; without a door, nor is the header.",
        lambda system: _not_sold(system, _through_the_door),
        lambda system: _not_sold(system, _unheard),
        every=6 * 3600,
        scope="consents, objections and a receipt of a synthetic person",
        population="purposes of sale and sharing, asked and objected to",
    ),
    Check(
        "consent-decides-export",
        ("CLS-06",),
        "Of 100 synthetic rows, 3 belong to people who agreed to training; the export must hold exactly those 3, and "
        "name each one's consent. That an operator brings the register as it stands is not looked at.",
        lambda system: _only_agreed(system, _register),
        lambda system: _only_agreed(system, _ask_nobody),
        every=24 * 3600,
        scope="one training export of 100 synthetic rows",
        population="rows, and consents that are named for them",
    ),
    Check(
        "consent-withdrawn",
        ("CLS-07",),
        "A synthetic person withdraws by one act; the next export must leave their row out and keep the other's. "
        "Models that were trained before are not looked at; lineage is for `model-lineage`.",
        lambda system: _withdrawn(system, stale=False),
        lambda system: _withdrawn(system, stale=True),
        every=24 * 3600,
        scope="training exports before and after one withdrawal",
        population="exports of synthetic rows",
    ),
    Check(
        "defaults-private",
        ("GOV-16",),
        "A fresh synthetic person and their tenant must show every privacy setting at its most private value, no "
        "consent and the shortest retention. What real tenants chose for themselves is not looked at.",
        _defaults,
        _opened_default,
        every=6 * 3600,
        scope="defaults of a fresh synthetic person and their tenant",
        population="settings, consents and deadlines",
    ),
)
