"""Clocks that run out are on record once; keys of strangers go when they served."""

from __future__ import annotations

import pytest

from rights_world import OFFICER, RightsWorld, asker
from troth.kernel.errors import Gone
from troth.vault.rights.clocks import Law
from troth.vault.rights.upkeep import KEPT_MS
from vault_world import BOB, TENANT, VaultWorld

SOON, OVER = "request.due-soon", "request.overdue"


def test_each_step_is_told_once(rights: RightsWorld) -> None:
    rights.file()
    assert rights.upkeep.escalate() == {}
    rights.clock.forward(days=25)
    assert [rights.upkeep.escalate(), rights.upkeep.escalate()] == [{SOON: 1}, {}]
    rights.clock.forward(days=10)
    assert [rights.upkeep.escalate(), rights.upkeep.escalate()] == [{OVER: 1}, {}]
    assert rights.events() == ["request.received", SOON, OVER]


def test_a_longer_term_starts_anew(rights: RightsWorld) -> None:
    made = rights.file()
    rights.clock.forward(days=25)
    rights.upkeep.escalate()
    rights.handling.extend(OFFICER, made.id, "complexity")
    assert rights.upkeep.escalate() == {}
    rights.clock.forward(days=70)
    assert rights.upkeep.escalate() == {OVER: 1}


def test_a_receipt_that_nobody_confirmed_is_overdue_too(world: VaultWorld) -> None:
    rights = RightsWorld(world, law=Law.CCPA)
    rights.mail()
    rights.clock.forward(days=15)
    assert rights.upkeep.escalate() == {OVER: 1}


def test_closed_requests_are_left_alone(rights: RightsWorld) -> None:
    rights.register.withdraw(asker(), rights.file().id)
    rights.clock.forward(days=400)
    assert rights.upkeep.escalate() == {}


def test_strangers_are_forgotten_after_two_years(rights: RightsWorld) -> None:
    made = rights.mail()
    rights.handling.refuse(OFFICER, made.id, "identity-not-shown", "Sign in, please.")
    before = rights.handling.opened(TENANT, made.id)
    assert before.written.address == "stranger@example.org"
    rights.clock.forward(seconds=KEPT_MS / 1000 - 1)
    assert rights.upkeep.tidy() == 0
    rights.clock.forward(seconds=2)
    assert [rights.upkeep.tidy(), rights.upkeep.tidy()] == [1, 0]
    after = rights.handling.opened(TENANT, made.id)
    assert (after.written.address, after.written.text, after.answer) == (None, "", None)
    assert after.request.reason == "identity-not-shown"  # the record of 11 CCR 7101 stays, without a person
    with pytest.raises(Gone):
        rights.register.texts.body(TENANT, made.id, before.written)


def test_a_crash_between_key_and_mark_is_made_good(rights: RightsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    made = rights.mail(text="It is me, Bob")
    rights.handling.verify(OFFICER, made.id, "known-channel", BOB)

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("troth.vault.rights.upkeep.store.change", crash)
        with pytest.raises(RuntimeError):
            rights.upkeep.tidy()
    assert rights.upkeep.tidy() == 1
    assert rights.register.own(TENANT, BOB, made.id).written.text == "It is me, Bob"


def test_people_with_an_account_keep_their_texts(rights: RightsWorld) -> None:
    made = rights.file(text="Mine")
    rights.register.withdraw(asker(), made.id)
    rights.clock.forward(seconds=KEPT_MS / 1000 + 10)
    assert rights.upkeep.tidy() == 0
    assert rights.register.own(TENANT, asker().subject, made.id).written.text == "Mine"
