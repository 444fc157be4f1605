"""Objects of several people: owners leave without taking them along, the last owner and people shown do."""

from __future__ import annotations

import threading

import pytest

from troth.kernel.errors import Conflict, Gone, NotFound, TrothError
from troth.vault import store
from troth.vault.certificate import verify_certificate
from troth.vault.deadlines import DAY_MS
from troth.vault.tables import concerns
from vault_world import ANN, BOB, OFFICER, OTHER, TENANT, VaultWorld

CAL = OFFICER


def people_left(world: VaultWorld) -> set[str]:
    with world.database.read() as connection:
        return set(connection.execute(concerns.select()).scalars())


def test_every_owner_opens_and_lists_it_and_nobody_else(world: VaultWorld) -> None:
    kept = world.keep(b"ours", owners=(BOB,), shown=(CAL,))
    for owner in (ANN, BOB):
        assert world.objects.open(TENANT, owner, kept.id)[1] == b"ours"
        assert [one.id for one in world.objects.list(TENANT, owner)] == [kept.id]
    with pytest.raises(NotFound):
        world.objects.open(TENANT, CAL, kept.id)
    with pytest.raises(NotFound):
        world.objects.open(OTHER, BOB, kept.id)
    assert world.objects.list(TENANT, CAL) == []
    (mine,) = [one for one in world.holder.holdings(TENANT, CAL) if one.kind == "shows-me"]
    assert (mine.identifier, "note.txt" in str(mine.content)) == (kept.id, False)


@pytest.mark.parametrize("leaver", [ANN, BOB])
def test_an_owner_who_is_erased_leaves_the_bytes_and_takes_their_name_for_it(world: VaultWorld, leaver: str) -> None:
    kept = world.keep(b"ours", owners=(BOB,), name="Ann with Bob.txt")
    stays = BOB if leaver == ANN else ANN
    done = world.erase(subject=leaver)
    certificate = verify_certificate(
        world.erasures.certificate(TENANT, done.certificate or ""), world.keys(), log_keys=[world.log_key()]
    )
    assert (certificate.released.identifiers, certificate.objects.count) == ([kept.id], 0)
    info, content = world.objects.open(TENANT, stays, kept.id)
    assert (content, info.name) == (b"ours", "" if leaver == ANN else "Ann with Bob.txt")
    with pytest.raises(NotFound):
        world.objects.open(TENANT, leaver, kept.id)
    with world.database.read() as connection:
        rows = str(connection.execute(store.objects.select()).all())
        parts = str(connection.execute(concerns.select()).all())
    assert leaver not in rows + parts


def test_the_last_owner_takes_the_bytes_along(world: VaultWorld) -> None:
    kept = world.keep(b"ours", owners=(BOB,))
    world.erase(subject=ANN)
    done = world.erase(subject=BOB)
    certificate = verify_certificate(world.erasures.certificate(TENANT, done.certificate or ""), world.keys())
    assert certificate.objects.identifiers == [kept.id]
    assert certificate.verification.objects_refused == 1
    assert list(world.blobs.names()) == []


def test_who_is_shown_has_it_destroyed_with_all_that_derives_from_it(world: VaultWorld) -> None:
    kept = world.keep(b"ours", owners=(BOB,), shown=(CAL,))
    copy = world.keep(b"copy", subject=BOB, derived_from=(kept.id,))
    other = world.keep(b"other", subject=BOB)
    done = world.erase(subject=CAL)
    certificate = verify_certificate(world.erasures.certificate(TENANT, done.certificate or ""), world.keys())
    assert set(certificate.objects.identifiers) == {kept.id, copy.id}
    assert certificate.verification.keys_refused == 2
    for owner, one in ((ANN, kept), (BOB, kept), (BOB, copy)):
        with pytest.raises(Gone):
            world.objects.open(TENANT, owner, one.id)
    assert world.objects.open(TENANT, BOB, other.id)[1] == b"other"


def test_one_object_can_be_left_or_destroyed_by_request(world: VaultWorld) -> None:
    kept, shown = world.keep(b"ours", owners=(BOB,)), world.keep(b"seen", shown=(CAL,))
    left = world.erase(object_id=kept.id)
    assert world.objects.open(TENANT, BOB, kept.id)[1] == b"ours"
    gone = world.erase(subject=BOB, object_id=kept.id)
    assert gone.id != left.id
    world.erase(subject=CAL, object_id=shown.id)
    for owner, one in ((BOB, kept), (ANN, shown)):
        with pytest.raises(Gone):
            world.objects.open(TENANT, owner, one.id)


def test_deleting_ends_ones_own_part_only(world: VaultWorld) -> None:
    kept = world.keep(b"ours", owners=(BOB,))
    assert world.objects.delete(TENANT, ANN, kept.id).identifiers == ()
    with pytest.raises(NotFound):
        world.objects.open(TENANT, ANN, kept.id)
    assert world.objects.delete(TENANT, BOB, kept.id).identifiers == (kept.id,)


def test_two_owners_who_leave_at_once_leave_nothing(world: VaultWorld) -> None:
    world.keep(b"ours", owners=(BOB,))
    threads = [threading.Thread(target=_erased, args=(world, one)) for one in (ANN, BOB)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.state for one in world.erasures.resume()] in ([], ["done"], ["done", "done"])
    assert list(world.blobs.names()) == []
    assert people_left(world) == set()


def _erased(world: VaultWorld, subject: str) -> None:
    try:
        world.erase(subject=subject)
    except TrothError:
        return  # the journal was busy: the next round finishes it


def test_a_hold_on_the_object_keeps_it_for_everybody(world: VaultWorld) -> None:
    kept = world.keep(b"ours", owners=(BOB,), shown=(CAL,))
    with pytest.raises(Exception, match="own"):
        world.holds.place(TENANT, basis="litigation", approver=CAL, ends_at=world.ground.now() + 9_000, of=kept.id)
    world.holds.place(TENANT, basis="litigation", approver="usr_x", ends_at=world.ground.now() + 9_000, of=kept.id)
    with pytest.raises(Conflict):
        world.erase(subject=CAL, object_id=kept.id)
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"ours"


@pytest.mark.parametrize("held", ["object", "shown", "owner"])
def test_a_hold_on_one_keeps_what_others_would_take_along(world: VaultWorld, held: str) -> None:
    kept = world.keep(b"ours", owners=(BOB,), shown=(CAL,))
    target = {"object": {"of": kept.id}, "shown": {"subject": CAL}, "owner": {"subject": ANN}}[held]
    ends = world.ground.now() + DAY_MS
    hold = world.holds.place(TENANT, basis="litigation", approver="usr_x", ends_at=ends, **target)
    for one in (BOB, ANN if held == "shown" else CAL):
        with pytest.raises(Conflict) as refusal:
            world.erase(subject=one)
        assert refusal.value.code == "held"
    world.clock.forward(hours=23)
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"ours"
    world.holds.lift(TENANT, hold.id, actor="usr_x")
    assert {one.state for one in world.erasures.resume_held(TENANT)} == {"done"}
    assert list(world.blobs.names()) == []


def test_the_sweep_leaves_what_a_hold_on_somebody_shown_binds(world: VaultWorld) -> None:
    kept, free = world.keep(b"ours", shown=(CAL,)), world.keep()
    ends = world.ground.now() + 60 * DAY_MS
    world.holds.place(TENANT, basis="litigation", approver="usr_x", ends_at=ends, subject=CAL)
    world.clock.forward(days=31)
    swept = world.retention.sweep()
    assert (swept.ended, swept.held) == (1, (kept.id,))
    assert free.id not in swept.held


def test_who_is_shown_restricts_it_for_all(world: VaultWorld) -> None:
    kept = world.keep(b"ours", owners=(BOB,), shown=(CAL,))
    world.restrictions.place(TENANT, CAL, reason="objects", officer=None, request="req_1")
    with pytest.raises(Conflict) as refusal:
        world.objects.open(TENANT, ANN, kept.id)
    assert refusal.value.code == "restricted"
    world.restrictions.lift(TENANT, CAL, officer=None, request="req_2")
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"ours"
