"""Forgetting people and objects: complete, proven, idempotent, held when the law says so, and never raced."""

from __future__ import annotations

import base64
import threading

import pytest

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, IntegrityError, NotFound, TrothError, Unavailable
from troth.kernel.record import Entry
from troth.vault import ledger, store
from troth.vault.certificate import verify_certificate, verify_subject
from troth.vault.certificate_form import BY_DELETION
from troth.vault.deadlines import DAY_MS
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld


def test_person_is_forgotten_and_others_are_not(world: VaultWorld) -> None:
    mine = [world.keep(str(number).encode()) for number in range(3)]
    shared = world.keep(own_unit=False)
    account = world.keep(data_class=DataClass.ACCOUNT)
    his, elsewhere = world.keep(b"his", subject=BOB), world.keep(b"elsewhere", tenant=OTHER)
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    world.notebook.lines[TENANT, ANN] = ["likes tea"]
    done = world.erase()
    assert done.state == ledger.DONE
    for kept in (*mine, shared, account):
        with pytest.raises(Gone):
            world.objects.open(TENANT, ANN, kept.id)
    assert world.objects.list(TENANT, ANN) == []
    assert world.consents.history(TENANT, ANN) == []
    assert world.notebook.lines == {}
    assert world.objects.open(TENANT, BOB, his.id)[1] == b"his"
    assert world.objects.open(OTHER, ANN, elsewhere.id)[1] == b"elsewhere"
    assert len(list(world.blobs.names())) == 2


def test_certificate_holds_and_names_everything(world: VaultWorld) -> None:
    kept = [world.keep().id, world.keep(data_class=DataClass.ACCOUNT).id]
    world.notebook.lines[TENANT, ANN] = ["one", "two"]
    done = world.erase()
    envelope = world.erasures.certificate(TENANT, done.certificate or "")
    certificate = verify_certificate(envelope, world.keys(), log_keys=[world.log_key()])
    assert certificate.objects.identifiers == sorted(kept)
    assert certificate.classes == {"user-generated": 1, "account": 1}
    assert {part.holder: part.dropped.count for part in certificate.forgotten} == {"vault": 2, "notebook": 2}
    assert certificate.keys is not None
    assert certificate.keys.units == 2
    assert [root.assurance for root in certificate.keys.roots] == ["A0"]
    assert certificate.verification.model_dump() == {
        "keys_tried": 2,
        "keys_refused": 2,
        "objects_tried": 2,
        "objects_refused": 2,
        "ciphertext_deleted": 2,
    }
    assert any("A0" in said for said in certificate.residual)
    verify_subject(certificate, done.salt or b"", TENANT, ANN)
    with pytest.raises(IntegrityError):
        verify_subject(certificate, done.salt or b"", TENANT, BOB)


def test_person_is_named_nowhere_afterwards(world: VaultWorld) -> None:
    world.keep()
    world.notebook.lines[TENANT, ANN] = ["x"]
    world.notebook.names_the_person = True
    done = world.erase()
    envelope = world.erasures.certificate(TENANT, done.certificate or "")
    certificate = verify_certificate(envelope, world.keys())
    assert ANN not in certificate.model_dump_json()
    assert ANN.encode() not in base64.b64decode(certificate.log.entry)
    with world.database.read() as connection:
        for table in (store.objects, store.subjects, ledger.erasures, ledger.steps):
            rows = [str(dict(row)) for row in connection.execute(table.select()).mappings()]
            assert [row for row in rows if ANN in row] == []


def test_second_request_gives_the_same_erasure(world: VaultWorld) -> None:
    world.keep()
    assert world.erase() == world.erase()


def test_nothing_can_be_kept_for_an_erased_person(world: VaultWorld) -> None:
    world.erase()
    with pytest.raises(Gone):
        world.keep()
    with pytest.raises(Gone):
        world.consents.grant(TENANT, ANN, "training", notice="v1")
    assert list(world.blobs.names()) == []


def test_object_is_erased_with_its_copies(world: VaultWorld) -> None:
    source, other = world.keep(), world.keep(b"other")
    copies = {world.keep(kind=kind, derived_from=(source.id,)).id for kind in ("thumbnail", "embedding", "answer")}
    done = world.erase(object_id=source.id)
    envelope = world.erasures.certificate(TENANT, done.certificate or "")
    certificate = verify_certificate(envelope, world.keys(), log_keys=[world.log_key()])
    assert set(certificate.objects.identifiers) == {source.id, *copies}
    assert (certificate.scope, certificate.forgotten) == ("object", [])
    assert world.erase(object_id=source.id) == done
    assert world.erase(object_id=next(iter(copies))) == done
    assert world.objects.open(TENANT, ANN, other.id)[1] == b"other"


def test_object_with_a_shared_key_says_what_remains(world: VaultWorld) -> None:
    one, two = (world.keep(own_unit=False) for _ in range(2))
    done = world.erase(object_id=one.id)
    certificate = verify_certificate(world.erasures.certificate(TENANT, done.certificate or ""), world.keys())
    assert (certificate.keys, certificate.destroyed_at, certificate.technique) == (None, None, BY_DELETION)
    assert certificate.verification.keys_tried == 0
    assert certificate.by_deletion == certificate.objects
    assert certificate.key_due == "2026-12-22"
    assert any("2026-12-22" in said for said in certificate.residual)
    assert world.objects.open(TENANT, ANN, two.id)[1] == b"content"


def test_others_objects_cannot_be_erased(world: VaultWorld) -> None:
    his = world.keep(subject=BOB)
    with pytest.raises(NotFound):
        world.erase(object_id=his.id)
    with pytest.raises(NotFound):
        world.erase(subject=BOB, tenant=OTHER, object_id=his.id)


def test_deleted_object_has_nothing_left_to_erase(world: VaultWorld) -> None:
    kept = world.keep()
    world.objects.delete(TENANT, ANN, kept.id)
    with pytest.raises(Gone):
        world.erase(object_id=kept.id)


def test_must_exist_refuses_strangers(world: VaultWorld) -> None:
    with pytest.raises(NotFound):
        world.erase(must_exist=True)
    world.notebook.lines[TENANT, ANN] = ["x"]
    done = world.erase(must_exist=True)
    assert world.erase(must_exist=True) == done


@pytest.mark.parametrize("of_object", [True, False])
def test_hold_beats_erasure_openly_and_only_as_long_as_needed(world: VaultWorld, of_object: bool) -> None:
    kept = world.keep(b"evidence")
    target = {"of": kept.id} if of_object else {"subject": ANN}
    ends = world.ground.now() + DAY_MS
    hold = world.holds.place(TENANT, basis="tax-law", approver=BOB, ends_at=ends, **target)
    with pytest.raises(Conflict) as refusal:
        world.erase()
    assert refusal.value.code == "held"
    (waiting,) = world.erasures.all(TENANT)
    assert (waiting.state, waiting.basis) == (ledger.HELD, "tax-law")
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"evidence"
    world.erasures.resume()
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"evidence"
    world.holds.lift(TENANT, hold.id, actor=BOB)
    (done,) = world.erasures.resume()
    assert (done.id, done.state) == (waiting.id, ledger.DONE)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)


def test_hold_that_ended_does_not_bind(world: VaultWorld) -> None:
    world.keep()
    world.holds.place(TENANT, basis="litigation", approver=BOB, ends_at=world.ground.now() + DAY_MS, subject=ANN)
    world.clock.forward(days=2)
    assert world.erase().state == ledger.DONE


def test_no_record_no_erasure(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.keep()

    def refuse(*_: object) -> None:
        raise Unavailable("no record", code="no-record")

    monkeypatch.setattr(world.recorder, "record_within", refuse)
    with pytest.raises(Unavailable):
        world.erase()
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"content"
    assert world.erasures.all(TENANT) == []


def test_salt_is_forgotten_after_a_month(world: VaultWorld) -> None:
    done = world.erase()
    world.clock.forward(days=29)
    assert world.erasures.tidy() == 0
    world.clock.forward(days=2)
    assert world.erasures.tidy() == 1
    assert world.erasures.show(TENANT, done.id).salt is None


def test_other_tenants_see_neither_erasure_nor_certificate(world: VaultWorld) -> None:
    done = world.erase()
    with pytest.raises(NotFound):
        world.erasures.show(OTHER, done.id)
    with pytest.raises(NotFound):
        world.erasures.certificate(OTHER, done.certificate or "")
    with pytest.raises(NotFound):
        world.erasures.show(TENANT, "ers_none")
    assert world.erasures.all(OTHER) == []


def test_uploads_that_race_an_erasure_do_not_survive(world: VaultWorld) -> None:
    started, kept, refused = threading.Event(), [], []

    def upload() -> None:
        for _ in range(6):
            try:
                kept.append(world.keep(b"racing"))
            except Gone:
                refused.append(1)
            started.set()

    threads = [threading.Thread(target=upload) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait(10)
    done = world.erase()
    for thread in threads:
        thread.join()
    assert done.state == ledger.DONE
    assert refused
    for one in kept:
        with pytest.raises(Gone):
            world.objects.open(TENANT, ANN, one.id)
    with world.database.read() as connection:
        assert connection.execute(store.objects.select().where(store.objects.c.state == store.LIVE)).all() == []
    assert list(world.blobs.names()) == []


def test_two_requests_at_once_end_in_one_certificate(world: VaultWorld) -> None:
    for _ in range(3):
        world.keep()
    results: list[object] = []

    def ask() -> None:
        try:
            results.append(world.erase().certificate)
        except TrothError as error:
            results.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(str, results))) == 1
    assert isinstance(results[0], str)


def test_derived_copy_made_during_the_erasure_goes_too(world: VaultWorld) -> None:
    source = world.keep()
    children: list[str] = []

    def derive() -> None:
        for _ in range(10):
            try:
                children.append(world.keep(derived_from=(source.id,)).id)
            except NotFound:
                return

    thread = threading.Thread(target=derive)
    thread.start()
    done = world.erase(object_id=source.id)
    thread.join()
    assert done.state == ledger.DONE
    for child in children:
        with pytest.raises(Gone):
            world.objects.open(TENANT, ANN, child)


def test_request_stays_when_the_tombstone_cannot_be_written(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, record = world.keep(), world.recorder.record_within

    def refuse_tombstone(connection: object, entry: Entry) -> None:
        if entry.operation == "erasure.tombstoned":
            raise Unavailable("no record", code="no-record")
        record(connection, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(world.recorder, "record_within", refuse_tombstone)
    with pytest.raises(Unavailable):
        world.erase()
    assert [one.state for one in world.erasures.all(TENANT)] == [ledger.REQUESTED]
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"content"
    monkeypatch.undo()
    assert [one.state for one in world.erasures.resume()] == [ledger.DONE]


def test_request_that_loses_a_race_gives_the_winners_erasure(
    world: VaultWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, look, answers = world.erase(), ledger.by_target, [None]
    monkeypatch.setattr(ledger, "by_target", lambda *asked: answers.pop() if answers else look(*asked))
    assert world.erase() == first
