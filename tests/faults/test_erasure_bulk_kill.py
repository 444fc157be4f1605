"""kill -9 at random steps of erasures of people, periods and tenants, and of sweeps: the next start completes them."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path

import pytest

from killing import PROCESSES, Killer
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, NotFound
from troth.storage.database import Database
from troth.vault import ledger
from troth.vault.certificate import verify_certificate
from vault_world import ANN, BOB, OFFICER, OTHER, SECOND, TENANT, VaultWorld
from worlds import sqlite

ROUNDS = 8  # for each of four scopes
SPAN = {"people": 60, "period": 26, "tenant": 34, "retention": 26}  # durable steps that each one takes


def opened(folder: Path, *, later: bool) -> VaultWorld:
    world = VaultWorld(Database(f"sqlite:///{folder / 'test.db'}"), folder)
    if later:
        world.clock.forward(days=1)
    return world


def asked(world: VaultWorld, scope: str) -> None:
    if scope == "people":
        world.erase()
        world.erasures.request(TENANT, BOB, actor=OFFICER, request="req_1")
    elif scope == "period":
        until = world.ground.now() + 1
        world.erasures.request_period(TENANT, DataClass.USER_GENERATED, until, actor=OFFICER, request="req_1")
    elif scope == "tenant":
        waiting = world.erasures.request_tenant(TENANT, actor=OFFICER, request="req_1", immediate=True)
        world.erasures.approve(TENANT, waiting.id, actor=SECOND, whole_tenant=True)
    else:
        world.retention.sweep()


def victim(folder: Path, scope: str, at: int, *, after: bool) -> None:
    """The process that is killed."""
    world = opened(folder, later=scope == "retention")
    killer = Killer(at, after=after)
    with world.database.write() as connection:
        killer.around(type(connection), "commit")
    killer.around(world.blobs, "delete_all")
    killer.around(world.tree, "revoke_all", "seal", "destroy_units")
    asked(world, scope)
    os._exit(0)


def killed(folder: Path, scope: str, at: int, *, after: bool) -> bool:
    process = PROCESSES.Process(target=victim, args=(folder, scope, at), kwargs={"after": after})
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def prepared(folder: Path) -> dict[str, str]:
    """Two people with objects, one of them shared, and a neighbour tenant."""
    world = VaultWorld(sqlite(folder), folder)
    ends = world.ground.now() + 3_600_000
    kept = {
        "ann": world.keep(b"hers", expires_at=ends).id,
        "bob": world.keep(b"his", subject=BOB, expires_at=ends).id,
        "ours": world.keep(b"ours", owners=(BOB,), expires_at=ends).id,
        "neighbour": world.keep(b"neighbour", tenant=OTHER).id,
    }
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    world.close()
    world.database.close()
    return kept


@pytest.mark.parametrize("scope", sorted(SPAN))
def test_random_kills_are_survived(tmp_path: Path, scope: str) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    chance, kills = random.Random(seed), 0
    (tmp_path / "start").mkdir(mode=0o700)
    kept = prepared(tmp_path / "start")
    for turn in range(ROUNDS):
        folder = tmp_path / f"{turn}"
        shutil.copytree(tmp_path / "start", folder)
        at, after = chance.randint(1, SPAN[scope]), bool(chance.getrandbits(1))
        kills += killed(folder, scope, at, after=after)
        check(folder, scope, kept, f"seed {seed}, turn {turn}, step {at}, after {after}")
        shutil.rmtree(folder)
    assert kills > ROUNDS // 3, f"seed {seed}: only {kills} of {ROUNDS} rounds killed anything"


def check(folder: Path, scope: str, kept: dict[str, str], where: str) -> None:
    """After the next start everything that was asked for is complete, once, and the neighbour is untouched."""
    world = opened(folder, later=scope == "retention")
    world.erasures.resume()
    asked(world, scope) if scope != "tenant" else again(world)
    world.erasures.resume()
    for name, owner in (("ann", ANN), ("bob", BOB), ("ours", ANN)):
        with pytest.raises((Gone, NotFound)):
            world.objects.open(TENANT, owner, kept[name])
            pytest.fail(f"{name} opens: {where}")
    assert world.objects.open(OTHER, ANN, kept["neighbour"])[1] == b"neighbour", where
    assert len(list(world.blobs.names())) == 1, where
    found = world.erasures.all(TENANT)
    assert {one.state for one in found} == {ledger.DONE}, where
    assert len(found) == (2 if scope == "people" else 1), where
    gone: set[str] = set()
    for one in found:
        envelope = world.erasures.certificate(TENANT, one.certificate or "")
        held = verify_certificate(envelope, world.keys(), log_keys=[world.log_key()])
        gone |= set(held.objects.identifiers)
    assert gone == {kept["ann"], kept["bob"], kept["ours"]}, where
    world.close()
    world.database.close()


def again(world: VaultWorld) -> None:
    """What a client would do who got no answer: ask, and approve what still waits."""
    erasure = world.erasures.request_tenant(TENANT, actor=OFFICER, request="req_1", immediate=True)
    if erasure.state == ledger.WAITING:
        world.erasures.approve(TENANT, erasure.id, actor=SECOND, whole_tenant=True)
