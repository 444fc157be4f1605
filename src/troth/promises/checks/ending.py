"""Promises about data that may no longer be used: restricted by the person, or kept for a purpose they left."""

from __future__ import annotations

from collections.abc import Callable

from troth.kernel.errors import Conflict, Denied, Gone
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, ground, probe, refused
from troth.promises.system import System
from troth.vault.consent import TRAINING
from troth.vault.messages import Nothing
from troth.vault.restriction import Restrictions

_NOTICE = "self-check-1"


def _restricted(system: System, restrict: Callable[[Probe], object]) -> Facts:
    """While restricted: nothing opens, lists or is kept, and the export works; afterwards all is as before."""
    with probe(system) as person:
        kept, register = person.keep(b"contested").id, Restrictions(ground(system))
        restrict(person)
        objects = system.vault.objects
        outcomes = [
            refused(lambda: person.open(kept), Conflict, code="restricted"),
            refused(lambda: objects.list(person.tenant, person.subject), Conflict, code="restricted"),
            refused(lambda: person.keep(b"more"), Conflict, code="restricted"),
            not refused(lambda: person.run("data.export", Nothing())),
            objects.open(person.tenant, person.subject, kept, duty=True)[1] == b"contested",
        ]
        if register.standing(person.tenant, person.subject):
            register.lift(person.tenant, person.subject, officer=None, request="run_self-check")
        outcomes.append(not refused(lambda: person.open(kept)))
    return counted(outcomes)


def _restrict(person: Probe) -> object:
    register = Restrictions(ground(person.system))
    return register.place(person.tenant, person.subject, reason="self-check", officer=None, request="run_self-check")


def _shrug(_person: Probe) -> None:
    """The known-bad desk: it says that use is restricted and goes on using."""
    return


def _left(system: System, withdraw: Callable[[Probe, str], object]) -> Facts:
    """What was kept for a purpose, and its copy, do not open once the consent is withdrawn; the rest does."""
    with probe(system) as person:
        consents = system.vault.consents
        given = consents.grant(person.tenant, person.subject, TRAINING, notice=_NOTICE)
        bound, plain = person.keep(b"for training", purpose=TRAINING).id, person.keep(b"plain").id
        copy = person.keep(b"copy", derived_from=(bound,)).id
        withdraw(person, given.id)
        outcomes = [refused(lambda one=one: person.open(one), Gone) for one in (bound, copy)]  # type: ignore[misc]
        outcomes.append(refused(lambda: person.keep(b"more", purpose=TRAINING), Denied, code="no-consent"))
        outcomes.append(not refused(lambda: person.open(plain)))
        units = [bytes.fromhex(person.row(one)["unit"]) for one in (bound, copy)]
        system.vault.retention.sweep()
        outcomes += [refused(lambda one=one: system.base.tree.key(one), Gone) for one in units]  # type: ignore[misc]
    return counted(outcomes)


def _withdraw(person: Probe, consent: str) -> object:
    return person.system.vault.consents.withdraw(person.tenant, person.subject, consent)


CHECKS = (
    Check(
        "restriction-holds",
        ("RGT-02",),
        "A synthetic person restricts the use of their data: it must not open, be listed or be added to, by fence and "
        "by key, while the export works and everything opens again afterwards. Uses outside Troth are not looked at.",
        lambda system: _restricted(system, _restrict),
        lambda system: _restricted(system, _shrug),
        every=6 * 3600,
        scope="data of one synthetic person under a restriction",
        population="uses that must stop, and uses that must go on",
    ),
    Check(
        "purpose-ends-with-consent",
        ("DEL-01",),
        "What a synthetic person let be kept for training, and a copy of it, must be gone at once when the consent is "
        "withdrawn and destroyed by key at the next sweep; what was kept without that purpose stays.",
        lambda system: _left(system, _withdraw),
        lambda system: _left(system, lambda _person, _consent: None),
        every=6 * 3600,
        scope="synthetic objects that were kept by a consent",
        population="objects and keys after the withdrawal",
    ),
)
