"""The key tree's promises, one by one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from database_world import owned
from key_world import World
from troth.kernel.clock import SystemClock
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, Invalid, NotFound, Unavailable
from troth.keys.state import LEASE_SECONDS
from troth.keys.tree import KeyTree, Revocation, Scope, UnitRequest

ACCOUNT, USER = DataClass.ACCOUNT, DataClass.USER_GENERATED


def test_a_shared_unit_is_made_once_and_an_own_unit_each_time(world: World) -> None:
    shared = world.tree.unit("ten_a", "usr_a", ACCOUNT, "2026-11")
    assert world.tree.unit("ten_a", "usr_a", ACCOUNT, "2026-11") == shared
    others = [("ten_b", "usr_a", ACCOUNT, "2026-11"), ("ten_a", "usr_b", ACCOUNT, "2026-11")]
    others += [("ten_a", "usr_a", USER, "2026-11"), ("ten_a", "usr_a", ACCOUNT, "2026-12")]
    own = [world.tree.own_unit("ten_a", "usr_a", ACCOUNT) for _ in range(2)]
    keys = [shared, *(world.tree.unit(*one) for one in others), *own]
    assert len({key.id for key in keys}) == len({key.key for key in keys}) == 7
    assert all((len(key.id), key.generation, len(key.key)) == (16, 1, 32) for key in keys)
    assert [world.tree.key(key.id) for key in keys] == keys


def test_keys_survive_the_process(world: World) -> None:
    made = [*world.own("ten_a", "usr_a", 400), world.shared("ten_a", "usr_a", "account")]
    tree = world.reopen()
    assert [tree.key(one.key.id) for one in made] == [one.key for one in made]
    assert tree.unit("ten_a", "usr_a", ACCOUNT, "account") == made[-1].key
    assert tree.verify() == 401


def test_destroyed_and_unknown_units_are_told_apart(world: World) -> None:
    (goes,), (stays,) = world.own("ten_a", "usr_a"), world.own("ten_a", "usr_a")
    proof = world.tree.destroy_units([goes.key.id])
    assert (proof.units, proof.epoch_before, proof.epoch_after) == (1, 1, 2)
    for tree in (world.tree, world.reopen()):
        with pytest.raises(Gone):
            tree.key(goes.key.id)
        with pytest.raises(NotFound):
            tree.key(bytes(16))
        assert tree.key(stays.key.id) == stays.key
    with pytest.raises(NotFound):
        world.tree.destroy_units([bytes(16)])


def test_an_erased_person_gets_no_new_key(world: World) -> None:
    shared = world.shared("ten_a", "usr_a", "account")
    other = world.shared("ten_b", "usr_a", "account")
    assert world.tree.destroy_subject("ten_a", "usr_a").units == 1
    with pytest.raises(Gone):
        world.tree.key(shared.key.id)
    with pytest.raises(Gone):
        world.tree.unit("ten_a", "usr_a", ACCOUNT, "account")
    with pytest.raises(Gone):
        world.tree.own_unit("ten_a", "usr_a", ACCOUNT)
    assert world.tree.unit("ten_b", "usr_a", ACCOUNT, "account") == other.key


def test_an_erased_tenant_goes_whole_and_alone(world: World) -> None:
    made = world.own("ten_a", "usr_a", 3) + world.own("ten_a", "usr_b", 4)
    (other,) = world.own("ten_b", "usr_a")
    world.tree.destroy_subject("ten_a", "usr_a")
    assert world.tree.destroy_tenant("ten_a").units == 4
    for one in made:
        with pytest.raises(Gone):
            world.tree.key(one.key.id)
    with pytest.raises(Gone):
        world.tree.unit("ten_a", "usr_new", ACCOUNT, "account")
    assert world.tree.key(other.key.id) == other.key
    assert world.tree.verify() == 1


def test_a_destroyed_period_may_be_used_again_under_a_fresh_key(world: World) -> None:
    before = world.shared("ten_a", "usr_a", "2026-11").key
    world.tree.destroy_units([before.id])
    after = world.tree.unit("ten_a", "usr_a", ACCOUNT, "2026-11")
    assert after.id != before.id
    assert after.key != before.key


def test_revoking_is_live_at_once_and_can_be_repeated(world: World) -> None:
    (one,) = world.own("ten_a", "usr_a")
    assert world.tree.key(one.key.id) == one.key
    scope = Scope.of_units([one.key.id])
    first = world.tree.revoke(scope)
    with pytest.raises(Gone):
        world.tree.key(one.key.id)
    assert world.tree.revoke(scope).scope == first.scope
    assert world.tree.seal([first]).units == 1


def test_a_seal_is_idempotent_and_gives_the_same_proof(two_domains: World) -> None:
    world = two_domains
    world.own("ten_a", "usr_a", 2)
    revocation = world.tree.revoke(Scope.of_subject("ten_a", "usr_a"))
    proof = world.tree.seal([revocation])
    assert world.tree.seal([revocation]) == proof == world.reopen().destroy_subject("ten_a", "usr_a")
    assert [(one.domain, one.assurance) for one in proof.roots] == [("local-0", "A0"), ("local-1", "A0")]
    assert all(one.evidence.endswith("lookup:absent;canary:refused") for one in proof.roots)
    assert proof.manifest_before != proof.manifest_after


def test_one_seal_takes_many_scopes(world: World) -> None:
    units = world.own("ten_a", "usr_a", 3)
    world.own("ten_a", "usr_b", 5)
    world.own("ten_b", "usr_c", 7)
    scopes = [Scope.of_units([one.key.id for one in units[:2]]), Scope.of_subject("ten_a", "usr_b")]
    scopes += [Scope.of_tenant("ten_b"), Scope.of_subject("ten_a", "usr_without_keys")]
    proof = world.tree.seal(world.tree.revoke_all(scopes))
    assert (proof.units, proof.epoch_after) == (14, 2)
    assert world.tree.verify() == 1


def test_scopes_sealed_at_different_times_are_proved_together(world: World) -> None:
    for subject in ("usr_a", "usr_b"):
        world.own("ten_a", subject)
        world.tree.destroy_subject("ten_a", subject)
    proof = world.tree.seal([Revocation(Scope.of_subject("ten_a", one), 0) for one in ("usr_a", "usr_b")])
    assert (proof.units, proof.epoch_before, proof.epoch_after, len(proof.roots)) == (2, 1, 3, 2)


def test_nothing_is_sealed_that_was_not_revoked(world: World) -> None:
    (one,) = world.own("ten_a", "usr_a")
    for scope in (Scope.of_units([one.key.id]), Scope.of_subject("ten_a", "usr_a"), Scope.of_tenant("ten_a")):
        with pytest.raises(Conflict) as refusal:
            world.tree.seal([Revocation(scope, 0)])
        assert refusal.value.code == "not-revoked"
    with pytest.raises(Conflict):
        world.tree.seal([Revocation(Scope.of_units([bytes(16)]), 0)])
    assert world.tree.key(one.key.id) == one.key


def test_an_empty_scope_never_means_everything(world: World) -> None:
    (one,) = world.own("ten_a", "usr_a")
    for scope in (Scope(), Scope.of_tenant(""), Scope.of_subject("ten_a", ""), Scope.of_units([])):
        with pytest.raises(Invalid):
            world.tree.revoke(scope)
    with pytest.raises(Invalid):
        world.tree.seal([])
    assert world.tree.key(one.key.id) == one.key


@pytest.mark.parametrize("request_", [("", "s", "p"), ("t", "", "p"), ("t", "s", ""), ("t" * 65, "s", "p")])
def test_requests_have_bounds(world: World, request_: tuple[str, str, str]) -> None:
    with pytest.raises(Invalid):
        world.tree.unit(request_[0], request_[1], ACCOUNT, request_[2])


def test_a_batch_is_all_or_none(world: World) -> None:
    world.tree.revoke(Scope.of_subject("ten_a", "usr_gone"))
    requests = [UnitRequest("ten_a", "usr_a", ACCOUNT, "x"), UnitRequest("ten_a", "usr_gone", ACCOUNT, "x")]
    with pytest.raises(Gone):
        world.tree.units(requests)
    assert world.tree.verify() == 0
    assert world.tree.units([]) == []
    one, same = world.tree.units([requests[0], requests[0]])
    assert one == same


def test_rotation_keeps_every_key(world: World) -> None:
    made = world.own("ten_a", "usr_a", 300)
    proof = world.tree.rotate()
    assert (proof.units, proof.epoch_before, proof.epoch_after, len(proof.roots)) == (0, 1, 2, 1)
    assert all(world.tree.key(one.key.id) == one.key for one in made)
    assert world.tree.verify() == 300


def test_ids_that_share_their_first_bytes_are_drawn_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [b"same" + bytes([at]) * 12 for at in range(4)] + [b"next" + bytes(12)]

    def urandom(size: int) -> bytes:
        return drawn.pop(0) if size == 16 and drawn else bytes([len(drawn) + size]) * size

    monkeypatch.setattr("troth.keys.adding.os.urandom", urandom)
    first = world.tree.own_unit("ten_a", "usr_a", ACCOUNT)
    second = world.tree.own_unit("ten_a", "usr_a", ACCOUNT)
    monkeypatch.undo()
    assert (first.id[:4], second.id[:4]) == (b"same", b"next")
    tree = world.reopen()
    assert [tree.key(one.id) for one in (first, second)] == [first, second]


def test_threads_add_and_erase_together(world: World) -> None:
    def work(number: int) -> list[bytes]:
        made = [world.tree.own_unit("ten_a", f"usr_{number}", ACCOUNT) for _ in range(8)]
        assert [world.tree.key(one.id) for one in made] == made
        shared = world.tree.unit("ten_a", "usr_shared", ACCOUNT, "account")
        if number % 4 == 0:
            world.tree.destroy_subject("ten_a", f"usr_{number}")
        return [shared.id]

    with ThreadPoolExecutor(8) as pool:
        shared = list(pool.map(work, range(8)))
    assert len({one for (one,) in shared}) == 1
    assert world.tree.verify() == 6 * 8 + 1


def test_two_processes_see_each_other(world: World) -> None:
    other = KeyTree(world.database, world.domains, SystemClock())
    assert other.resume()
    made = [tree.own_unit("ten_a", "usr_a", ACCOUNT) for tree in (world.tree, other) * 3]
    assert [other.key(one.id) for one in made] == [world.tree.key(one.id) for one in made] == made
    shared = other.unit("ten_a", "usr_b", ACCOUNT, "account")
    assert world.tree.unit("ten_a", "usr_b", ACCOUNT, "account") == shared
    other.destroy_units([made[0].id])
    added = world.tree.own_unit("ten_a", "usr_c", ACCOUNT)  # from a process that knows only the epoch before
    time.sleep(LEASE_SECONDS)
    with pytest.raises(Gone):
        world.tree.key(made[0].id)
    assert world.tree.key(added.id) == other.key(added.id) == added
    world.tree.destroy_subject("ten_a", "usr_b")
    other.destroy_subject("ten_a", "usr_a")
    assert world.tree.verify() == other.verify() == 1


def test_two_processes_that_seal_at_once_both_finish(two_domains: World) -> None:
    world = two_domains
    trees = [world.tree, KeyTree(world.database, world.domains, SystemClock())]
    for at in range(4):
        world.own("ten_a", f"usr_{at}", 3)
    with ThreadPoolExecutor(2) as pool:
        proofs = list(pool.map(lambda at: trees[at % 2].destroy_subject("ten_a", f"usr_{at}"), range(4)))
    assert [one.units for one in proofs] == [3, 3, 3, 3]
    assert all(len(root.present()) == 1 for root in world.roots)
    assert world.reopen().verify() == 0


def test_a_tree_that_was_not_started_says_so(tmp_path: Path, world: World) -> None:
    tree = KeyTree(world.database, world.domains, SystemClock(), jurisdiction="us")
    with pytest.raises(Unavailable) as refusal:
        tree.unit("ten_a", "usr_a", ACCOUNT, "account")
    assert refusal.value.code == "key-tree-absent"
    assert tree.resume()  # two jurisdictions share tables and domains, and nothing else
    one = tree.unit("ten_a", "usr_a", ACCOUNT, "account")
    with pytest.raises(NotFound):
        world.tree.key(one.id)
    assert world.tree.verify() == 0
    assert world.tree.rotate().epoch_after == 2
    assert tree.key(one.id) == one
    with pytest.raises(Invalid):
        KeyTree(world.database, [], SystemClock())


def test_a_database_that_fails_is_unavailable_not_wrong(world: World) -> None:
    (one,) = world.own("ten_a", "usr_a")
    with owned(world.database) as connection:
        connection.execute(text("ALTER TABLE unit RENAME TO elsewhere"))
    with pytest.raises(Unavailable) as refusal:
        world.reopen().key(one.key.id)
    assert refusal.value.code == "key-tables"
    with owned(world.database) as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO unit"))
    assert world.tree.key(one.key.id) == one.key
