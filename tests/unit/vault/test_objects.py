"""Keeping, opening, listing, deleting; classes, deadlines, derivation; nothing in clear and nothing half-kept."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Connection

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, IntegrityError, Invalid, NotFound, TooLarge, Unavailable
from troth.vault import keeping, store
from troth.vault.deadlines import DAY_MS
from troth.vault.keeping import blob_name
from troth.vault.sharing_changes import SharingChanges
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld, request


def test_opens_what_was_kept(world: VaultWorld) -> None:
    kept = world.keep(b"hello", name="Brief an Ümit.txt", kind="prompt")
    info, content = world.objects.open(TENANT, ANN, kept.id)
    assert content == b"hello"
    assert info == kept
    assert (info.name, info.kind, info.media_type, info.size) == ("Brief an Ümit.txt", "prompt", "text/plain", 5)


def test_nothing_is_on_disk_in_clear(world: VaultWorld) -> None:
    world.keep(b"needle-content" * 50_000, name="needle-name.txt", kind="needle-kind", media_type="text/needle-type")
    world.database.checkpoint()
    assert [path for path, content in world.files().items() if b"needle" in content] == []


def test_every_object_gets_its_class_deadline(world: VaultWorld) -> None:
    now = world.ground.now()
    assert world.keep().expires_at == now + 30 * DAY_MS
    assert world.keep(data_class=DataClass.ACCOUNT).expires_at is None
    assert world.keep(data_class=DataClass.SYSTEM).expires_at == now + 400 * DAY_MS
    assert world.keep(expires_at=now + 5).expires_at == now + 5
    assert world.keep(expires_at=now + 99 * DAY_MS).expires_at == now + 30 * DAY_MS


def test_class_is_mandatory(world: VaultWorld) -> None:
    with pytest.raises(Invalid) as refusal:
        world.keep(data_class=None)
    assert (refusal.value.code, refusal.value.status) == ("no-data-class", 422)


@pytest.mark.parametrize(
    "members",
    [
        {"kind": "Upload"},
        {"kind": ""},
        {"media_type": "text"},
        {"name": "a\nb"},
        {"name": "n" * 256},
        {"expires_at": 1},
    ],
)
def test_bad_facts_are_refused_and_nothing_is_kept(world: VaultWorld, members: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        world.keep(**members)
    assert list(world.blobs.names()) == []


def test_too_large_is_refused(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MAX_BYTES", 10)
    with pytest.raises(TooLarge):
        world.keep(bytes(11))


def test_other_people_and_tenants_find_nothing(world: VaultWorld) -> None:
    kept = world.keep()
    for tenant, subject in ((TENANT, BOB), (OTHER, ANN), (OTHER, BOB)):
        for ask in (world.objects.open, world.objects.info, world.objects.delete):
            with pytest.raises(NotFound):
                ask(tenant, subject, kept.id)
        assert world.objects.list(tenant, subject) == []


def test_lists_newest_first_by_kind_and_page(world: VaultWorld) -> None:
    kept = [world.keep(name=str(number), kind="output" if number % 2 else "upload") for number in range(6)]
    assert [one.id for one in world.objects.list(TENANT, ANN)] == [one.id for one in reversed(kept)]
    outputs = world.objects.list(TENANT, ANN, kind="output")
    assert [one.name for one in outputs] == ["5", "3", "1"]
    page = world.objects.list(TENANT, ANN, limit=2, after=kept[4].id)
    assert [one.name for one in page] == ["3", "2"]
    assert world.objects.list(TENANT, ANN, kind="absent") == []


def test_a_file_of_a_register_is_no_object_of_ones_own(world: VaultWorld) -> None:
    """Neither found nor destroyed nor given on by the person whom it is about; their copy and their erasure have it."""
    own, filed = world.keep(b"own"), world.keep(b"filed", kind="register-file")
    objects = world.objects
    for ask in (objects.open, objects.info, partial(objects.info, duty=True)):
        with pytest.raises(NotFound):
            ask(TENANT, ANN, filed.id)
    with pytest.raises(NotFound):
        SharingChanges(world.ground).share(TENANT, ANN, filed.id, BOB, request="req_1")
    with pytest.raises(Conflict) as refused:
        objects.require_own(TENANT, ANN, filed.id)
    assert refused.value.code == "register-file"
    objects.require_own(TENANT, ANN, own.id)
    objects.require_own(TENANT, BOB, filed.id)  # of nothing that is not theirs anything is told
    assert [one.id for one in objects.list(TENANT, ANN, duty=True, filed=False)] == [own.id]
    assert [one.id for one in objects.list(TENANT, ANN, duty=True, filed=False, limit=1)] == [own.id]
    assert [one.id for one in objects.list(TENANT, ANN, duty=True)] == [filed.id, own.id]
    for so in ({"duty": True}, {"filed": True}):
        assert objects.open(TENANT, ANN, filed.id, **so)[1] == b"filed"


def test_what_is_written_beside_a_deletion_comes_with_it(world: VaultWorld) -> None:
    kept, told = world.keep(), list[str]()

    def refuse(connection: Connection, object_id: str) -> None:
        raise Conflict("no", code="not-now")

    with pytest.raises(Conflict):
        world.objects.delete(TENANT, ANN, kept.id, beside=refuse)
    assert world.objects.open(TENANT, ANN, kept.id)[0].id == kept.id
    world.objects.delete(TENANT, ANN, kept.id, beside=lambda _, object_id: told.append(object_id))
    assert told == [kept.id]
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)


def test_derived_objects_inherit_class_and_deadline(world: VaultWorld) -> None:
    now = world.ground.now()
    strict = world.keep(expires_at=now + DAY_MS)
    plain = world.keep(data_class=DataClass.SYSTEM)
    derived = world.keep(data_class=DataClass.SYSTEM, kind="thumbnail", derived_from=(strict.id, plain.id))
    assert derived.data_class is DataClass.USER_GENERATED
    assert derived.expires_at == now + DAY_MS
    assert set(world.objects.info(TENANT, ANN, derived.id).derived_from) == {strict.id, plain.id}


@pytest.mark.parametrize("subject", [ANN, BOB])
def test_sources_must_be_ones_own_and_live(world: VaultWorld, subject: str) -> None:
    kept = world.keep()
    if subject == ANN:
        world.objects.delete(TENANT, ANN, kept.id)
    blobs = list(world.blobs.names())
    with pytest.raises(NotFound):
        world.keep(subject=subject, derived_from=(kept.id,))
    assert list(world.blobs.names()) == blobs


def test_delete_walks_everything_derived(world: VaultWorld) -> None:
    source, other = world.keep(), world.keep(b"stays")
    child = world.keep(kind="thumbnail", derived_from=(source.id,))
    grandchild = world.keep(kind="embedding", derived_from=(child.id,))
    deleted = world.objects.delete(TENANT, ANN, source.id)
    assert set(deleted.identifiers) == {source.id, child.id, grandchild.id}
    assert deleted.destruction is not None
    assert deleted.destruction.units == 3
    for gone in deleted.identifiers:
        with pytest.raises(Gone):
            world.objects.open(TENANT, ANN, gone)
    assert world.objects.open(TENANT, ANN, other.id)[1] == b"stays"
    assert [one.id for one in world.objects.list(TENANT, ANN)] == [other.id]
    assert len(list(world.blobs.names())) == 1


def test_deleted_object_does_not_open_with_all_old_files(world: VaultWorld) -> None:
    kept = world.keep(b"secret")
    (blob,) = world.blobs.names()
    copy = world.blobs.get(blob)
    world.objects.delete(TENANT, ANN, kept.id)
    world.blobs.create(blob, copy)
    with world.database.read() as connection:
        (row,) = store.by_ids(connection, [kept.id])
    with pytest.raises(Gone):
        world.tree.key(bytes.fromhex(row.unit))


def test_shared_unit_stays_while_others_use_it(world: VaultWorld) -> None:
    one, two = (world.keep(own_unit=False) for _ in range(2))
    assert world.objects.delete(TENANT, ANN, one.id).destruction is None
    assert world.objects.open(TENANT, ANN, two.id)[1] == b"content"
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, one.id)


def test_expired_object_is_gone_before_any_sweep(world: VaultWorld) -> None:
    kept = world.keep()
    world.clock.forward(days=30)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    assert world.objects.list(TENANT, ANN) == []


def test_held_object_refuses_deletion(world: VaultWorld) -> None:
    source = world.keep()
    child = world.keep(derived_from=(source.id,))
    held_until = world.ground.now() + DAY_MS
    hold = world.holds.place(TENANT, basis="litigation", approver=BOB, ends_at=held_until, of=child.id)
    with pytest.raises(Conflict) as refusal:
        world.objects.delete(TENANT, ANN, source.id)
    assert refusal.value.code == "held"
    assert world.objects.open(TENANT, ANN, source.id)[1] == b"content"
    world.holds.lift(TENANT, hold.id, actor=BOB)
    world.objects.delete(TENANT, ANN, source.id)


def test_no_record_no_object(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Unavailable("no record", code="no-record")

    monkeypatch.setattr(world.recorder, "record_within", refuse)
    with pytest.raises(Unavailable):
        world.keep()
    assert list(world.blobs.names()) == []
    assert world.objects.list(TENANT, ANN) == []


def test_what_is_written_beside_shares_the_fate_of_the_object(world: VaultWorld) -> None:
    seen: list[str] = []
    kept = world.objects.keep(request(), beside=lambda _connection, kept: seen.append(kept))
    assert seen == [kept.id]

    def refuse(_connection: Connection, _kept: str) -> None:
        raise Conflict("Not beside that.")

    with pytest.raises(Conflict):
        world.objects.keep(request(), beside=refuse)
    assert [one.id for one in world.objects.list(TENANT, ANN)] == [kept.id]
    assert len(list(world.blobs.names())) == 1


def test_each_change_has_its_audit_event(world: VaultWorld) -> None:
    kept = world.objects.keep(replace(request(), request="req_1"))
    world.objects.delete(TENANT, ANN, kept.id, request="req_2")
    world.sequencer.flush()
    entries = [entry.leaf for entry in world.log.entries(TENANT, 0, 10)]
    assert [b'"op":"object.kept"' in entries[0], b'"op":"object.deleted"' in entries[1]] == [True, True]
    assert all(kept.id.encode() in leaf for leaf in entries)


def test_missing_or_swapped_bytes_are_noticed(world: VaultWorld) -> None:
    one, two = world.keep(b"one"), world.keep(b"two")
    first, second = (blob_name(kept.id) for kept in (one, two))
    bytes_of_two = world.blobs.get(second)
    world.blobs.delete(first)
    with pytest.raises(IntegrityError) as missing:
        world.objects.open(TENANT, ANN, one.id)
    world.blobs.create(first, bytes_of_two)
    with pytest.raises(IntegrityError) as swapped:
        world.objects.open(TENANT, ANN, one.id)
    assert (missing.value.code, swapped.value.code) == ("blob-missing", "tob1-other")


def test_swapped_names_are_noticed(world: VaultWorld) -> None:
    one, two = world.keep(name="one"), world.keep(name="two")
    with world.database.write() as connection:
        rows = {row.id: row for row in store.by_ids(connection, [one.id, two.id])}
        change = store.objects.update().where(store.objects.c.id == one.id)
        connection.execute(change.values(facts=rows[two.id].facts))
    with pytest.raises(IntegrityError):
        world.objects.info(TENANT, ANN, one.id)


def test_threads_keep_and_open_together(world: VaultWorld) -> None:
    opened: list[bytes] = []

    def work(number: int) -> None:
        kept = world.keep(str(number).encode() * 100)
        opened.append(world.objects.open(TENANT, ANN, kept.id)[1])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(opened) == sorted(str(number).encode() * 100 for number in range(8))


def test_unknown_place_to_go_on_from_is_refused(world: VaultWorld) -> None:
    his = world.keep(subject=BOB)
    with pytest.raises(NotFound):
        world.objects.list(TENANT, ANN, after=his.id)


def test_list_leaves_out_what_is_erased_meanwhile(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.keep()

    def gone(*_: object) -> None:
        raise Gone("erased")

    monkeypatch.setattr(world.tree, "key", gone)
    assert world.objects.list(TENANT, ANN) == []
