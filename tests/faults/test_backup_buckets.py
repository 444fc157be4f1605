"""Backups and page copies in buckets of a real S3 server: all that is local is lost, and nobody erased comes back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import s3_server
from backup_world import World, opened, restore, started, world
from s3_server import S3Server
from troth.kernel.errors import Invalid, Unavailable
from troth.kernel.scope import SYSTEM, within
from troth.settings.key_domains import CopiesBucket, Keys, LocalDomain, require_apart
from troth.settings.sections import BackupLocation, Data
from troth.storage.placement import MARKER


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server.running() as running:
        yield running


@pytest.fixture
def buckets(server: S3Server, tmp_path: Path) -> tuple[tuple[BackupLocation, ...], Keys]:
    """Two places for backups, the second under object lock, and a bucket for the copies of the key pages."""
    members = {
        "endpoint": server.endpoint,
        "region": s3_server.REGION,
        "credentials": server.credentials(tmp_path),
    }
    names = server.bucket(), server.bucket(versioned=True, lock_days=1)
    places = tuple(BackupLocation(jurisdiction="eu", bucket=name, **members) for name in names)
    copies = CopiesBucket(bucket=names[0], prefix="key-pages", **members)
    places = (places[0].model_copy(update={"prefix": "backups"}), places[1])
    return places, Keys(domains=(LocalDomain(copies_bucket=copies),))


def test_the_oldest_backup_from_buckets_onto_a_clean_disk(
    buckets: tuple[tuple[BackupLocation, ...], Keys], server: S3Server, tmp_path: Path
) -> None:
    """Erased are a person, an object alone and an object of a shared key; some after the newest backup."""
    places, keys = buckets
    with world(tmp_path, places, keys) as home:
        tenant = home.tenant("One")
        erased, later, stays = home.someone(tenant), home.someone(tenant), home.someone(tenant, own=True)
        shared, alone = home.someone(home.tenant("Other")), min(stays.kept)
        oldest = home.backups.run().manifest.id
        home.erase(erased)
        home.erase(stays, object_id=alone)
        assert home.backups.run().complete
        home.erase(later)
        gone = min(shared.kept)
        home.erase(shared, object_id=gone)
        home.backups.ship()
        names = list(home.base.domains[0].blobs.names())
        assert MARKER in names
        assert any(name.startswith("kt/eu/") for name in names)
        for location in home.locations():
            for name in location.store.names("tree/"):  # so that the tree can only come from the bucket of the copies
                if location.name == "place-1":
                    location.store.delete(name)
        settings = home.settings
    assert not (tmp_path / "data" / "key-pages").exists()
    shutil.rmtree(settings.data.folder)
    done = restore(settings, tmp_path / "restored", oldest)
    assert (done.behind, done.probed.live) == (0, done.probed.of_live)
    assert done.probed.erased >= 5
    expected = {one: content for one, content in (stays.kept | shared.kept).items() if one not in (alone, gone)}
    assert opened(settings, tmp_path / "restored", erased, later, stays, shared) == expected
    with started(settings, tmp_path / "restored") as troth:
        assert troth.system.base.tree.verify() > 0
        assert {one.state for one in troth.system.vault.erasures.all(tenant)} == {"done"}


def test_a_bucket_of_copies_that_hangs_holds_back_the_certificate(
    buckets: tuple[tuple[BackupLocation, ...], Keys], server: S3Server, tmp_path: Path
) -> None:
    places, keys = buckets
    folders = tuple(BackupLocation(jurisdiction="eu", folder=tmp_path / "places" / name) for name in "ab")
    with world(tmp_path, folders, keys) as home:
        person = home.someone(home.tenant("One"))
        bucket = home.base.domains[0].blobs
        real = bucket.create

        def away(_name: str, _content: bytes) -> None:
            raise Unavailable("The bucket does not answer as it should.", code="store-away")

        bucket.create = away
        erasure = home.erase(person)
        assert (erasure.state, erasure.certificate) == ("running", None)
        bucket.create = real
        (finished,) = home.troth.system.vault.erasures.resume()
        assert (finished.state, bool(finished.certificate)) == ("done", True)
    with within(SYSTEM):
        first = World(home.settings)
        first.close()
    assert places


def test_buckets_of_two_domains_must_lie_apart(tmp_path: Path) -> None:
    members = {"endpoint": "https://s3.example", "region": "eu-1", "credentials": tmp_path / "c"}
    data = Data(folder=tmp_path / "data", keys=tmp_path / "keys")

    def keys(*prefixes: str, **more: Path) -> Keys:
        return Keys(
            domains=tuple(
                LocalDomain(name=f"d{at}", copies_bucket=CopiesBucket(bucket="pages", prefix=prefix, **members), **more)
                for at, prefix in enumerate(prefixes)
            )
        )

    require_apart(keys("a", "b"), data)
    for wrong in (keys("a", "a/"), keys("a", "a/b"), keys("", "b"), keys("a", copies=tmp_path / "copies")):
        with pytest.raises(Invalid):
            require_apart(wrong, data)
