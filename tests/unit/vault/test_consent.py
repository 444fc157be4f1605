"""Consent: per purpose, with history, withdrawn as easily as given, receipts that hold."""

from __future__ import annotations

import threading

import pytest

from troth.kernel.errors import Denied, Invalid, NotFound
from troth.vault import consent
from troth.vault.consent import RECEIPT_TYPE
from troth.vault.deadlines import DAY_MS
from troth.vault.dsse import verify_envelope
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld


def test_stands_between_grant_and_withdrawal(world: VaultWorld) -> None:
    assert world.consents.valid(TENANT, ANN, "training") is None
    before = world.ground.now() - 1
    given = world.consents.grant(TENANT, ANN, "training", notice="v1")
    assert world.consents.valid(TENANT, ANN, "training") == given.id
    assert world.consents.valid(TENANT, ANN, "training", before) is None
    assert world.consents.valid(TENANT, ANN, "vendor-retention") is None
    world.clock.forward(hours=1)
    during = world.ground.now() - 1
    world.consents.withdraw(TENANT, ANN, given.id)
    assert world.consents.valid(TENANT, ANN, "training") is None
    assert world.consents.valid(TENANT, ANN, "training", during) == given.id


def test_belongs_to_one_person_of_one_tenant(world: VaultWorld) -> None:
    given = world.consents.grant(TENANT, ANN, "training", notice="v1")
    for tenant, subject in ((TENANT, BOB), (OTHER, ANN)):
        assert world.consents.valid(tenant, subject, "training") is None
        with pytest.raises(NotFound):
            world.consents.withdraw(tenant, subject, given.id)
        with pytest.raises(NotFound):
            world.consents.receipt(tenant, subject, given.id)


def test_history_keeps_every_act(world: VaultWorld) -> None:
    first = world.consents.grant(TENANT, ANN, "training", notice="v1")
    assert world.consents.grant(TENANT, ANN, "training", notice="v1") == first
    world.clock.forward(days=1)
    second = world.consents.grant(TENANT, ANN, "training", notice="v2")
    world.clock.forward(days=1)
    ended = world.consents.withdraw(TENANT, ANN, second.id)
    assert world.consents.withdraw(TENANT, ANN, second.id) == ended
    history = world.consents.history(TENANT, ANN)
    assert [(one.id, one.notice) for one in history] == [(second.id, "v2"), (first.id, "v1")]
    assert history[1].withdrawn_at == second.granted_at


def test_ends_by_itself_when_it_says_so(world: VaultWorld) -> None:
    ends = world.ground.now() + DAY_MS
    first = world.consents.grant(TENANT, ANN, "training", notice="v1", expires_at=ends)
    world.clock.forward(days=1)
    assert world.consents.valid(TENANT, ANN, "training") is None
    again = world.consents.grant(TENANT, ANN, "training", notice="v1", expires_at=ends + DAY_MS)
    assert again.id != first.id
    assert world.consents.valid(TENANT, ANN, "training") == again.id


@pytest.mark.parametrize("token", ["", "Free text here", "a" * 64, "näh"])
def test_only_tokens_are_stored(world: VaultWorld, token: str) -> None:
    with pytest.raises(Invalid):
        world.consents.grant(TENANT, ANN, token, notice="v1")
    with pytest.raises(Invalid):
        world.consents.grant(TENANT, ANN, "training", notice=token)


def test_receipt_shows_both_acts_and_is_signed(world: VaultWorld) -> None:
    given = world.consents.grant(TENANT, ANN, "training", notice="v1")
    world.consents.withdraw(TENANT, ANN, given.id)
    receipt = verify_envelope(world.consents.receipt(TENANT, ANN, given.id), RECEIPT_TYPE, world.keys())
    assert receipt["schema_version"] == "ISO-IEC-TS-27560:2023"
    assert receipt["purposes"][0]["purpose"] == "training"
    assert [event["event_state"] for event in receipt["consent_events"]] == ["explicitly given", "withdrawn"]


def test_both_acts_are_in_the_log(world: VaultWorld) -> None:
    given = world.consents.grant(TENANT, ANN, "training", notice="v1", request="req_1")
    world.consents.withdraw(TENANT, ANN, given.id, request="req_2")
    world.sequencer.flush()
    leaves = [one.leaf for one in world.log.entries(TENANT, 0, 10)]
    assert [b"consent.granted" in leaves[0], b"consent.withdrawn" in leaves[1]] == [True, True]


def test_racing_grants_leave_one_standing_consent(world: VaultWorld) -> None:
    given: list[str] = []

    def grant() -> None:
        given.append(world.consents.grant(TENANT, ANN, "training", notice="v1").id)

    threads = [threading.Thread(target=grant) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given)) == 1
    assert len(world.consents.history(TENANT, ANN)) == 1


def test_grant_that_loses_a_race_gives_the_winners_consent(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    first, look, answers = world.consents.grant(TENANT, ANN, "training", notice="v1"), consent._standing, [None]
    monkeypatch.setattr(consent, "_standing", lambda *asked: answers.pop() if answers else look(*asked))
    assert world.consents.grant(TENANT, ANN, "training", notice="v1") == first


@pytest.mark.parametrize("purpose", ["sale", "sharing"])
def test_nobody_can_agree_to_what_is_never_done(world: VaultWorld, purpose: str) -> None:
    with pytest.raises(Denied) as refusal:
        world.consents.grant(TENANT, ANN, purpose, notice="v1")
    assert refusal.value.code == "never-sold"
    assert world.consents.history(TENANT, ANN) == []
