"""The mirror in a second region on a real S3 server: it has everything first, or nothing is signed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import s3_server
from database_world import opened
from log_world import World
from s3_server import S3Server
from troth.audit.guard import blob_name
from troth.audit.meta import META
from troth.audit.sequencer import Sequencer
from troth.audit.verify import verify_log
from troth.kernel.errors import IntegrityError, Unavailable
from troth.storage.blobs import LocalBlobs
from troth.storage.s3_blobs import S3Blobs


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server.running() as running:
        yield running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened("sqlite", tmp_path) as database:
        made = World(database, LocalBlobs(tmp_path / "blobs"), tmp_path)
        yield made
        made.sequencer.stop()


def mirrored(world: World, far: S3Blobs, **members: float) -> None:
    guard = LocalBlobs(world.folder / "guard")
    world.sequencer.stop()
    world.sequencer = Sequencer(world.database, world.blobs, world.key, world.clock, guard=guard, far=far, **members)


@pytest.mark.parametrize("kind", ["plain", "versioned", "locked"])
def test_a_bucket_holds_every_log_that_is_signed(world: World, server: S3Server, kind: str) -> None:
    bucket = server.bucket(versioned=kind == "versioned", lock_days=1 if kind == "locked" else None)
    far = server.store(bucket, "log")
    mirrored(world, far)
    world.grow(300)
    for at in range(6):
        world.wait_for(2, log=f"ten_{at}")
    world.sequencer.flush()
    world.grow(3, start=300)
    for log, size in (("operator", 303), ("ten_5", 2), (META, 6)):
        read = lambda path, log=log: far.get(blob_name(log, path))  # noqa: E731
        assert verify_log(read, world.vkey(log)).size == size
    assert far.get(blob_name("operator", "checkpoint")) == world.reader.head("operator").checkpoint


def test_a_bucket_that_hangs_stops_signing_and_says_so_until_it_answers(world: World, server: S3Server) -> None:
    far = server.store(server.bucket(), "log", timeout=1.0)
    mirrored(world, far, checkpoint_seconds=0.05)
    world.grow(2)
    world.sequencer.start()
    server.process.send_signal(signal.SIGSTOP)
    try:
        world.wait_for(3, start=2)
        _until(lambda: world.sequencer.state().stalled is not None)
        state = world.sequencer.state()
        assert (state.running, state.fault, state.waiting, state.unsigned) == (True, None, 0, 1)
        assert world.reader.head("operator").size == 2
        with pytest.raises(Unavailable):
            world.sequencer.flush()
    finally:
        server.process.send_signal(signal.SIGCONT)
    _until(lambda: world.sequencer.state().unsigned == 0)
    _until(lambda: world.sequencer.state().stalled is None)
    assert verify_log(lambda path: far.get(blob_name("operator", path)), world.vkey()).size == 5


def test_what_the_bucket_remembers_is_not_signed_again(world: World, server: S3Server) -> None:
    far = server.store(server.bucket(), "log")
    mirrored(world, far)
    world.grow(5)
    world.sequencer.stop()
    for store in (world.blobs, LocalBlobs(world.folder / "guard")):
        store.delete_all(list(store.names("tlog/")))
    with world.database.write() as connection:
        for table in ("audit_logs", "audit_entries", "audit_tiles"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    mirrored(world, far)
    world.wait_for(9, start=90)
    with pytest.raises(IntegrityError, match="missing from the log guard"):
        world.sequencer.flush()


def _until(true: object, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)
