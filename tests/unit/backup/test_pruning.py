"""Old backups go, with what only they needed; what the others need stays, and so does the newest key tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backup_world import World, world
from troth.backup import places
from troth.backup.pruning import DAY_MS, prune
from troth.kernel.errors import Conflict, IntegrityError
from troth.keys import recovery


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def _pruned(home: World, days: int) -> Any:
    location, keys = home.locations()[0], {home.base.signer.name: home.base.signer.public_key}
    later = max(places.held(location, file, keys).manifest.made_at for file in places.files(location)) + days * DAY_MS
    return prune(location, home.backups.chunks, keys, later, 7)


def test_old_backups_go_and_the_newest_two_stay(home: World) -> None:
    person = home.someone(home.tenant("One"))
    made = [home.backups.run().manifest for _ in range(2)]
    home.erase(person)
    made += [home.backups.run().manifest for _ in range(2)]
    location = home.locations()[0]
    objects = set(location.store.names("objects/"))
    assert len(objects) == 3
    assert _pruned(home, 6).backups == 0
    done = _pruned(home, 8)
    assert done.backups == 2
    assert done.files > 0
    assert places.files(location) == sorted((one.file for one in made[2:]), reverse=True)
    assert set(location.store.names("objects/")) == set()  # the erased person's ciphertext went with its last backup
    home.backups.verifying.verify(location)
    kept = recovery.Kept()
    for name in location.store.names("tree/"):
        kept.add(location.store.get(name))
    found = recovery.find([kept], [one.root for one in home.base.domains], "eu")
    assert found.manifest.epoch == made[-1].epoch


def test_nothing_is_deleted_while_a_manifest_cannot_be_read(home: World, tmp_path: Path) -> None:
    for _ in range(4):
        home.backups.run()
    location = home.locations()[0]
    before = set(location.store.names())
    path = tmp_path / "places" / "a" / places.files(location)[0]
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(IntegrityError):
        _pruned_blindly(home)
    assert set(location.store.names()) == before


def _pruned_blindly(home: World) -> None:
    keys = {home.base.signer.name: home.base.signer.public_key}
    prune(home.locations()[0], home.backups.chunks, keys, home.base.clock.now().timestamp() * 1000 + 99 * DAY_MS, 7)


def test_what_is_locked_waits(home: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        home.backups.run()

    def locked(_name: str) -> bool:
        raise Conflict("locked", code="locked")

    store: Any = home.locations()[0].store
    monkeypatch.setattr(store, "delete", locked)
    done = _pruned(home, 8)
    assert (done.files, done.backups) == (0, 1)
    assert done.locked > 0


def test_what_is_not_ours_stays(home: World, tmp_path: Path) -> None:
    home.backups.run()  # a place that holds strange things before it is ours is refused
    place = tmp_path / "places" / "a"
    foreign = [place / name for name in ("family/photo.jpg", "thesis.doc", "objects/notes.txt", "manifests-old")]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    person = home.someone(home.tenant("One"))
    home.backups.run()
    home.erase(person)
    for _ in range(2):
        home.backups.run()
    assert _pruned(home, 8).files > 0
    assert [path.read_bytes() for path in foreign] == [b"mine"] * 4
    assert list(home.locations()[0].store.names("objects/objects/")) == []
