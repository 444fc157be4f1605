"""Erasures of periods and tenants, by two officers; closed first, called off or completed; many with one root."""

from __future__ import annotations

from typing import Any

import pytest

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Denied, Gone, NotFound, Unavailable
from troth.vault import ledger
from troth.vault.certificate import Certificate, verify_certificate
from troth.vault.deadlines import DAY_MS
from troth.vault.dual_control import Control
from vault_world import ANN, BOB, OFFICER, OTHER, SECOND, TENANT, VaultWorld


def certified(world: VaultWorld, done: ledger.Erasure) -> Certificate:
    envelope = world.erasures.certificate(done.tenant, done.certificate or "")
    return verify_certificate(envelope, world.keys(), log_keys=[world.log_key(done.tenant)])


def asked(world: VaultWorld, subject: str, **members: Any) -> ledger.Erasure:
    return world.erasures.request(TENANT, subject, actor=OFFICER, request="req_1", **members)


def tenant_asked(world: VaultWorld, **members: Any) -> ledger.Erasure:
    return world.erasures.request_tenant(TENANT, actor=OFFICER, request="req_1", **members)


def away(*_: object) -> None:
    raise Unavailable("no key domain")


def test_a_tenant_is_closed_then_forgotten_and_others_are_not(world: VaultWorld) -> None:
    mine = [world.keep(subject=one) for one in (ANN, BOB)]
    shared = world.keep(owners=(BOB,))
    elsewhere = world.keep(b"elsewhere", tenant=OTHER)
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    world.deadlines.set_rule(TENANT, DataClass.SYSTEM, 9, actor=OFFICER, request="req_0")
    world.notebook.lines[TENANT, ANN] = ["x"]
    waiting = tenant_asked(world)
    assert waiting.state == ledger.WAITING
    assert world.objects.open(TENANT, ANN, mine[0].id)
    closing = world.erasures.approve(TENANT, waiting.id, actor=SECOND, whole_tenant=True)
    assert (closing.state, closing.due_at) == (ledger.CLOSING, world.ground.now() + 15 * 60_000)
    for refused in (lambda: world.objects.open(TENANT, ANN, mine[0].id), world.keep):
        with pytest.raises(Conflict) as refusal:
            refused()
        assert refusal.value.code == "closing"
    assert world.erasures.resume()[0].state == ledger.CLOSING
    world.clock.forward(minutes=15)
    (done,) = world.erasures.resume()
    certificate = certified(world, done)
    assert certificate.scope == "tenant"
    assert set(certificate.objects.identifiers) == {*(one.id for one in mine), shared.id}
    assert {part.holder: part.dropped.count for part in certificate.forgotten} == {"vault": 4, "notebook": 1}
    assert [(one.actor, one.role) for one in certificate.approvals] == [(OFFICER, "requester"), (SECOND, "approver")]
    assert world.deadlines.all_rules() == {}
    assert world.holder.people(TENANT) == []
    with pytest.raises(Gone):
        world.keep()
    assert world.objects.open(OTHER, ANN, elsewhere.id)[1] == b"elsewhere"


def test_called_off_everything_is_open_again(world: VaultWorld) -> None:
    kept = world.keep()
    world.restrictions.place(TENANT, BOB, reason="contested", officer=None, request="req_0")
    waiting = tenant_asked(world)
    world.erasures.approve(TENANT, waiting.id, actor=SECOND, whole_tenant=True)
    cancelled = world.erasures.cancel(TENANT, waiting.id, actor=OFFICER, whole_tenant=True)
    assert cancelled.state == ledger.CANCELLED
    assert world.objects.open(TENANT, ANN, kept.id)
    with pytest.raises(Conflict) as refusal:
        world.keep(subject=BOB)
    assert refusal.value.code == "restricted"
    assert tenant_asked(world).id != waiting.id


def test_nobody_approves_their_own_or_what_is_about_them(world: VaultWorld) -> None:
    world.keep()
    waiting = tenant_asked(world)
    with pytest.raises(Denied):
        world.erasures.approve(TENANT, waiting.id, actor=OFFICER, whole_tenant=True)
    for one in (BOB, "usr_x", "usr_y"):
        waiting = asked(world, one)
    with pytest.raises(Denied):
        world.erasures.approve(TENANT, waiting.id, actor="usr_y", subject="usr_y")
    with pytest.raises(NotFound):
        world.erasures.approve(OTHER, waiting.id, actor=SECOND)
    with pytest.raises(NotFound):  # operators decide about tenants, officers about people
        world.erasures.approve(TENANT, waiting.id, actor=SECOND, whole_tenant=True)


def test_an_officer_made_for_it_does_not_approve(world: VaultWorld) -> None:
    world.keep()
    waiting = tenant_asked(world)
    world.guard.made_late = {"usr_sock"}
    with pytest.raises(Denied) as refusal:
        world.erasures.approve(TENANT, waiting.id, actor="usr_sock", whole_tenant=True)
    assert refusal.value.code == "not-apart"
    assert world.erasures.read(waiting.id).state == ledger.WAITING
    assert world.erasures.approve(TENANT, waiting.id, actor=SECOND, whole_tenant=True).state == ledger.CLOSING


def test_one_officer_erases_few_people_a_day_alone(world: VaultWorld) -> None:
    states = [asked(world, f"usr_{number}").state for number in range(3)]
    assert states == [ledger.DONE, ledger.DONE, ledger.WAITING]
    assert world.erase(subject=ANN).state == ledger.DONE  # what people ask about themselves never waits
    world.clock.forward(days=1, minutes=1)
    assert asked(world, BOB).state == ledger.DONE


def test_a_waiting_erasure_neither_runs_nor_is_counted_as_leaving(world: VaultWorld) -> None:
    kept = world.keep()
    asked(world, "usr_1"), asked(world, "usr_2")
    waiting = asked(world, ANN)
    assert world.erasures.resume() == []
    assert world.objects.open(TENANT, ANN, kept.id)
    with world.database.read() as connection:
        assert ledger.leaving(connection, TENANT) == set()
    done = world.erasures.approve(TENANT, waiting.id, actor=SECOND)
    assert done.state == ledger.CLOSING
    with pytest.raises(Conflict):
        world.erasures.approve(TENANT, waiting.id, actor=SECOND)


def test_what_a_person_asked_for_themselves_nobody_calls_off(world: VaultWorld) -> None:
    world.keep()
    world.holds.place(TENANT, basis="tax-law", approver=OFFICER, ends_at=world.ground.now() + DAY_MS, subject=ANN)
    with pytest.raises(Conflict):
        world.erase()
    (held,) = world.erasures.all(TENANT)
    with pytest.raises(Denied):
        world.erasures.cancel(TENANT, held.id, actor=OFFICER)


def test_a_period_goes_whoever_it_is_and_what_is_held_stays(world: VaultWorld) -> None:
    old = [world.keep(subject=one) for one in (ANN, BOB)]
    account = world.keep(data_class=DataClass.ACCOUNT)
    world.clock.forward(days=2)
    young = world.keep()
    world.holds.place(TENANT, basis="tax-law", approver=OFFICER, ends_at=world.ground.now() + DAY_MS, subject=BOB)
    before = world.ground.now() - DAY_MS
    done = world.erasures.request_period(
        TENANT, DataClass.USER_GENERATED, before, actor=OFFICER, request="req_1", immediate=True
    )
    certificate = certified(world, done)
    assert (certificate.scope, certificate.objects.identifiers, certificate.withheld) == ("period", [old[0].id], 1)
    for one, owner in ((young, ANN), (account, ANN), (old[1], BOB)):
        assert world.objects.open(TENANT, owner, one.id)
    with pytest.raises(NotFound):
        world.erasures.request_period(TENANT, DataClass.SYSTEM, before, actor=OFFICER, request="req_2")


def test_a_period_is_closed_at_once_and_opened_when_called_off(world: VaultWorld) -> None:
    kept = [world.keep(subject=f"usr_{number}") for number in range(3)]
    until = world.ground.now() + 1
    waiting = world.erasures.request_period(TENANT, DataClass.USER_GENERATED, until, actor=OFFICER, request="req_1")
    assert waiting.people == 3
    world.erasures.approve(TENANT, waiting.id, actor=SECOND)
    with pytest.raises(Conflict):
        world.objects.open(TENANT, "usr_0", kept[0].id)
    world.erasures.cancel(TENANT, waiting.id, actor=SECOND)
    assert world.objects.open(TENANT, "usr_0", kept[0].id)


@pytest.mark.parametrize("shared", [False, True])
def test_those_that_are_due_share_one_root_and_have_a_proof_each(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    """What was shared shares one more: whose it is must be settled first, and nobody waits for that."""
    monkeypatch.setattr(world.tree, "seal", away)
    for number in range(5):
        world.keep(subject=f"usr_{number}")
        world.keep(subject=f"usr_{number}", shown=(BOB,) if shared else ())
        assert world.erase(subject=f"usr_{number}").state == ledger.RUNNING
    monkeypatch.undo()
    epoch = world.tree.rotate().epoch_after
    done = world.erasures.resume()
    assert [one.state for one in done] == [ledger.DONE] * 5
    assert world.tree.rotate().epoch_after == epoch + 2 + shared
    assert [certified(world, one).keys.units for one in done] == [2] * 5  # type: ignore[union-attr]


def test_a_key_domain_that_is_away_delays_the_certificate_and_not_the_effect(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = world.keep()
    world.notebook.lines[TENANT, ANN] = ["x"]
    waiting = tenant_asked(world, immediate=True)
    monkeypatch.setattr(world.tree, "seal", away)
    running = world.erasures.approve(TENANT, waiting.id, actor=SECOND, whole_tenant=True)
    assert (running.state, running.certificate) == (ledger.RUNNING, None)
    assert world.notebook.lines == {}  # the others forget all the same
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    monkeypatch.undo()
    assert [one.state for one in world.erasures.resume()] == [ledger.DONE]


def test_a_held_tenant_waits_for_the_hold(world: VaultWorld) -> None:
    world.keep()
    hold = world.holds.place(
        TENANT, basis="tax-law", approver=OFFICER, ends_at=world.ground.now() + DAY_MS, subject=ANN
    )
    waiting = tenant_asked(world, immediate=True)
    with pytest.raises(Conflict):
        world.erasures.approve(TENANT, waiting.id, actor=SECOND, whole_tenant=True)
    assert world.erasures.read(waiting.id).basis == "tax-law"
    world.holds.lift(TENANT, hold.id, actor=SECOND)
    assert [one.state for one in world.erasures.resume_held(TENANT)] == [ledger.DONE]


@pytest.mark.parametrize("stage", [ledger.WAITING, ledger.CLOSING, ledger.HELD])
def test_a_persons_own_request_takes_over_what_an_officer_asked_for(world: VaultWorld, stage: str) -> None:
    world.control = Control(approval_above=0 if stage == ledger.WAITING else 9, delay_minutes=60)
    world.build()
    kept = world.keep()
    theirs = asked(world, ANN)
    if stage == ledger.HELD:
        ends = world.ground.now() + DAY_MS
        hold = world.holds.place(TENANT, basis="tax-law", approver=OFFICER, ends_at=ends, subject=ANN)
        world.clock.forward(minutes=60)
        world.erasures.resume()
        with pytest.raises(Conflict):
            world.erase(ANN)
        assert world.erasures.read(theirs.id).own
        world.holds.lift(TENANT, hold.id, actor=OFFICER)
        (own,) = world.erasures.resume_held(TENANT)
    else:
        assert theirs.state == stage
        own = world.erase(ANN)
    assert (own.id, own.state, own.own) == (theirs.id, ledger.DONE, True)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id, duty=True)
    assert certified(world, own).scope == "subject"
