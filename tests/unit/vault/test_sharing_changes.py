"""Sharing after the fact: owners are added, people shown are named, keys move, and every right follows."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from troth.kernel.errors import Conflict, Denied, Gone, NotFound, TooLarge, Unavailable
from troth.vault import fences, framing, store
from troth.vault.deadlines import DAY_MS
from troth.vault.ground import subject_digest
from troth.vault.object_info import facts_of
from troth.vault.sharing_changes import Involved, SharingChanges, unknown_person
from vault_world import ANN, BOB, OFFICER, OTHER, TENANT, VaultWorld

CAL = OFFICER


@pytest.fixture
def changes(world: VaultWorld) -> SharingChanges:
    return SharingChanges(world.ground)


def share(world: VaultWorld, object_id: str, other: str = BOB, by: str = ANN) -> Involved:
    return SharingChanges(world.ground).share(TENANT, by, object_id, other, request="req_1")


def tag(world: VaultWorld, object_id: str, shown: str = CAL, by: str = ANN) -> Involved:
    return SharingChanges(world.ground).tag(TENANT, by, object_id, shown, request="req_1")


def units(world: VaultWorld) -> dict[str, str]:
    with world.database.read() as connection:
        rows = connection.execute(select(store.objects.c.id, store.objects.c.unit)).all()
    return {row.id: row.unit for row in rows}


@pytest.mark.parametrize("own_unit", [True, False])
def test_another_owner_opens_it_and_keeps_it_when_the_first_is_erased(world: VaultWorld, own_unit: bool) -> None:
    kept = world.keep(b"ours", own_unit=own_unit)
    old = bytes.fromhex(units(world)[kept.id])
    assert share(world, kept.id) == Involved((ANN, BOB), ())
    assert share(world, kept.id) == Involved((ANN, BOB), ())
    for owner in (ANN, BOB):
        assert world.objects.open(TENANT, owner, kept.id)[1] == b"ours"
        assert [one.id for one in world.objects.list(TENANT, owner)] == [kept.id]
    if own_unit:  # old copies in backups open no more
        with pytest.raises(Gone):
            world.tree.key(old)
    assert len(list(world.blobs.names())) == 1
    world.erase(subject=ANN)
    assert world.objects.open(TENANT, BOB, kept.id)[1] == b"ours"
    world.erase(subject=BOB)
    assert list(world.blobs.names()) == []


def test_who_is_named_as_shown_may_have_it_and_its_copies_destroyed(world: VaultWorld) -> None:
    kept = world.keep(b"picture")
    copy = world.keep(b"copy", derived_from=(kept.id,))
    old = units(world)
    assert tag(world, kept.id) == Involved((ANN,), (CAL,))
    assert world.objects.open(TENANT, ANN, copy.id)[1] == b"copy"
    with pytest.raises(NotFound):
        world.objects.open(TENANT, CAL, kept.id)
    later = world.keep(b"later", derived_from=(copy.id,))  # a copy shows whom its source shows
    shown = {one.id for one in SharingChanges(world.ground).showing(TENANT, CAL)}
    assert shown == {kept.id, copy.id, later.id}
    world.erase(subject=CAL, object_id=kept.id)
    for one in (kept, copy, later):
        with pytest.raises(Gone):
            world.objects.open(TENANT, ANN, one.id)
    for one in (kept, copy):
        with pytest.raises(Gone):
            world.tree.key(bytes.fromhex(old[one.id]))


@pytest.mark.parametrize("use", ["open", "copy", "copy-of-copy", "share", "copied-before"])
def test_while_somebody_shown_is_restricted_nothing_is_done_with_it(world: VaultWorld, use: str) -> None:
    kept = world.keep(b"picture")
    copy = world.keep(b"copy", derived_from=(kept.id,))
    tag(world, kept.id)
    world.restrictions.place(TENANT, CAL, reason="accuracy-contested", officer=None, request="req_2")
    acts = {
        "open": lambda: world.objects.open(TENANT, ANN, kept.id),
        "copy": lambda: world.keep(b"copy", derived_from=(kept.id,)),
        "copy-of-copy": lambda: world.keep(b"copy", derived_from=(copy.id,)),
        "share": lambda: share(world, kept.id),
        "copied-before": lambda: world.objects.open(TENANT, ANN, copy.id),
    }
    with pytest.raises(Conflict) as refusal:
        acts[use]()
    assert refusal.value.code == "restricted"
    world.restrictions.lift(TENANT, CAL, officer=None, request="req_3")
    acts[use]()


def test_only_owners_decide_and_only_in_their_tenant(world: VaultWorld, changes: SharingChanges) -> None:
    kept = world.keep(shown=(CAL,))
    for attempt in (
        lambda: changes.people(TENANT, BOB, kept.id),
        lambda: changes.share(TENANT, BOB, kept.id, BOB, request="req_1"),
        lambda: changes.share(TENANT, CAL, kept.id, BOB, request="req_1"),
        lambda: changes.tag(TENANT, CAL, kept.id, BOB, request="req_1"),
        lambda: changes.share(OTHER, ANN, kept.id, BOB, request="req_1"),
        lambda: changes.leave(TENANT, CAL, kept.id),
        lambda: changes.untag(TENANT, ANN, kept.id, request="req_1"),
        lambda: changes.untag(OTHER, CAL, kept.id, request="req_1"),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert changes.people(TENANT, ANN, kept.id) == Involved((ANN,), (CAL,))


def test_nobody_loses_a_right_by_being_made_an_owner(world: VaultWorld) -> None:
    kept = world.keep(shown=(CAL,))
    with pytest.raises(Conflict) as refusal:
        share(world, kept.id, CAL)
    assert refusal.value.code == "person-shown"
    shared = world.keep(owners=(BOB,))
    assert tag(world, shared.id, BOB) == Involved((ANN, BOB), ())


def test_only_the_keeper_names_who_is_shown(world: VaultWorld, changes: SharingChanges) -> None:
    kept = world.keep(b"ours")
    assert share(world, kept.id).keeper == ANN
    with pytest.raises(Denied) as refusal:  # the accomplice would destroy what is everybody's
        tag(world, kept.id, CAL, by=BOB)
    assert refusal.value.code == "keeper-only"
    assert changes.showing(TENANT, CAL) == []
    changes.leave(TENANT, ANN, kept.id)
    assert tag(world, kept.id, CAL, by=BOB) == Involved((BOB,), (CAL,))


def test_who_cannot_be_added_is_refused_alike(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, said = world.keep(b"ours"), set[str]()
    world.restrictions.place(TENANT, BOB, reason="accuracy-contested", officer=None, request="req_2")
    world.keep(subject=CAL)
    world.erase(subject=CAL)
    for early in (True, False):  # also of what begins while the bytes are sealed anew
        if not early:
            monkeypatch.setattr("troth.vault.sharing_changes.state", lambda *_: "live")
        for add, whom in ((share, BOB), (share, CAL), (tag, CAL)):
            with pytest.raises(NotFound) as refusal:
                add(world, kept.id, whom)
            said.add(f"{refusal.value.code} {refusal.value}")
    assert said == {f"person-unknown {unknown_person()}"}
    assert len(list(world.blobs.names())) == 1


def test_leaving_and_denying(world: VaultWorld, changes: SharingChanges) -> None:
    kept = world.keep(b"ours")
    with pytest.raises(Conflict) as refusal:
        changes.leave(TENANT, ANN, kept.id)
    assert refusal.value.code == "last-owner"
    share(world, kept.id)
    tag(world, kept.id)
    changes.untag(TENANT, CAL, kept.id, request="req_2")
    assert changes.showing(TENANT, CAL) == []
    changes.leave(TENANT, ANN, kept.id)
    with pytest.raises(NotFound):
        world.objects.open(TENANT, ANN, kept.id)
    assert world.objects.open(TENANT, BOB, kept.id)[1] == b"ours"


def test_the_log_says_who_left_and_nothing_of_who_stays_or_is_erased(
    world: VaultWorld, changes: SharingChanges
) -> None:
    for _ in range(2):
        share(world, world.keep(b"ours").id)
    first, second = (one.id for one in world.objects.list(TENANT, ANN))
    changes.leave(TENANT, ANN, first)
    world.erase(subject=ANN, object_id=second)
    world.sequencer.flush(TENANT)
    leaves = [json.loads(entry.leaf) for entry in world.log.entries(TENANT, 0, 100)]
    assert [one["actor"] for one in leaves if one["op"] == "object.left"] == [ANN, "svc_erasure"]


def test_what_cannot_be_shared(world: VaultWorld) -> None:
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    bound = world.keep(purpose="training")
    with pytest.raises(Conflict) as refusal:
        share(world, bound.id)
    assert refusal.value.code == "purpose-bound"
    many = world.keep(owners=tuple(f"usr_{n:026}" for n in range(63)))
    with pytest.raises(TooLarge):
        share(world, many.id)
    mine = world.keep(b"mine")
    world.erase(subject=BOB)
    with pytest.raises(NotFound):
        share(world, mine.id, BOB)
    assert world.objects.open(TENANT, ANN, mine.id)[1] == b"mine"
    assert len(list(world.blobs.names())) == 3  # what was refused left no bytes


def test_a_crash_after_the_switch_is_finished_by_the_sweep(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.keep(b"ours")
    old = bytes.fromhex(units(world)[kept.id])

    def crash(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("troth.vault.sharing_changes.Disposal.finish", crash)
        with pytest.raises(RuntimeError):
            share(world, kept.id)
    assert world.objects.open(TENANT, BOB, kept.id)[1] == b"ours"
    world.retention.sweep()
    with pytest.raises(Gone):
        world.tree.key(old)
    assert len(list(world.blobs.names())) == 1


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_acknowledgement_loses_neither_bytes_nor_keys(
    world: VaultWorld, changes: SharingChanges, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    kept = world.keep(b"ours")
    write, switched, armed = world.database.write, SharingChanges._switched, list[bool]()

    @contextmanager
    def lossy(*scope: Any) -> Iterator[Any]:
        with write(*scope) as connection:
            yield connection
            if armed and not committed:
                armed.clear()
                raise Unavailable("lost")
        if armed:
            armed.clear()
            raise Unavailable("lost")

    def watched(self: SharingChanges, *args: Any) -> Any:
        armed.append(True)
        return switched(self, *args)

    with monkeypatch.context() as broken:
        broken.setattr(world.database, "write", lossy)
        broken.setattr(SharingChanges, "_switched", watched)
        with pytest.raises(Unavailable):
            share(world, kept.id)
    world.retention.sweep()
    assert changes.people(TENANT, ANN, kept.id).owners == ((ANN, BOB) if committed else (ANN,))
    assert world.objects.open(TENANT, ANN, kept.id)[1] == b"ours"
    assert len(list(world.blobs.names())) == 1


def test_what_moved_from_a_key_of_many_is_not_certified_as_gone_from_backups(world: VaultWorld) -> None:
    kept, other = (world.keep(text, own_unit=False) for text in (b"picture", b"other"))
    with world.database.read() as connection:
        (before,) = store.by_ids(connection, [kept.id])
    backup = world.blobs.get(before.blob or "")
    tag(world, kept.id)
    done = world.erase(subject=CAL, object_id=kept.id)
    said = _certified(world, done.certificate)
    opened = framing.open(backup, facts_of(before), world.tree.key(bytes.fromhex(before.unit)))
    assert (opened, world.objects.open(TENANT, ANN, other.id)[1]) == (b"picture", b"other")
    assert (said["by_key"]["count"], said["by_deletion"]["identifiers"]) == (0, [kept.id])
    assert said["key_due"] == before.period
    world.clock.forward(days=40)
    rest = [_certified(world, one) for one in world.retention.sweep().certificates]
    assert [done.id in one["completes"] for one in rest if one["scope"] == "remainder"] == [True]
    with pytest.raises(Gone):
        world.tree.key(bytes.fromhex(before.unit))


def test_a_copy_whose_owner_is_being_erased_does_not_move(world: VaultWorld) -> None:
    kept = world.keep(b"ours")
    share(world, kept.id)
    copy = world.keep(b"copy", subject=BOB, derived_from=(kept.id,))
    with world.database.write() as connection:
        fences.end(connection, subject_digest(TENANT, BOB), "ers_1", 0)
    with pytest.raises(Conflict) as refused:
        tag(world, kept.id)
    assert refused.value.code == "object-moved"
    assert len(units(world)) == 3  # the two, and what was left when the first was shared
    assert copy.id in units(world)


def _certified(world: VaultWorld, certificate: str | None) -> dict[str, Any]:
    envelope = json.loads(world.erasures.certificate(TENANT, certificate or ""))
    said: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    return said


def test_each_change_is_on_record_and_in_both_exports(world: VaultWorld, changes: SharingChanges) -> None:
    kept = world.keep(b"ours")
    share(world, kept.id)
    tag(world, kept.id)
    kinds = {person: {one.kind for one in world.holder.holdings(TENANT, person)} for person in (ANN, BOB, CAL)}
    assert kinds == {ANN: {"object"}, BOB: {"object"}, CAL: {"shows-me"}}
    changes.untag(TENANT, CAL, kept.id, request="req_2")
    world.sequencer.integrate()
    log = b"".join(entry.leaf for entry in world.log.entries(TENANT, 0, 100)).decode()
    assert all(f'"object.{event}"' in log for event in ("shared", "tagged", "untagged"))


@pytest.mark.parametrize("why", ["restricted", "shown-restricted", "held"])
def test_what_stays_past_its_end_is_listed_and_exported_and_not_used(world: VaultWorld, why: str) -> None:
    kept, more = world.keep(b"kept", shown=(CAL,)), [world.keep() for _ in range(2)]
    whom = {"restricted": ANN, "shown-restricted": CAL}.get(why)
    if whom:
        world.restrictions.place(TENANT, whom, reason="legal-claims", officer=None, request="req_2")
    else:
        ends = world.ground.now() + 99 * DAY_MS
        world.holds.place(TENANT, basis="litigation", approver="usr_x", ends_at=ends, of=kept.id)
    world.clock.forward(days=31)
    staying = {kept.id} | ({one.id for one in more} if why == "restricted" else set())
    for _ in range(2):  # before and after the sweep
        assert {one.id for one in world.objects.list(TENANT, ANN, duty=True)} == staying
        assert [one.id for one in world.objects.list(TENANT, ANN, duty=True, limit=1)] == [
            max(staying, key=_order(world))
        ]
        files = {info.id: content for info, content in world.holder.files(TENANT, ANN)}
        assert files.keys() == staying
        assert files[kept.id] == b"kept"
        with pytest.raises((Conflict, Gone)):
            world.objects.open(TENANT, ANN, kept.id)
        world.retention.sweep()


def _order(world: VaultWorld):  # type: ignore[no-untyped-def]
    with world.database.read() as connection:
        seq = dict(connection.execute(select(store.objects.c.id, store.objects.c.seq)).all())  # type: ignore[arg-type]
    return seq.__getitem__
