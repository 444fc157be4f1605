"""Backups and restores under kill -9, full disks, lost places, flipped bits, old manifests, and company."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import s3_server
from backup_world import Someone, World, backup_settings, held, opened, restore, started, world
from troth.backup import locations, places, tails
from troth.backup.locations import Location
from troth.backup.manifest import FOLDER
from troth.backup.restoring import Accepting
from troth.kernel.errors import Conflict, IntegrityError, Invalid, NotFound, Unavailable
from troth.kernel.scope import SYSTEM, within
from troth.settings.load import Settings
from troth.settings.sections import BackupLocation
from troth.storage.blobs import LocalBlobs
from troth.wiring.going_live import go_live
from troth.wiring.restoring import Wish, remaining
from troth.wiring.restoring import restore as restore_from_any

_ROUNDS = int(os.environ.get("TROTH_TEST_CRASH_ROUNDS", "11"))  # `make soak` asks for 500
_WORKER = Path(__file__).parent / "backup_worker.py"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def person(home: World) -> Someone:
    return home.someone(home.tenant("One"), 5)


def _whole(settings: Settings) -> list[list[str]]:
    """Ids of the backups of each place; every manifest that is there holds with all its parts."""
    found: list[list[str]] = []
    with remaining(settings) as left:
        for location in left.places:
            files = places.files(location)
            checked = [left.verifying.verified(places.held(location, file, left.keys)) for file in files]
            found.append([one.backup for one in checked])
            for file in tails.files(location):  # like a manifest, a tail is there whole or not at all
                assert tails.held(location, file, left.keys).whole(left.verifying.chunks)
    return found


def _work(folder: Path, what: str, rounds: int, seed: int) -> list[str]:
    command = [sys.executable, str(_WORKER), str(folder), what, str(rounds), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300 + 30 * rounds, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def _any_part(place: Path, kind: str) -> Path:
    return next(path for path in sorted((place / kind).rglob("*")) if path.is_file())


def _any_chunk(settings: Settings, place: Path) -> Path:
    """One of the backup in the first place: others there may be of the tail, which was shipped beside it."""
    with remaining(settings) as left:
        return place / places.chosen(left.places[0], left.keys, None).manifest.index.pieces[0].name


def test_killed_backups_leave_no_half_manifest_and_the_next_one_is_whole(tmp_path: Path) -> None:
    ends = _work(tmp_path, "backup", _ROUNDS - _ROUNDS // 2, 20261122)
    assert "killed" in ends
    whole = _whole(backup_settings(tmp_path))
    assert whole[0]
    assert _work(tmp_path, "backup", 0, 1) == ["exit 0"]
    after = _whole(backup_settings(tmp_path))
    assert set(whole[0]) < set(after[0])
    assert after[0][0] == after[1][0]


def test_killed_restores_leave_nothing_that_looks_finished(tmp_path: Path) -> None:
    with world(tmp_path) as home:
        person = home.someone(home.tenant("One"), 40)
        home.backups.run()
    ends = _work(tmp_path, "restore", _ROUNDS // 2, 20261122)
    assert "killed" in ends
    target = tmp_path / "restored"
    shutil.rmtree(target, ignore_errors=True)
    restore(backup_settings(tmp_path), target)
    assert not target.with_name("restored.part").exists()
    assert opened(backup_settings(tmp_path), target, person) == person.kept


def test_a_full_disk_refuses_and_leaves_the_old_backups(
    home: World, person: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.backups.run()
    home.keep(person)
    real = LocalBlobs._batch

    def full(store: LocalBlobs, batch: Any, settle: Any) -> int:
        if "places" in str(store._root):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(store, batch, settle)

    with monkeypatch.context() as patched:
        patched.setattr(LocalBlobs, "_batch", full)
        with pytest.raises(Unavailable) as refused:
            home.backups.run()
    assert refused.value.code == "backup-nowhere"
    assert [len(one) for one in _whole(home.settings)] == [1, 1]
    home.backups.run()
    assert [len(one) for one in _whole(home.settings)] == [2, 2]


def test_no_room_for_a_restore_leaves_nothing(
    home: World, person: Someone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.backups.run()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("troth.backup.restoring.shutil.disk_usage", lambda _path: usage._replace(free=10))
    with pytest.raises(Unavailable) as refused:
        restore(home.settings, tmp_path / "restored")
    assert refused.value.code == "restore-room"
    assert not list(tmp_path.glob("restored*"))


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _remove(path: Path) -> None:
    path.unlink()


@dataclass
class Stricken:
    """An installation that is no more, with one backup in two places."""

    settings: Settings
    person: Someone
    folder: Path

    def copy(self, folder: Path) -> Settings:
        """Its keys and places on other folders; the data is lost."""
        for name in ("keys", "places"):
            shutil.copytree(self.folder / name, folder / name)
        return backup_settings(folder)


@pytest.fixture(scope="module")
def stricken(tmp_path_factory: pytest.TempPathFactory) -> Stricken:
    folder = tmp_path_factory.mktemp("stricken")
    with world(folder) as home:
        person = home.someone(home.tenant("One"), 5)
        home.backups.run()
    return Stricken(home.settings, person, folder)


@pytest.mark.parametrize("harm", [_truncate, _flip, _remove])
@pytest.mark.parametrize("kind", ["objects", "chunks", "manifests", "proofs"])
def test_harm_in_a_place_is_noticed(
    stricken: Stricken, tmp_path: Path, kind: str, harm: Callable[[Path], None]
) -> None:
    settings = stricken.copy(tmp_path)
    place = tmp_path / "places" / "a"
    harm(_any_chunk(settings, place) if kind == "chunks" else _any_part(place, kind))
    with remaining(settings) as left:
        one, other = left.places
        assert left.verifying.verify(other).logged
        if (kind, harm) == ("proofs", _remove):
            assert not left.verifying.verify(one).logged
            return
        with pytest.raises((IntegrityError, NotFound)):
            left.verifying.verify(one)


@pytest.mark.parametrize("kind", ["objects", "proofs"])
def test_the_other_place_restores(stricken: Stricken, tmp_path: Path, kind: str) -> None:
    settings = stricken.copy(tmp_path)
    _flip(_any_part(tmp_path / "places" / "a", kind))
    with within(SYSTEM), remaining(settings) as left:
        done = restore_from_any(left, tmp_path / "restored", Wish(accepting=Accepting(lost_log=True)))
    assert done.verified.place == "place-2"
    assert opened(settings, tmp_path / "restored", stricken.person) == stricken.person.kept


def test_two_objects_swapped_are_noticed(home: World, person: Someone, tmp_path: Path) -> None:
    home.backups.run()
    one, other, *_ = [path for path in sorted((tmp_path / "places/a/objects").rglob("*")) if path.is_file()]
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    with pytest.raises(IntegrityError):
        home.backups.verify()


def test_an_older_manifest_under_the_newest_name_is_refused(home: World, person: Someone, tmp_path: Path) -> None:
    home.backups.run()
    home.keep(person)
    home.backups.run()
    newest, oldest = sorted((tmp_path / "places" / "a" / FOLDER).iterdir(), reverse=True)
    newest.write_bytes(oldest.read_bytes())
    with pytest.raises(IntegrityError) as refused:
        held(home.settings)
    assert refused.value.code == "backup-swapped"


def test_a_place_that_was_rolled_back_is_told_by_the_log(home: World, person: Someone, tmp_path: Path) -> None:
    first, second = home.backups.run(), home.backups.run()
    home.base.sequencer.flush()
    home.backups.require_current()
    one, other = (tmp_path / "places" / name for name in "ab")
    (one / first.manifest.file).unlink()
    home.backups.require_current()  # the other place has it
    (other / first.manifest.file).rename(tmp_path / "kept")
    for harm in (lambda: None, (one / second.manifest.file).unlink):
        harm()
        with pytest.raises(IntegrityError) as refused:
            home.backups.require_current()
        assert refused.value.code == "backup-rolled-back"
        if not (other / first.manifest.file).exists():
            (tmp_path / "kept").rename(other / first.manifest.file)


def test_a_manifest_of_somebody_else_is_refused(home: World, tmp_path: Path) -> None:
    home.backups.run()
    with world(tmp_path / "foreign") as other:
        other.backups.run()
    theirs = _any_part(tmp_path / "foreign" / "places" / "a", FOLDER)
    shutil.copy(theirs, tmp_path / "places" / "a" / FOLDER / theirs.name)
    with pytest.raises(IntegrityError):
        held(home.settings)


def test_of_two_backups_at_once_one_is_refused(home: World, person: Someone) -> None:
    ends: list[str] = []
    entered, go_on = threading.Event(), threading.Event()

    def slow(stage: str, _done: int, _total: int) -> None:
        if stage == "objects":
            entered.set()
            go_on.wait(30)

    def first() -> None:
        ends.append(home.backups.run(slow).manifest.id)

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(30)
    with pytest.raises(Conflict) as refused:
        home.backups.run()
    go_on.set()
    thread.join()
    assert refused.value.code == "second-backup"
    assert len(ends) == 1


def test_erasure_and_upload_during_a_backup(home: World, person: Someone, tmp_path: Path) -> None:
    stays = home.someone(person.tenant, 5)
    before = dict(stays.kept)
    acted = threading.Event()

    def meanwhile(stage: str, _done: int, _total: int) -> None:
        if stage == "logs" and not acted.is_set():  # the snapshot is taken, no object is copied yet
            acted.set()
            home.erase(person)
            home.keep(stays)

    made = home.backups.run(meanwhile)
    assert acted.is_set()
    assert made.complete
    home.backups.verify()
    restore(home.settings, tmp_path / "restored")
    assert opened(home.settings, tmp_path / "restored", person, stays) == before


def test_an_object_that_is_lost_without_an_erasure_is_an_alarm(home: World, person: Someone, tmp_path: Path) -> None:
    next(path for path in (tmp_path / "data" / "objects").rglob("obj_*")).unlink()
    with pytest.raises(IntegrityError) as refused:
        home.backups.run()
    assert refused.value.code == "object-missing"


def test_one_place_away_makes_an_incomplete_backup_that_restores(
    home: World, person: Someone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        def get(self, name: str, most: int | None = None) -> bytes:
            raise Unavailable("away", code="store-away")

        names = get

    one, other = home.locations()
    away = Location(other.name, other.jurisdiction, Away())  # type: ignore[arg-type]
    monkeypatch.setattr(home.backups, "_open_places", lambda: [one, away])
    made = home.backups.run()
    assert (made.complete, made.failed) == (False, ("place-2",))
    restore(home.settings, tmp_path / "restored")
    assert opened(home.settings, tmp_path / "restored", person) == person.kept


def test_going_live_needs_a_stopped_server_and_swaps_whole_folders(tmp_path: Path) -> None:
    with world(tmp_path) as home:
        person, erased = home.someone(home.tenant("One"), 5), home.someone(home.tenant("Other"))
        home.backups.run()
        home.erase(erased)
        with pytest.raises(Conflict) as refused:
            go_live(home.settings, Wish())
    assert refused.value.code == "still-running"
    done = go_live(home.settings, Wish())
    assert done.aside is not None
    assert (done.aside / "troth.db").exists()
    assert opened(home.settings, home.settings.data.folder, person, erased) == person.kept
    with started(home.settings, home.settings.data.folder) as troth:
        assert troth.system.base.tree.verify() > 0


def test_buckets_with_object_lock_and_a_server_that_goes_away(tmp_path: Path) -> None:
    with s3_server.running() as server:
        wish = BackupLocation(
            jurisdiction="eu",
            prefix="backups",
            endpoint=server.endpoint,
            region=s3_server.REGION,
            credentials=server.credentials(tmp_path),
        )
        buckets = [server.bucket(versioned=True, lock_days=days) for days in (None, 3, 30)]
        plain, locked, too_long = (wish.model_copy(update={"bucket": bucket}) for bucket in buckets)
        with pytest.raises(Invalid) as refused:
            locations.opened([plain, too_long], keep_days=7)
        assert refused.value.code == "lock-too-long"
        with world(tmp_path, (plain, locked)) as home:
            person = home.someone(home.tenant("One"), 10)
            first = home.backups.run()
            assert first.complete
            home.backups.verify()

            def cut(stage: str, _done: int, _total: int) -> None:
                if stage == "logs":
                    server.stop()

            home.keep(person)
            with pytest.raises(Unavailable):
                home.backups.run(cut)
        folder = BackupLocation(jurisdiction="eu", folder=tmp_path / "places" / "a")
        with world(tmp_path, (folder, plain)) as home:  # the bucket stays away, the folder does not
            made = home.backups.run()
            assert (made.places, made.failed) == (("place-1",), ("place-2",))
