"""Passkeys promise: a device in software signs in for a synthetic person, and in every way that must be refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from troth.identity.mfa.challenges import Purpose
from troth.identity.mfa.passkeys import Owner, Passkeys
from troth.identity.mfa.relying_party import Assertion, Person, RelyingParty
from troth.identity.sign_in import WITH_CODE, WITH_PASSKEY
from troth.identity.users import NewUser
from troth.kernel.errors import Unauthenticated
from troth.promises.authenticator import PRESENT, Authenticator
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import SERVICE, Probe, probe, refused
from troth.promises.system import System

_PHISHER = "https://phisher.example"


@dataclass(frozen=True, slots=True)
class _Credulous(RelyingParty):
    """The known-bad relying party: it believes whatever a device says."""

    def asserted(self, answer: Assertion, challenge: bytes, public_key: bytes) -> int:
        del challenge, public_key
        return int.from_bytes(answer.authenticator_data[33:37], "big")


def _passkeys(system: System, passkeys: Passkeys) -> Facts:
    identity = system.identity
    with probe(system) as around:
        address = f"{secrets.token_hex(12)}@example.org"
        new = NewUser(around.tenant, address, "Self-check", frozenset({"member"}), SERVICE)
        person = Probe(system, around.tenant, identity.users.create(new).id)
        try:
            return counted([*_tried(passkeys, Owner(person.tenant, person.subject)), WITH_PASSKEY.phishing_resistant])
        finally:
            person.erase()


def _tried(passkeys: Passkeys, owner: Owner) -> Iterator[bool]:
    """True for each honest answer that is taken and each false one that is refused."""
    party = passkeys.party
    device = Authenticator(party.origins[0])
    challenge = passkeys.challenges.issue(Purpose.REGISTER, "self-check")
    options = party.creation(challenge, Person(passkeys.handle(owner.user), "self-check", "Self-check"), ())
    passkeys.add(owner, party.registered(device.create(options), challenge), "self-check")

    def ask(holder: str = "self-check") -> dict[str, Any]:
        return party.request(passkeys.challenges.issue(Purpose.SIGN_IN, holder))

    def enter(answer: Assertion) -> None:
        passkeys.verify(passkeys.find(answer.credential), answer, Purpose.SIGN_IN, "self-check")

    def fails(make: Callable[[], Assertion]) -> bool:
        answer = make()
        return refused(lambda: enter(answer), Unauthenticated)

    good = device.get(ask())
    enter(good)
    yield fails(lambda: good)
    yield fails(lambda: device.get(ask(), origin=_PHISHER))
    yield fails(lambda: device.get(ask(), rp_id="phisher.example"))
    yield fails(lambda: device.get(ask("another attempt")))
    yield fails(lambda: replace(device, flags=PRESENT).get(ask()))
    yield fails(lambda: replace(device, counter=0).get(ask()))
    yield fails(lambda: replace(device.get(ask()), signature=good.signature))
    yield not fails(lambda: replace(device, counter=1000).get(ask()))
    yield not WITH_CODE.phishing_resistant


CHECKS = (
    Check(
        "passkeys",
        ("IDN-02", "ACC-03"),
        "A software device signs in for a synthetic person: the honest answer must be taken; one for another page or "
        "domain, of an unverified person, replayed, of another attempt, with an old counter or signature must not be.",
        lambda system: _passkeys(system, system.identity.passkeys),
        lambda system: _passkeys(system, _credulous(system)),
        every=6 * 3600,
        scope="passkeys of one synthetic account",
        population="answers of a device, honest and false",
    ),
)


def _credulous(system: System) -> Passkeys:
    honest = system.identity.passkeys
    return replace(honest, party=_Credulous(honest.party.id, honest.party.origins))
