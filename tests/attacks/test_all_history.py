"""The all-history adversary against a whole installation.

They have every version of every key page, manifest and object that was ever written, a copy of the database with its
write-ahead log after every act, every backup (opened with today's secrets), and today's keys folder. They go around
Troth: no fence, no row state and no start-up check is asked, only mathematics. Nothing that a certificate says is gone
by key may open; what lives must; and what a certificate says went by its bytes alone does open, as it says. The
control adds the roots that were destroyed, and then everything opens: the search itself works.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from backup_world import Someone, World
from key_world import History
from troth.backup import knowledge, places
from troth.kernel.errors import TrothError
from troth.kernel.scope import SYSTEM, within
from troth.keys.roots.local import LocalRoot
from troth.keys.roots.port import Root
from troth.keys.units import address, derive
from troth.settings.load import load
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata
from troth.vault import framing
from troth.vault.certificate import Certificate, verify_certificate

MAGIC = b"TOB1"


@dataclass
class Adversary:
    """All that was ever written, and what opens of it."""

    scratch: Path
    written: dict[tuple[Path, str], set[bytes]] = field(default_factory=dict)  # by store and name
    history: History = field(default_factory=History)
    units: set[tuple[str, str, str, str, str, int]] = field(default_factory=set)
    stolen: int = 0

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing vanishes any more from any store of this process: a bucket with versions, a tape."""

        def noted(store: LocalBlobs, name: str, content: bytes) -> None:
            self.written.setdefault((store._root, name), set()).add(content)

        create, swap, create_all = LocalBlobs.create, LocalBlobs.swap, LocalBlobs.create_all

        def creates(store: LocalBlobs, name: str, content: bytes) -> None:
            noted(store, name, content)
            create(store, name, content)

        def swaps(store: LocalBlobs, name: str, content: bytes, expected: str | None) -> None:
            noted(store, name, content)
            swap(store, name, content, expected)

        def creates_all(store: LocalBlobs, items: Iterable[tuple[str, bytes]]) -> int:
            kept = list(items)
            for name, content in kept:
                noted(store, name, content)
            return create_all(store, kept)

        for name, act in (("create", creates), ("swap", swaps), ("create_all", creates_all)):
            monkeypatch.setattr(LocalBlobs, name, act)

    def steal(self, database: Path) -> None:
        """The database file and its write-ahead log, as they are now."""
        copy = self.scratch / f"stolen-{self.stolen}"
        copy.mkdir()
        self.stolen += 1
        for suffix in ("", "-wal"):
            if (source := Path(f"{database}{suffix}")).exists():
                shutil.copy(source, copy / f"db{suffix}")
        self.read(copy / "db")

    def read(self, database: Path) -> None:
        """Key pages, manifests and units in one database file."""
        with closing(sqlite3.connect(database)) as stolen:
            for page, content in stolen.execute("SELECT page, content FROM key_page"):
                self.history.pages.setdefault(page, set()).add(bytes(content))
            self.history.manifests |= {bytes(body) for (body,) in stolen.execute("SELECT body FROM key_manifest")}
            columns = "id, tenant, subject, data_class, period, generation"
            self.units |= set(stolen.execute(f"SELECT {columns} FROM unit"))

    def unpack(self, world: World) -> int:
        """Every backup in every place, with the secrets of today; how many."""
        count = 0
        for location in world.locations():
            for held in places.readable(location, {world.base.signer.name: world.base.signer.public_key}):
                target = self.scratch / f"{location.name}-{held.manifest.id}.db"
                database = Database(f"sqlite:///{target}")
                metadata.create_all(database.engine)
                parts = places.parts_of(held, world.backups.chunks)
                knowledge.load_rows(database, held, world.backups.chunks, parts)
                database.close()
                self.read(target)
                count += 1
        return count

    def in_clear(self, needles: set[bytes]) -> list[bytes]:
        """Those that stand as they are, or in hex, in anything that was written or in a database file."""
        files = [path.read_bytes() for path in self.scratch.rglob("*") if path.is_file()]
        everything = [*files, *(content for contents in self.written.values() for content in contents)]
        return [one for one in needles for there in everything if one in there or one.hex().encode() in there]

    def opened(self, roots: Iterable[Root]) -> set[bytes]:
        """The plaintexts of all objects that open with these roots and anything that was ever written."""
        for (store, name), contents in self.written.items():
            if store.name.startswith("key-pages"):
                for content in contents:
                    self.history.add_blobs({name: content})
        secrets = self.history.secrets(roots)
        bindings: dict[bytes, list[tuple[str, str, str, str]]] = {}
        for unit, *owner, _generation in self.units:
            bindings.setdefault(bytes.fromhex(unit), []).append(tuple(owner))  # type: ignore[arg-type]
        sealed = {content for contents in self.written.values() for content in contents if content[:4] == MAGIC}
        return {plain for one in sealed for plain in self._plain(one, bindings, secrets)}

    def _plain(
        self,
        sealed: bytes,
        bindings: dict[bytes, list[tuple[str, str, str, str]]],
        secrets: dict[bytes, set[bytes]],
    ) -> Iterator[bytes]:
        header = framing.read_header(sealed)
        for owner in bindings.get(header.unit, []):
            for secret in secrets.get(address(owner[0], owner[1], header.unit), ()):
                try:
                    yield framing.open(sealed, header.facts, derive(secret, header.unit, header.generation, owner))
                except TrothError:
                    continue


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    domains = [{"kind": "local", "name": "keys"}, {"kind": "local", "name": "other", "folder": tmp_path / "other"}]
    settings = load(
        data={"folder": tmp_path / "data", "keys": tmp_path / "keys"},
        keys={"domains": domains},
        server={"name": "troth.test"},
        backup={"locations": [{"jurisdiction": "eu", "folder": tmp_path / "places" / one} for one in "ab"]},
    )
    with within(SYSTEM):
        made = World(settings)
        yield made
        made.close()


def hoarding(monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, LocalRoot]:
    """A thief beside the keys, who copies every root as it is made: the control."""
    hoards: dict[str, LocalRoot] = {}
    create = LocalRoot.create

    def creates(root: LocalRoot, name: str) -> None:
        create(root, name)
        place = folder / root.domain
        hoards.setdefault(root.domain, LocalRoot(place, root.domain))
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy(root._folder / f"{name}.root", place / f"{name}.root")

    monkeypatch.setattr(LocalRoot, "create", creates)
    return hoards


def certified(world: World, done: Any) -> Certificate:
    signer = world.base.signer
    envelope = world.troth.system.vault.erasures.certificate(done.tenant, done.certificate or "")
    return verify_certificate(envelope, {signer.name: signer.public_key})


def test_nothing_erased_opens_with_all_that_was_ever_written(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adversary = Adversary(tmp_path / "adversary")
    adversary.scratch.mkdir()
    adversary.watch(monkeypatch)
    hoards = hoarding(monkeypatch, tmp_path / "hoard")
    vault, database = world.troth.system.vault, tmp_path / "data" / "troth.db"
    world.base.tree.rotate()  # what was made before the thief came is of no use to anybody: the page key is fresh
    tenant = world.tenant("one")
    ann, bob, cid = (world.someone(tenant, 2, own=own) for own in (True, True, False))
    gone, by_bytes = set[bytes](), set[bytes]()

    def steal() -> None:
        adversary.steal(database)

    def erase(person: Someone, only: str | None = None) -> Certificate:
        steal()
        done = world.erase(person, object_id=only)
        steal()
        certificate = certified(world, done)
        for listed, taken in ((certificate.by_key, gone), (certificate.by_deletion, by_bytes)):
            assert listed is not None
            taken.update(person.kept[one] for one in listed.identifiers)
        return certificate

    steal()
    world.backups.run()
    erase(ann)
    fresh = world.keep(bob, own=True)
    world.backups.run()
    erase(bob, next(iter(bob.kept)))
    world.base.tree.rotate()
    assert erase(cid, next(iter(cid.kept))).keys is None  # its key serves another object of that day
    world.base.tree.replace_compromised_roots("lost-token")
    dee = world.someone(tenant, 3, own=False)
    world.backups.run()
    before = erase(dee)
    assert before.keys is not None
    world.backups.run()
    steal()

    live = {content for person in (bob, cid) for content in person.kept.values()} - gone - by_bytes
    assert (len(gone), len(by_bytes), len(live)) == (2 + 1 + 3, 1, 3)
    assert bob.kept[fresh] in live
    assert adversary.unpack(world) == 8
    found = adversary.opened([one.root for one in world.base.domains])
    assert found & gone == set()
    assert found == live | by_bytes
    assert adversary.opened(hoards.values()) == live | by_bytes | gone
    secrets = {one for some in adversary.history.secrets(hoards.values()).values() for one in some}
    assert len(secrets) > 6
    assert adversary.in_clear(secrets) == []
    for person in (bob, cid):
        for one, content in person.kept.items():
            if content in live:
                assert vault.objects.open(tenant, person.subject, one)[1] == content
