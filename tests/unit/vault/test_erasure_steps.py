"""The steps of an erasure: keys first; what is away delays the certificate only, which says how each object went."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Conflict, Gone, IntegrityError, NotFound, TrothError, Unavailable
from troth.vault import ledger, store
from troth.vault.certificate import verify_certificate
from troth.vault.certificate_form import BOTH, NOTHING
from troth.vault.keeping import blob_name
from vault_world import ANN, BOB, TENANT, VaultWorld


def test_each_object_says_how_it_went(world: VaultWorld) -> None:
    source = world.keep()
    copy = world.keep(own_unit=False, derived_from=(source.id,))
    world.keep(own_unit=False)  # the copy's key serves this one
    done = world.erase(object_id=source.id)
    certificate = verify_certificate(world.erasures.certificate(TENANT, done.certificate or ""), world.keys())
    assert certificate.technique == BOTH
    assert certificate.by_key
    assert certificate.by_key.identifiers == [source.id]
    assert certificate.by_deletion
    assert certificate.by_deletion.identifiers == [copy.id]
    assert "1 objects that went by deletion" in certificate.backups


def test_of_whom_nothing_is_held_no_erasure_by_key_is_claimed(world: VaultWorld) -> None:
    done = world.erase()
    certificate = verify_certificate(world.erasures.certificate(TENANT, done.certificate or ""), world.keys())
    assert (certificate.technique, certificate.objects.count) == (NOTHING, 0)


def test_a_holder_that_is_away_delays_the_certificate_not_the_effect(world: VaultWorld) -> None:
    kept = world.keep()
    world.notebook.away = True
    epoch = world.tree.epoch
    waiting = world.erase()
    assert (waiting.state, waiting.certificate) == (ledger.RUNNING, None)
    assert world.tree.epoch == epoch + 1  # keys are destroyed before anybody is asked to forget
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    assert world.erasures.resume() == [waiting]
    assert world.tree.epoch == epoch + 1
    world.notebook.away = False
    (done,) = world.erasures.resume()
    assert done.state == ledger.DONE
    assert world.erasures.resume() == []


def test_much_to_forget_is_left_to_the_next_round_once_keys_are_destroyed(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [world.keep() for _ in range(3)]
    monkeypatch.setattr("troth.vault.erasure.MANY", 2)
    monkeypatch.setattr("troth.vault.endings.PAGE", 2)
    epoch, waiting = world.tree.epoch, world.erase()
    assert (waiting.state, world.tree.epoch) == (ledger.RUNNING, epoch + 1)
    assert len(list(world.blobs.names())) == 3
    world.clock.forward(minutes=1)
    (done,) = world.erasures.resume()
    certificate = verify_certificate(world.erasures.certificate(TENANT, done.certificate or ""), world.keys())
    assert (certificate.objects.count, certificate.verification.ciphertext_deleted) == (3, 3)
    assert certificate.by_key == certificate.objects
    assert certificate.objects.identifiers == sorted(one.id for one in kept)
    assert certificate.shut_at == certificate.destroyed_at < certificate.issued_at
    assert list(world.blobs.names()) == []


@pytest.mark.parametrize("refusal", [Conflict("x", code="second-sequencer"), NotFound("x"), Unavailable("x")])
def test_a_log_that_cannot_prove_now_leaves_the_erasure_running(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch, refusal: TrothError
) -> None:
    kept = world.keep()

    def prove(_log: str, _request: str) -> str:
        raise refusal

    monkeypatch.setattr(world.evidence, "prove", prove)
    waiting = world.erase()
    assert (waiting.state, waiting.certificate) == (ledger.RUNNING, None)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    monkeypatch.undo()
    assert [one.state for one in world.erasures.resume()] == [ledger.DONE]


def test_one_stuck_erasure_does_not_hold_up_another(world: VaultWorld) -> None:
    world.notebook.away = True
    world.erase()
    world.erase(subject=BOB)
    world.notebook.away = False
    assert [one.state for one in world.erasures.resume()] == [ledger.DONE] * 2


def test_no_certificate_when_something_still_opens(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.keep()
    with world.database.read() as connection:
        (row,) = store.by_ids(connection, [kept.id])
    unit = world.tree.key(bytes.fromhex(row.unit))
    monkeypatch.setattr(world.tree, "key", lambda *_: unit)
    with pytest.raises(IntegrityError) as refusal:
        world.erase()
    assert refusal.value.code == "erasure-failed"
    assert [one.certificate for one in world.erasures.resume()] == [None]
    monkeypatch.undo()
    assert [one.state for one in world.erasures.resume()] == [ledger.DONE]


def test_ciphertext_that_is_already_lost_is_not_counted_as_tried(world: VaultWorld) -> None:
    kept = world.keep()
    world.blobs.delete(blob_name(kept.id))
    done = world.erase()
    certificate = verify_certificate(world.erasures.certificate(TENANT, done.certificate or ""), world.keys())
    assert (certificate.verification.keys_tried, certificate.verification.objects_tried) == (1, 0)


def test_two_workers_at_the_last_step_issue_one_certificate(world: VaultWorld) -> None:
    world.keep()
    world.notebook.away = True
    waiting = world.erase()
    world.notebook.away = False
    done = world.erasures.advance(waiting.id)
    world.erasures._steps._certify(waiting)  # a worker that was asleep since before the end
    assert world.erasures.show(TENANT, waiting.id) == done
