"""The all-history adversary: every file the vault ever wrote, plus today's keys, opens nothing that was erased."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from troth.kernel.errors import Gone, TrothError
from troth.storage.database import Database
from troth.vault import store
from vault_world import ANN, BOB, TENANT, VaultWorld
from worlds import sqlite


def snapshot(world: VaultWorld, name: str) -> Path:
    """A copy of every file, taken as a backup would."""
    world.database.checkpoint()
    target = world.folder.parent / name
    shutil.copytree(world.folder, target)
    return target


@pytest.fixture
def world(tmp_path: Path) -> VaultWorld:
    folder = tmp_path / "live"
    folder.mkdir(mode=0o700)
    return VaultWorld(sqlite(folder), folder)


@pytest.mark.parametrize("scope", ["subject", "object"])
def test_old_database_and_blobs_with_todays_roots_open_nothing_erased(world: VaultWorld, scope: str) -> None:
    erased, live = world.keep(b"to be forgotten"), world.keep(b"to stay", subject=BOB)
    before = snapshot(world, "before")
    world.erase(object_id=erased.id if scope == "object" else None)
    shutil.rmtree(before / "roots")
    shutil.copytree(world.folder / "roots", before / "roots")  # what the thief has: old data, today's keys
    world.close()
    thief = VaultWorld(Database(f"sqlite:///{before / 'test.db'}"), before, resume=False)
    with pytest.raises(TrothError):
        thief.tree.resume()
    with pytest.raises(TrothError):
        thief.objects.open(TENANT, ANN, erased.id)
    thief.close()
    thief.database.close()
    again = VaultWorld(Database(f"sqlite:///{world.folder / 'test.db'}"), world.folder)
    assert again.objects.open(TENANT, BOB, live.id)[1] == b"to stay"
    again.close()


def test_restored_rows_and_blobs_in_the_live_database_stay_closed(world: VaultWorld) -> None:
    """Someone puts the old rows and the ciphertext back; the keys are what is missing."""
    kept = world.keep(b"to be forgotten")
    with world.database.read() as connection:
        row = dict(connection.execute(store.objects.select()).mappings().one())
        marks = [dict(mark) for mark in connection.execute(store.subjects.select()).mappings()]
    sealed = world.blobs.get(row["blob"])
    world.erase()
    world.blobs.create(row["blob"], sealed)
    with world.database.write() as connection:
        connection.execute(store.objects.update().values(**row))
        for mark in marks:  # of the person and of the tenant
            connection.execute(store.subjects.update().where(store.subjects.c.digest == mark["digest"]).values(**mark))
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    world.close()


def test_no_byte_of_the_content_is_ever_on_disk(world: VaultWorld) -> None:
    world.keep(b"needle-before" * 100, name="needle-name")
    folders = [world.folder, snapshot(world, "one")]
    world.erase()
    folders.append(snapshot(world, "two"))
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if b"needle" in path.read_bytes()] == []
    assert len(files) > 20
    world.close()
