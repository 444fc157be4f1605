"""Checks of the backup promises: they see a healthy installation, and each of its faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import s3_server
from backup_world import World, world
from promise_world import named, shown
from troth.promises.check import Result, judge
from troth.promises.checks.backups import CHECKS, _current
from troth.settings.sections import BackupLocation


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("home")) as made:
        made.someone(made.tenant("One"), 2)
        yield made


def _system(home: World):  # type: ignore[no-untyped-def]
    return home.troth.system


@pytest.mark.parametrize("check", CHECKS, ids=lambda one: one.id)
def test_the_known_bad_fixture_fails(home: World, check) -> None:  # type: ignore[no-untyped-def]
    assert judge(check.sabotage(_system(home))) is Result.FAIL


@pytest.mark.parametrize("name", ["backup-current", "backup-unreadable", "backup-verified-first"])
def test_a_healthy_installation_passes(home: World, name: str) -> None:
    assert shown(named(CHECKS, name), _system(home)) is Result.PASS


@pytest.mark.parametrize("name", ["backup-separate", "backup-spread"])
def test_two_folders_on_one_disk_are_not_said_to_be_apart(home: World, name: str) -> None:
    assert shown(named(CHECKS, name), _system(home)) is Result.NOT_CONFIGURED


def test_without_a_drill_nothing_is_claimed_and_with_one_it_is(home: World) -> None:
    check, system = named(CHECKS, "backup-drilled"), _system(home)
    assert shown(check, system) is Result.ERROR
    system.backups.run()
    done = system.backups.drill()
    system.base.sequencer.flush()
    assert shown(check, system) is Result.PASS
    assert system.backups.drill_when_due() is None
    assert (done.rto_ms > 0, done.rpo_ms >= 0) == (True, True)


def test_a_backup_that_is_overdue_or_gone_is_seen(home: World) -> None:
    check, system = named(CHECKS, "backup-current"), _system(home)
    made = system.backups.run()
    system.base.sequencer.flush()
    assert shown(check, system) is Result.PASS
    old = [replace(one, at=one.at - 3 * 3600 * 1000) for one in system.backups.history("backup.made")]
    assert judge(_current(system, old)) is Result.FAIL
    folder = home.settings.backup.locations[1].folder
    assert folder is not None
    content = (folder / made.manifest.file).read_bytes()
    (folder / made.manifest.file).unlink()
    assert shown(check, system) is Result.FAIL
    (folder / made.manifest.file).write_bytes(content)


def test_a_changed_part_is_seen(home: World) -> None:
    system = _system(home)
    system.backups.run()
    held = system.backups.newest()
    name = held.manifest.tables[0].pieces[0]
    place = home.settings.backup.locations[int(held.location.name.removeprefix("place-")) - 1].folder
    assert place is not None
    content = (place / name).read_bytes()
    (place / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        assert shown(named(CHECKS, "backup-verified-first"), system) is Result.FAIL
    finally:
        (place / name).write_bytes(content)


def test_locked_buckets_are_apart(tmp_path: Path) -> None:
    with s3_server.running() as server:
        locations = tuple(
            BackupLocation(
                jurisdiction="eu",
                bucket=server.bucket(versioned=True, lock_days=1),
                endpoint=server.endpoint,
                region=s3_server.REGION,
                credentials=server.credentials(tmp_path),
            )
            for _ in range(2)
        )
        with world(tmp_path, locations) as home:
            for name in ("backup-separate", "backup-spread"):
                assert shown(named(CHECKS, name), _system(home)) is Result.PASS
