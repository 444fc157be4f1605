"""The SAML door under attack: each attack is refused for the reason it is meant for, and passes without its fault."""

from __future__ import annotations

import copy
import os
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

import saml_world as w
from saml_attacks import EVIL, HONEST, SAML, SIGNATURES, WRAPPING, Attack, evil_name
from saml_faults import ENCRYPTION, READING, SAID
from troth.identity.sso.saml import grammar
from troth.identity.sso.saml.parsing import decoded
from troth.identity.sso.saml.refusal import Reason, SamlRefused
from troth.identity.sso.saml.response import judge

MUTATIONS = int(os.environ.get("TROTH_TEST_SAML_MUTATIONS", "2000"))
SEED = int(os.environ.get("TROTH_TEST_SAML_SEED", "20261122"))


ATTACKS = [*WRAPPING, *SIGNATURES, *READING, *SAID, *ENCRYPTION]


def _bytes(document: str | bytes) -> bytes:
    return document.encode() if isinstance(document, str) else document


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_refused_for_its_fault_and_for_nothing_else(attack: Attack) -> None:
    without = judge(_bytes(attack.honest()), w.expected(**(attack.honest_fits or attack.fits)()))
    assert without.name_id == HONEST
    with pytest.raises(SamlRefused) as refused:
        judge(_bytes(attack.faulty()), w.expected(**attack.fits()))
    assert refused.value.reason is attack.reason
    assert refused.value.code == "saml-refused"


def test_there_are_as_many_attacks_as_the_design_asks_for_and_none_twice() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 54


def test_a_stranger_reads_one_sentence_whatever_was_wrong() -> None:
    assert len({SamlRefused(reason).advice for reason in Reason}) == 1


@pytest.mark.parametrize("attack", WRAPPING, ids=lambda attack: attack.name)
def test_wrapping_gives_nobody_else_even_without_the_grammar(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second wall alone: what is read is what the signature covers."""
    monkeypatch.setattr(grammar, "check", lambda root, expected: None)
    try:
        login = judge(_bytes(attack.faulty()), w.expected())
    except SamlRefused:
        return
    assert login.name_id == HONEST


@pytest.mark.parametrize("name", sorted(w.SHAPES))
def test_an_honest_answer_passes_in_every_shape(name: str) -> None:
    login = judge(w.SHAPES[name]().encode(), w.expected())
    assert (login.name_id, login.session_index, login.in_response_to) == (HONEST, "_session1", w.REQUEST)
    assert login.attributes == {"email": (HONEST,), "groups": ("staff", "lab")}
    assert login.authn_context.endswith(":PasswordProtectedTransport")
    assert login.session_not_on_or_after == w.NOW + timedelta(hours=8)
    assert login.not_on_or_after == w.NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    "how",
    [
        w.Signing(key="ec-idp", method=w.ECDSA_SHA256),
        w.Signing(method=w.RSA_SHA256.replace("256", "512"), digest=w.SHA256.replace("256", "512")),
        w.Signing(method=w.RSA_SHA256.replace("256", "384"), digest=w.RSA_SHA256.replace("rsa-sha256", "sha384")),
        w.Signing(key_info=""),
    ],
    ids=["ecdsa", "sha-512", "sha-384", "no-key-info"],
)
def test_other_honest_algorithms_pass(how: w.Signing) -> None:
    pinned = (w.certificate(how.key),)
    assert judge(w.assertion_signed(how=how).encode(), w.expected(certificates=pinned)).name_id == HONEST


@pytest.mark.parametrize("form", ["%%%", "PHNhbWw", "x" * (1 << 20)])
def test_a_form_field_that_is_no_base64_is_refused(form: str) -> None:
    with pytest.raises(SamlRefused):
        decoded(form)


_WORDS = (EVIL, "", "_evil", "_assertion1", w.ACS, "2030-01-01T00:00:00Z", "0", "&amp;")


def _doubled(chance: random.Random, one: Any, other: Any) -> None:
    other.append(copy.deepcopy(one))


def _moved(chance: random.Random, one: Any, other: Any) -> None:
    if one.getparent() is not None and other not in one.iter():
        other.insert(chance.randrange(len(other) + 1), one)


def _removed(chance: random.Random, one: Any, other: Any) -> None:
    if one.getparent() is not None:
        one.getparent().remove(one)


def _worded(chance: random.Random, one: Any, other: Any) -> None:
    one.text = chance.choice(_WORDS)


def _attributed(chance: random.Random, one: Any, other: Any) -> None:
    if one.attrib:
        one.set(chance.choice(list(one.attrib)), chance.choice(_WORDS))


def _named(chance: random.Random, one: Any, other: Any) -> None:
    one.tag = other.tag


def _evil_twin(chance: random.Random, one: Any, other: Any) -> None:
    twin = copy.deepcopy(one)
    for name in twin.iter(f"{SAML}NameID"):
        name.text = EVIL
    if one.getparent() is not None:
        one.addprevious(twin)


def _filled(chance: random.Random, one: Any, other: Any) -> None:
    one.append(etree.Comment(" x ") if chance.random() < 0.3 else etree.Element(other.tag))


_CHANGES = (_doubled, _moved, _removed, _worded, _attributed, _named, _evil_twin, _filled)


def _mutated(chance: random.Random, root: Any) -> None:
    """One structural change somewhere."""
    everything = [one for one in root.iter() if isinstance(one.tag, str)]
    chance.choice(_CHANGES)(chance, chance.choice(everything), chance.choice(everything))


def test_random_changes_of_honest_answers_never_give_somebody_else() -> None:
    chance, honest = random.Random(SEED), [shape() for shape in w.SHAPES.values()]
    fits, passed, refusals = w.expected(), 0, set()
    for _ in range(MUTATIONS):
        root = etree.fromstring(chance.choice(honest))
        for _ in range(chance.choice((1, 1, 2, 4))):
            _mutated(chance, root)
        try:
            login = judge(etree.tostring(root), fits)
        except SamlRefused as refused:
            refusals.add(refused.reason)
        else:
            passed += 1
            assert (login.name_id, login.attributes["groups"]) == (HONEST, ("staff", "lab"))
    assert 0 < passed < MUTATIONS // 2  # some changes touch nothing that is signed
    assert len(refusals) >= 10


def test_the_battery_fails_when_the_door_reads_what_was_not_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The known-bad control of the mutations: a door that trusts the message lets somebody else in."""
    monkeypatch.setattr("troth.identity.sso.saml.response.verified", lambda _document, element, *_rest: element)
    assert judge(evil_name(w.assertion_signed()).encode(), w.expected()).name_id == EVIL


def test_what_a_provider_may_leave_out_may_be_left_out() -> None:
    for value in (w.Facts(session_until=None), w.Facts(not_before=None), replace(w.Facts(), conditions_extra="")):
        assert judge(w.assertion_signed(value).encode(), w.expected()).name_id == HONEST
