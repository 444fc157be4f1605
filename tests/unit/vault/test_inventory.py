"""Where everything is, counted: rows, headers, copies, roots, and strangers among them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import troth.wiring
from troth.keys.domains import Domain
from troth.keys.roots.local import LocalRoot
from troth.storage.blobs import LocalBlobs
from troth.storage.placement import claim_database, mark
from troth.vault.inventory import Copies, Inventory, Places, Stocktaking
from troth.vault.keeping import BLOBS
from troth.vault.store import objects
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld

assert troth.wiring  # every table is declared


@pytest.fixture
def places(world: VaultWorld, tmp_path: Path) -> Places:
    domain = Domain(LocalRoot(tmp_path / "roots", "local"), LocalBlobs(tmp_path / "pages"))
    mirror, backup = LocalBlobs(tmp_path / "log"), LocalBlobs(tmp_path / "backup")
    claim_database(world.database, "eu", 1)
    for store in (world.blobs, domain.blobs, mirror):
        mark(store, "eu")
    backup.create("parts/one", b"x")
    copies = Copies("backup:a", "eu", backup)
    return Places("eu", world.database, world.blobs, (domain,), mirror, lambda: [copies])


def _count(inventory: Inventory, place: str, jurisdiction: str = "eu") -> int:
    return sum(one.count for one in inventory.lines if (one.place, one.jurisdiction) == (place, jurisdiction))


def test_everything_is_counted_once(world: VaultWorld, places: Places) -> None:
    for tenant, person in ((TENANT, ANN), (TENANT, BOB), (OTHER, ANN)):
        world.keep(tenant=tenant, subject=person)
    counted = Stocktaking(places).whole()
    assert (counted.strangers, counted.named) == (0, ())
    for place, count in {
        "objects": 3,
        "table:vault_object": 3,
        "database": 1,
        "key-roots:local": 1,
        "backup:a": 1,
    }.items():
        assert _count(counted, place) == count, place
    assert _count(counted, "key-copies:local") > 0
    assert _count(counted, "marker:objects") == _count(counted, "marker:log") == 1
    mine = Stocktaking(places).of_tenant(TENANT)
    assert (_count(mine, "objects"), _count(mine, "table:vault_object"), mine.strangers) == (2, 2, 0)


def test_strangers_are_counted_and_named(world: VaultWorld, places: Places, tmp_path: Path) -> None:
    kept = world.keep()
    world.blobs.create("objects/zz/obj_zz", b"not sealed by anybody, and long enough to be read" * 9)
    world.blobs.create("left/behind", b"x")
    places.domains[0].blobs.create("kt/us/00000001/page", b"x")
    places.domains[0].root.create("au-00000009-0123456789abcdef")
    with world.database.write() as connection:
        connection.execute(update(objects).where(objects.c.id == kept.id).values(jurisdiction="us"))
    foreign = Places("eu", world.database, world.blobs, places.domains, LocalBlobs(tmp_path / "bare"))
    counted = Stocktaking(foreign).whole()
    assert counted.strangers == 6
    assert _count(counted, "objects", "unknown") == 2
    assert _count(counted, "table:vault_object", "us") == _count(counted, "key-copies:local", "us") == 1
    assert _count(counted, "key-roots:local", "au") == _count(counted, "marker:log", "unknown") == 1
    assert "objects left/behind" in counted.named


class Sparing:
    """An object store from which no whole object is read."""

    def __init__(self, inner: LocalBlobs) -> None:
        self._inner = inner

    def get(self, name: str, most: int | None = None) -> bytes:
        assert not name.startswith(BLOBS), "an inventory needs headers only"
        return self._inner.get(name, most)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_headers_are_read_and_nothing_else(world: VaultWorld, places: Places) -> None:
    world.keep()
    sparing = replace(places, objects=Sparing(world.blobs))  # type: ignore[arg-type]
    assert _count(Stocktaking(sparing).whole(), "objects") == 1
