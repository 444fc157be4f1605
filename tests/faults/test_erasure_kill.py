"""kill -9 at every durable step of an erasure: it is completed at the next start, once, with one certificate."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from killing import PROCESSES, Killer
from troth.kernel.errors import Gone
from troth.storage.database import Database
from troth.vault import ledger, store
from troth.vault.certificate import verify_certificate
from vault_world import ANN, BOB, TENANT, VaultWorld
from worlds import sqlite


def victim(folder: Path, at: int, after: bool, scope: str) -> None:
    """The process that is killed: starts to erase Ann."""
    world = VaultWorld(Database(f"sqlite:///{folder / 'test.db'}"), folder)
    (first,) = (one for one in world.objects.list(TENANT, ANN) if one.kind == "upload")
    killer = Killer(at, after=after)
    with world.database.write() as connection:
        killer.around(type(connection), "commit")
    killer.around(world.blobs, "delete_all")
    killer.around(world.tree, "revoke_all", "seal", "destroy_units")
    world.erase(object_id=first.id if scope == "object" else None)
    os._exit(0)


def killed(folder: Path, at: int, after: bool, scope: str) -> bool:
    process = PROCESSES.Process(target=victim, args=(folder, at, after, scope))
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def prepared(folder: Path) -> tuple[str, str]:
    world = VaultWorld(sqlite(folder), folder)
    source = world.keep(b"mine")
    world.keep(b"copy", kind="thumbnail", derived_from=(source.id,))
    his = world.keep(b"his", subject=BOB)
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    world.close()
    world.database.close()
    return source.id, his.id


# A kill after one commit leaves nearly what a kill before the next leaves; fewer are enough there.
@pytest.mark.parametrize(("after", "stride"), [(False, 3), (True, 8)])
@pytest.mark.parametrize("scope", ["subject", "object"])
def test_every_kill_is_survived(tmp_path: Path, scope: str, after: bool, stride: int) -> None:
    kills = 0
    (tmp_path / "start").mkdir(mode=0o700)
    mine, his = prepared(tmp_path / "start")
    for at in range(1, 100, stride):
        folder = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "start", folder)
        if not killed(folder, at, after, scope):
            break
        kills += 1
        check_resumed(folder, mine, his, scope)
    assert kills >= 15 // stride


def check_resumed(folder: Path, mine: str, his: str, scope: str) -> None:
    world = VaultWorld(Database(f"sqlite:///{folder / 'test.db'}"), folder)
    resumed = world.erasures.resume()
    found = world.erasures.all(TENANT)
    assert len(found) <= 1
    assert [one for one in resumed if one.state != ledger.DONE] == []
    if found:
        with pytest.raises(Gone):
            world.objects.open(TENANT, ANN, mine)
    done = world.erase(object_id=mine if scope == "object" else None)
    envelope = world.erasures.certificate(TENANT, done.certificate or "")
    certificate = verify_certificate(envelope, world.keys(), log_keys=[world.log_key()])
    assert (certificate.objects.count, certificate.verification.objects_tried) == (2, 2)
    assert certificate.keys is not None
    assert certificate.keys.units == 2
    assert world.objects.open(TENANT, BOB, his)[1] == b"his"
    assert len(list(world.blobs.names())) == 1
    with world.database.read() as connection:
        states = {row.state for row in store.by_ids(connection, [mine])}
    assert states == {store.ERASED}
    world.close()
    world.database.close()
