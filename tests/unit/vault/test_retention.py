"""Deadlines are kept: what is overdue goes by key, what is held stays and is listed, crashes leave nothing."""

from __future__ import annotations

import pytest

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, Invalid, Unavailable
from troth.vault import framing, store
from troth.vault.certificate import Certificate, listed, verify_certificate
from troth.vault.certificate_form import BY_DELETION, BY_KEY
from troth.vault.deadlines import DAY_MS
from troth.vault.keeping import blob_name
from troth.vault.object_info import facts_of
from vault_world import ANN, BOB, OFFICER, OTHER, TENANT, VaultWorld


def test_overdue_objects_go_by_key_and_the_rest_stays(world: VaultWorld) -> None:
    short = world.keep(expires_at=world.ground.now() + DAY_MS)
    long, account = world.keep(), world.keep(data_class=DataClass.ACCOUNT)
    with world.database.read() as connection:
        (row,) = store.by_ids(connection, [short.id])
    world.clock.forward(days=1)
    assert world.retention.overdue() == [short.id]
    swept = world.retention.sweep()
    assert (swept.ended, swept.held, world.retention.overdue()) == (1, (), [])
    with pytest.raises(Gone):
        world.tree.key(bytes.fromhex(row.unit))
    assert {one.id for one in world.objects.list(TENANT, ANN)} == {long.id, account.id}
    assert world.retention.sweep().ended == 0


def test_everything_goes_with_its_class_limit(world: VaultWorld) -> None:
    for data_class in DataClass:
        world.keep(data_class=data_class)
    world.clock.forward(days=30)
    assert world.retention.sweep().ended == 1
    world.clock.forward(days=370)
    assert world.retention.sweep().ended == 1
    assert [one.data_class for one in world.objects.list(TENANT, ANN)] == [DataClass.ACCOUNT]


def test_tenant_rule_shortens_also_what_is_kept_already(world: VaultWorld) -> None:
    mine, theirs = world.keep(), world.keep(tenant=OTHER)
    world.deadlines.set_rule(TENANT, DataClass.USER_GENERATED, 7, actor="usr_admin", request="req_1")
    assert world.keep().expires_at == world.ground.now() + 7 * DAY_MS
    world.clock.forward(days=7)
    assert world.retention.sweep().ended == 2
    assert world.objects.open(OTHER, ANN, theirs.id)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, mine.id)


def test_tenant_rule_never_lengthens(world: VaultWorld) -> None:
    world.deadlines.set_rule(TENANT, DataClass.USER_GENERATED, 3650, actor="usr_admin", request="req_1")
    assert world.deadlines.days(TENANT, DataClass.USER_GENERATED) == 30
    world.deadlines.set_rule(TENANT, DataClass.USER_GENERATED, None, actor="usr_admin", request="req_2")
    assert world.deadlines.all_rules() == {}


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_unreasonable_rules_are_refused(world: VaultWorld, days: int) -> None:
    with pytest.raises(Invalid):
        world.deadlines.set_rule(TENANT, DataClass.SYSTEM, days, actor="usr_admin", request="req_1")


def test_held_objects_survive_the_sweep_and_are_listed(world: VaultWorld) -> None:
    source = world.keep()
    held = world.keep(derived_from=(source.id,))
    his, free = world.keep(subject=BOB), world.keep()
    ends = world.ground.now() + 90 * DAY_MS
    hold = world.holds.place(TENANT, basis="litigation", approver=OFFICER, ends_at=ends, of=held.id)
    world.holds.place(TENANT, basis="litigation", approver=OFFICER, ends_at=ends, subject=BOB)
    world.clock.forward(days=31)
    swept = world.retention.sweep()
    assert (swept.ended, set(swept.held)) == (1, {source.id, held.id, his.id})
    assert free.id not in swept.held
    world.holds.lift(TENANT, hold.id, actor=BOB)
    assert world.retention.sweep().ended == 2


def test_expired_source_takes_its_copies_along(world: VaultWorld) -> None:
    source = world.keep(data_class=DataClass.ACCOUNT)
    world.keep(data_class=DataClass.ACCOUNT, derived_from=(source.id,))
    world.retention.account_closed(TENANT, ANN)
    world.clock.forward(days=30)
    assert world.retention.sweep().ended == 2


def test_closing_an_account_starts_its_clock_once(world: VaultWorld) -> None:
    kept = world.keep(data_class=DataClass.ACCOUNT)
    world.retention.account_closed(TENANT, ANN)
    first = world.objects.info(TENANT, ANN, kept.id).expires_at
    world.clock.forward(days=5)
    world.retention.account_closed(TENANT, ANN)
    assert world.objects.info(TENANT, ANN, kept.id).expires_at == first == kept.created_at + 30 * DAY_MS


def test_shared_key_goes_when_its_date_is_over(world: VaultWorld) -> None:
    one, two = (world.keep(own_unit=False) for _ in range(2))
    with world.database.read() as connection:
        (row,) = store.by_ids(connection, [one.id])
    unit = bytes.fromhex(row.unit)
    world.objects.delete(TENANT, ANN, one.id)
    world.clock.forward(days=30)  # both are past their deadline; the date that names the key still runs
    assert world.retention.sweep().ended == 1
    assert world.tree.key(unit).id == unit
    world.clock.forward(days=1)
    swept = world.retention.sweep()
    assert (swept.units, len(swept.certificates)) == (1, 1)
    with pytest.raises(Gone):
        world.tree.key(unit)
    certificate = certified(world, swept.certificates[0])
    assert (certificate.scope, certificate.technique) == ("remainder", BY_KEY)
    assert certificate.by_key == listed([one.id, two.id])
    assert certificate.keys is not None
    assert certificate.keys.units == 1
    assert world.retention.sweep().certificates == ()


@pytest.mark.parametrize("state", [store.LIVE, store.CLOSED])
def test_a_shared_key_stays_while_something_may_still_be_opened_with_it(world: VaultWorld, state: str) -> None:
    """Past its date: one object is held, or closed by an erasure that can still be called off."""
    gone, stays = (world.keep(own_unit=False) for _ in range(2))
    ends = world.ground.now() + 90 * DAY_MS
    hold = world.holds.place(TENANT, basis="litigation", approver=OFFICER, ends_at=ends, of=stays.id)
    world.objects.delete(TENANT, ANN, gone.id)
    with world.database.write() as connection:
        connection.execute(store.objects.update().where(store.objects.c.id == stays.id).values(state=state))
        (row,) = store.by_ids(connection, [stays.id])
    world.clock.forward(days=32)
    assert world.retention.sweep().units == 0
    assert world.tree.key(bytes.fromhex(row.unit))
    with world.database.write() as connection:
        connection.execute(store.objects.update().where(store.objects.c.id == stays.id).values(state=store.LIVE))
    world.holds.lift(TENANT, hold.id, actor=BOB)
    world.retention.sweep()
    with pytest.raises(Gone):
        world.tree.key(bytes.fromhex(row.unit))


def test_an_erased_period_is_completed_when_its_key_goes(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes at once, the key when its date is over, and a certificate that names the one that it completes."""
    old, gone = world.keep(own_unit=False), world.keep(own_unit=False)
    world.clock.forward(hours=1)
    young = world.keep(own_unit=False)
    assert (old.expires_at or 0) < (young.expires_at or 0)  # and of one day
    before = young.created_at
    erased = world.erasures.request_period(
        TENANT, DataClass.USER_GENERATED, before, actor=OFFICER, request="req_1", immediate=True
    )
    first = certified(world, erased.certificate or "")
    assert (first.technique, first.by_deletion, first.key_due) == (BY_DELETION, listed([old.id, gone.id]), "2026-12-22")
    assert world.objects.open(TENANT, ANN, young.id)
    world.clock.forward(days=31)

    def away(_: object) -> None:
        raise Unavailable("no key domain")

    monkeypatch.setattr(world.tree, "seal", away)
    assert (world.retention.sweep().units, world.retention.sweep().units) == (0, 0)  # entered once
    monkeypatch.undo()
    done = [certified(world, one.certificate or "") for one in world.erasures.resume()]
    (second,) = (one for one in done if one.scope == "remainder")
    assert second.completes == sorted({erased.id, *second.completes})
    assert set(second.objects.identifiers) >= {old.id, gone.id}
    assert second.verification.keys_refused == 1
    assert world.retention.sweep().units == 0


def certified(world: VaultWorld, certificate: str) -> Certificate:
    return verify_certificate(world.erasures.certificate(TENANT, certificate), world.keys(), log_keys=[world.log_key()])


def test_orphaned_ciphertext_is_swept_after_its_grace(world: VaultWorld) -> None:
    kept = world.keep()
    world.blobs.create("objects/xx/obj_orphan", b"sealed bytes of a dead upload")
    assert world.retention.sweep().orphans == 0
    world.clock.forward(minutes=59)
    assert world.retention.sweep().orphans == 0
    world.clock.forward(minutes=1)
    assert world.retention.sweep().orphans == 1
    assert world.objects.open(TENANT, ANN, kept.id)


def test_what_went_earlier_is_completed_also_by_a_sweep_that_comes_late(world: VaultWorld) -> None:
    gone, other = (world.keep(own_unit=False) for _ in range(2))
    erased = world.erase(object_id=gone.id)
    world.clock.forward(days=40)  # nobody swept on the day after the last of them ended
    first, second = (certified(world, one) for one in world.retention.sweep().certificates)
    assert (first.scope, first.by_key.identifiers, first.completes) == ("retention", [other.id], [])
    assert (second.scope, gone.id in second.by_key.identifiers) == ("remainder", True)
    assert erased.id in second.completes


@pytest.mark.parametrize("place", [ANN, "svc_shared"])
def test_the_key_that_orphaned_ciphertext_had_alone_goes_with_it(world: VaultWorld, place: str) -> None:
    kept, shared = world.keep(b"stays"), world.keep(b"too", own_unit=False)
    with world.database.read() as connection:
        rows = store.by_ids(connection, [kept.id, shared.id])
    lost = world.tree.own_unit(TENANT, place, DataClass.USER_GENERATED)  # and there its upload died
    for name, unit in [("a", lost), *((row.id, world.tree.key(bytes.fromhex(row.unit))) for row in rows)]:
        world.blobs.create(f"objects/orphaned/{name}", framing.seal(facts_of(rows[0]), unit, b"without a row"))
    world.retention.sweep()
    world.clock.forward(hours=2)
    assert world.retention.sweep().orphans == 3
    with pytest.raises(Gone):
        world.tree.key(lost.id)
    for one in (kept, shared):
        assert world.objects.open(TENANT, ANN, one.id)[0].id == one.id


def test_an_upload_that_was_only_slow_is_not_an_orphan(world: VaultWorld) -> None:
    kept = world.keep()
    name = blob_name(kept.id)
    with world.database.write() as connection:
        connection.execute(store.orphans.insert(), {"blob": name, "seen_at": 0})
    assert world.retention.sweep().orphans == 0
    assert world.objects.open(TENANT, ANN, kept.id)


def test_interrupted_disposal_is_finished_by_the_sweep(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.keep()

    def away(_: object) -> None:
        raise Unavailable("no key domain")

    monkeypatch.setattr(world.tree, "destroy_units", away)
    with pytest.raises(Unavailable):
        world.objects.delete(TENANT, ANN, kept.id)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    monkeypatch.undo()
    world.retention.sweep()
    assert list(world.blobs.names()) == []


def test_many_objects_cost_one_root(world: VaultWorld) -> None:
    for _ in range(12):
        world.keep()
    world.clock.forward(days=31)
    epoch = world.tree.rotate().epoch_after
    assert world.retention.sweep().ended == 12
    assert world.tree.rotate().epoch_after == epoch + 2


def test_a_rule_is_no_way_around_the_second_officer(world: VaultWorld) -> None:
    people = [f"usr_{letter * 25}a" for letter in "ghi"]
    kept = [world.keep(subject=one) for one in people]
    world.clock.forward(days=2)

    def shorten(days: int) -> None:
        world.deadlines.set_rule(TENANT, DataClass.USER_GENERATED, days, actor=OFFICER, request="req_1")

    with pytest.raises(Conflict) as refusal:
        shorten(2)
    assert refusal.value.code == "second-officer"
    assert (world.deadlines.all_rules(), world.retention.sweep().ended) == ({}, 0)
    shorten(3)  # ends nothing now
    ends = world.ground.now() + DAY_MS
    world.holds.place(TENANT, basis="litigation", approver=OFFICER, ends_at=ends, of=kept[0].id)
    shorten(2)  # two people: one officer's share
    assert world.retention.sweep().ended == 2
