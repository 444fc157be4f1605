"""The tail of the logs and of the ledger: sent soon, at once after an erasure, believed only when it holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backup_world import World, opened, restore, started, world
from troth.backup import tails
from troth.backup.tailing import Tailing
from troth.kernel.errors import TrothError, Unavailable
from troth.storage.blobs import LocalBlobs


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        yield made


def _files(home: World, place: int = 0) -> list[str]:
    return tails.files(home.locations()[place])


def _lost(home: World) -> None:
    home.close()
    shutil.rmtree(home.settings.data.folder)


def test_an_erasure_of_a_shared_key_since_the_backup_is_played_from_the_tail(home: World, tmp_path: Path) -> None:
    """The whole data folder is lost; only the shipped ledger says which object of a day's key was erased."""
    person, other = home.someone(home.tenant("One")), home.someone(home.tenant("Other"))
    home.backups.run()
    gone = min(person.kept)
    assert home.erase(person, object_id=gone).state == "done"
    home.erase(other)
    home.backups.ship()
    (Path(home.settings.backup.locations[0].folder or "") / _files(home)[0]).write_bytes(b"no tail")  # the other's is
    _lost(home)
    done = restore(home.settings, tmp_path / "restored")
    assert (done.behind, done.replayed.amends.again) == (0, ())
    assert (other.tenant, other.subject) in done.replayed.people
    stays = {one: content for one, content in person.kept.items() if one != gone}
    assert opened(home.settings, tmp_path / "restored", person, other) == stays
    assert done.verified.place == "place-1"
    with started(home.settings, tmp_path / "restored") as troth:
        (erasure,) = troth.system.vault.erasures.all(person.tenant)
        assert (erasure.state, erasure.object, bool(erasure.certificate)) == ("done", gone, True)


def test_it_is_due_after_a_certificate_or_after_its_time(home: World) -> None:
    clock = [0.0]
    tailing = Tailing(home.backups._source, 60.0, lambda: clock[0])
    home.backups.run()
    person = home.someone(home.tenant("One"))
    assert tailing.due()
    assert tailing.ship(home.locations()) == 2
    assert not tailing.due()
    home.keep(person)
    home.tenant("Another")
    home.base.sequencer.flush()
    assert not tailing.due()
    clock[0] = 61.0
    tailing.ship(home.locations())
    home.erase(person)
    assert tailing.due()  # at once
    assert len(_files(home)) == 1  # each replaces the one before


def test_before_the_first_backup_there_is_none_and_a_backup_brings_one(home: World) -> None:
    assert home.backups.ship(last=True) == 2  # the tree, nothing else
    assert _files(home) == []
    home.backups.run()
    assert len(_files(home)) == len(_files(home, 1)) == 1


def test_a_place_that_is_away_gets_it_later(home: World, monkeypatch: pytest.MonkeyPatch) -> None:
    home.backups.run()
    home.erase(home.someone(home.tenant("One")))
    other = home.locations()[1]
    before = _files(home, 1)
    real = LocalBlobs.create_all

    def away(store: LocalBlobs, items: list[tuple[str, bytes]]) -> int:
        if store is other.store:
            raise Unavailable("away", code="store-away")
        return real(store, items)

    with monkeypatch.context() as patched:
        patched.setattr(LocalBlobs, "create_all", away)
        with pytest.raises(Unavailable):
            home.backups.ship(last=True)
        assert (_files(home) != before, _files(home, 1) == before) == (True, True)
    home.backups.ship(last=True)
    assert _files(home) == _files(home, 1)


@pytest.mark.parametrize("harm", ["signature", "piece", "older name", "foreign"])
def test_a_tail_that_does_not_hold_is_not_believed(home: World, tmp_path: Path, harm: str) -> None:
    home.backups.run()
    person = home.someone(home.tenant("One"))
    home.backups.ship(last=True)
    home.erase(person, object_id=min(person.kept))
    place = Path(home.settings.backup.locations[0].folder or "")
    old = (place / _files(home)[0]).read_bytes()
    home.backups.ship(last=True)
    shutil.rmtree(home.settings.backup.locations[1].folder or "")
    file = place / _files(home)[0]
    held = tails.held(home.locations()[0], _files(home)[0], home.backups._source.keys())
    if harm == "signature":
        file.write_bytes(file.read_bytes().replace(b'"sig"', b'"gis"'))
    elif harm == "older name":
        file.write_bytes(old)
    elif harm == "foreign":
        with world(tmp_path / "other") as other:
            other.backups.run()
            theirs = Path(other.settings.backup.locations[0].folder or "") / _files(other)[0]
            shutil.copy(theirs, file)
    else:
        changed = place / held.tail.logs
        changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    _lost(home)
    with pytest.raises(TrothError) as refused:
        restore(home.settings, tmp_path / "restored")
    assert refused.value.code == "log-behind"


def test_a_drill_says_how_old_the_log_would_be(home: World) -> None:
    home.someone(home.tenant("One"))
    home.backups.run()
    done = home.backups.drill()
    assert 0 <= done.log_rpo_ms <= done.rpo_ms
    home.base.sequencer.flush()
    assert home.backups.history("backup.drilled")[0].facts["counts"]["log_rpo_ms"] == done.log_rpo_ms


def test_what_a_tail_needs_is_not_pruned(home: World, tmp_path: Path) -> None:
    person = home.someone(home.tenant("One"))
    home.backups.run()
    home.erase(person, object_id=min(person.kept))
    home.backups.ship()
    location, keys = home.locations()[0], home.backups._source.keys()
    home.backups._prune(home.locations())
    held = tails.newest(location, keys)
    assert held is not None
    for name in held.parts:
        held.piece(name, home.backups.chunks)
