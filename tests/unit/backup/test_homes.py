"""Places say where they lie: claimed when empty, refused when they say something else or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_world import World, backup_settings, world
from troth.backup import homes
from troth.backup.locations import Location
from troth.kernel.errors import Unavailable
from troth.kernel.scope import SYSTEM, within
from troth.settings.sections import BackupLocation
from troth.storage.blobs import LocalBlobs
from troth.storage.placement import MARKER, placed_store


def _place(folder: Path) -> Location:
    return Location("place-1", "eu", LocalBlobs(folder))


def _elsewhere(folder: Path) -> None:
    marker = folder / MARKER
    marker.write_bytes(marker.read_bytes().replace(b'"eu"', b'"us"'))


def test_an_empty_place_is_marked_and_one_with_strange_things_is_refused(tmp_path: Path) -> None:
    place = _place(tmp_path / "a")
    assert homes.stated(place) == "eu"
    homes.claim(place, {})
    assert placed_store(place.store) == homes.stated(place) == "eu"
    other = _place(tmp_path / "b")
    other.store.create("holiday", b"a picture")
    assert homes.stated(other) == homes.UNKNOWN
    with pytest.raises(Unavailable) as refused:
        homes.claim(other, {})
    assert refused.value.code == "no-placement"
    assert list(other.store.names()) == ["holiday"]


def test_a_place_marked_elsewhere_is_refused_at_the_start_and_left_out_of_a_run(tmp_path: Path) -> None:
    with world(tmp_path) as home:
        first = home.backups.run()
        _elsewhere(tmp_path / "places" / "b")
        made = home.backups.run()
        assert (made.places, made.failed) == (("place-1",), ("place-2",))
        assert home.backups.covered(made.manifest.made_at + 1) == [first.manifest.id, made.manifest.id]
        assert not list((tmp_path / "places" / "b").rglob(f"*{made.manifest.id}"))
        home.erase(home.someone(home.tenant("One")))
        with pytest.raises(Unavailable):
            home.backups.ship()
    with within(SYSTEM), pytest.raises(Unavailable) as refused:
        World(backup_settings(tmp_path))
    assert refused.value.code == "wrong-placement"


def test_a_place_of_ours_from_before_markers_gets_one(tmp_path: Path) -> None:
    with world(tmp_path) as home:
        home.backups.run()
        for name in "ab":
            (tmp_path / "places" / name / MARKER).unlink()
        assert home.backups.run().complete
    with world(tmp_path / "other") as stranger:  # signed by nobody whom it knows
        place = _place(tmp_path / "places" / "a")
        (tmp_path / "places" / "a" / MARKER).unlink()
        with pytest.raises(Unavailable):
            homes.claim(place, {stranger.base.signer.name: stranger.base.signer.public_key})


def test_what_is_away_does_not_stop_the_start(tmp_path: Path) -> None:
    secret = tmp_path / "credentials.toml"
    secret.write_text('access_key_id = "a"\nsecret_access_key = "b"\n')
    secret.chmod(0o600)
    away = BackupLocation(
        jurisdiction="eu", bucket="none", endpoint="http://127.0.0.1:9", region="eu-1", credentials=secret
    )
    homes.require_stated((away, BackupLocation(jurisdiction="eu", folder=tmp_path / "not-made")), 30)
    assert not (tmp_path / "not-made").exists()
