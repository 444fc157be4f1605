"""Copies of logs of which the oldest entries were pruned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from database_world import DATABASES, opened
from log_world import World
from troth.audit.believed_time import DAY_MS, BelievedTime
from troth.audit.guard import blob_name
from troth.audit.log import LogPublisher, LogReader
from troth.audit.pruning import Policy, Pruning
from troth.audit.publication import Places
from troth.audit.verify import verify_log
from troth.backup import logs
from troth.backup.logs import LogCopy, Pruned
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import IntegrityError, NotFound
from troth.storage.append_only import FLOOR_DAYS
from troth.storage.blobs import LocalBlobs
from troth.storage.outbox import Outbox


@pytest.fixture(params=DATABASES)
def pruned(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An operator log of 601 entries, of which the first 512 were pruned."""
    with opened(request.param, tmp_path) as database:
        world = World(database, LocalBlobs(tmp_path / "blobs"), tmp_path)
        now, recorder = epoch_ms(world.clock.now()), Outbox(database)
        world.grow(550, time=now - (FLOOR_DAYS + 1) * DAY_MS)
        for at, days in enumerate((8, 5, 2)):
            world.wait_for(1, start=550 + at, time=now - days * DAY_MS)
        world.grow(47, start=553, time=now)
        time = BelievedTime(database, world.clock, lambda: None)
        Pruning(database, Places(world.blobs), recorder, world.clock, time, Policy(FLOOR_DAYS)).run("usr_a")
        world.sequencer.flush()
        yield world
        recorder.close()
        world.sequencer.stop()


def copied(world: World) -> tuple[LogCopy, dict[str, bytes]]:
    """The log as a backup has it: its copy, and the pieces by name."""
    (copy,) = logs.signed_logs(world.database)
    pieces = {f"piece-{at}": content for at, content in enumerate(logs.bundles(world.database, copy))}
    return replace(copy, bundles=tuple(pieces)), pieces


def test_a_pruned_log_is_copied_by_its_hashes_and_restored(pruned: World, tmp_path: Path) -> None:
    copy, pieces = copied(pruned)
    assert logs.read_index(logs.index([copy])) == [copy]
    entries = logs.leaves(copy, pieces.__getitem__)
    assert [isinstance(leaf, Pruned) for leaf in entries] == [True] * 512 + [False] * 89
    (tmp_path / "new").mkdir()
    with opened("sqlite", tmp_path / "new") as database:
        logs.put(database, {"operator": (copy, entries)}, 1)
        read = partial(LogPublisher(database).resource, "operator")
        assert verify_log(read, pruned.vkey(), minimum=512).size == 601
        assert read("minimum") == b"512\n"
        with pytest.raises(NotFound, match="pruned"):
            LogReader(database).entry("operator", 511)
        assert [one.leaf for one in LogReader(database).entries("operator", 0, 1000)] == entries[512:]
        folder = LocalBlobs(tmp_path / "mirror")
        for path, content in logs.resources(entries):
            folder.create(path, content)
        folder.create("checkpoint", copy.note)
    assert verify_log(tmp_path / "mirror", pruned.vkey(), minimum=512).size == 601


def test_a_pruned_mirror_gives_hashes_below_its_minimum_only(pruned: World) -> None:
    copy, _ = copied(pruned)

    def resource(path: str) -> bytes:
        return pruned.blobs.get(blob_name("operator", path))

    assert logs.first_kept(logs.mirrored(copy, resource)) == 512
    pruned.blobs.delete(blob_name("operator", "minimum"))
    with pytest.raises(NotFound):  # what is missing without that the mirror says so was lost
        logs.mirrored(copy, resource)


def test_hashes_that_are_not_the_logs_are_refused(pruned: World) -> None:
    copy, pieces = copied(pruned)
    pieces["piece-0"] = pieces["piece-0"][:-1] + b"\x00"
    with pytest.raises(IntegrityError, match="signed root"):
        logs.leaves(copy, pieces.__getitem__)
    pieces["piece-0"] = pieces["piece-0"][:-32]
    with pytest.raises(IntegrityError, match="cut short"):
        logs.leaves(copy, pieces.__getitem__)


def test_a_gap_in_the_midst_is_no_pruning() -> None:
    with pytest.raises(IntegrityError, match="midst"):
        logs.first_kept([b"entry", Pruned(b"\x01" * 32), b"entry"])
    with pytest.raises(IntegrityError, match="midst"):
        logs.first_kept([Pruned(b"\x01" * 32)])
