from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from database_world import opened
from log_world import World
from troth.audit import sequencer as sequencer_module
from troth.audit.log import LogReader
from troth.audit.verify import verify_log
from troth.kernel.errors import Conflict, NotFound, Unavailable
from troth.storage.blobs import LocalBlobs

ROUNDS = 10
_WRITER = Path(__file__).with_name("crash_writer.py")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is due sooner, so that tests need not wait for it."""
    monkeypatch.setattr(sequencer_module, "CHECKPOINT_SECONDS", 0.1)


def eventually(check: object, seconds: float = 10.0) -> None:
    assert callable(check)
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def signed_size(world: World) -> int:
    try:
        return world.reader.head("operator").size
    except (NotFound, Unavailable):
        return 0


def test_in_the_background_entries_are_placed_and_signed(world: World) -> None:
    world.sequencer.start()
    world.sequencer.start()
    assert world.sequencer.state().running
    world.wait_for(5)
    eventually(lambda: signed_size(world) == 5)
    world.wait_for(5, start=5)
    eventually(lambda: signed_size(world) == 10)
    state = world.sequencer.state()
    assert (state.waiting, state.unsigned, state.fault) == (0, 0, None)


def test_from_outbox_to_place_in_far_less_than_half_a_second(world: World) -> None:
    world.sequencer.start()
    world.grow(1)
    waits = []
    for number in range(1, 11):
        begun = time.monotonic()
        world.wait_for(1, start=number)
        eventually(lambda number=number: world.reader.size("operator") == number + 1)
        waits.append(time.monotonic() - begun)
    assert sorted(waits)[5] < 0.5


def test_stopping_signs_what_waits_and_lets_another_take_over(world: World) -> None:
    world.sequencer.start()
    world.wait_for(3)
    world.sequencer.stop()
    assert signed_size(world) == 3
    assert not world.sequencer.state().running
    another = world.another()
    another.start()
    another.stop()


def test_a_second_one_is_refused(world: World) -> None:
    world.sequencer.start()
    second = world.another()
    for call in (second.start, second.flush, second.integrate):
        with pytest.raises(Conflict) as caught:
            call()
        assert caught.value.code == "second-sequencer"


def test_flushing_one_log_signs_only_that(world: World) -> None:
    world.wait_for(2)
    world.wait_for(2, log="ten_a")
    world.sequencer.flush("ten_a")
    assert world.reader.head("ten_a").size == 2
    assert signed_size(world) == 0
    world.sequencer.flush()
    assert signed_size(world) == 2


def test_a_passing_fault_is_retried(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sign, failures = world.key.sign, [1, 1]

    def sometimes(message: bytes) -> bytes:
        if failures:
            failures.pop()
            raise Unavailable("The key is away.")
        return sign(message)

    monkeypatch.setattr(world.key, "sign", sometimes)
    world.sequencer.start()
    world.wait_for(2)
    eventually(lambda: signed_size(world) == 2)
    assert world.sequencer.state().fault is None


def test_an_integrity_fault_in_the_background_stops_it_for_good(world: World) -> None:
    world.sequencer.start()
    world.blobs.create("tlog/operator/tile/0/000.p/2", b"other")
    world.wait_for(2)
    eventually(lambda: world.sequencer.state().fault is not None)
    world.wait_for(2, start=2)
    time.sleep(0.2)
    state = world.sequencer.state()
    assert (state.running, state.waiting, signed_size(world)) == (False, 2, 0)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with opened("sqlite", tmp_path) as database:
        writer = _start(tmp_path)
        assert writer.stdout is not None
        writer.stdout.readline()
        second = World(database, LocalBlobs(tmp_path / "blobs"), tmp_path)
        with pytest.raises(Conflict):
            second.sequencer.start()
        _kill(writer)
        second.sequencer.start()
        second.sequencer.stop()


def test_kill_nine(tmp_path: Path) -> None:
    """The writer is killed without warning: what it acknowledged stands exactly once, and the log only ever grew."""
    acknowledged: list[str] = []
    with opened("sqlite", tmp_path) as database:
        world = World(database, LocalBlobs(tmp_path / "blobs"), tmp_path)
        kept = None
        for number in range(ROUNDS):
            acknowledged += _round(tmp_path, 0.05 + 0.03 * number)
            if kept is not None:
                assert verify_log(tmp_path / "blobs/tlog/operator", world.vkey(), trusted=kept).size > 0
            if (tmp_path / "blobs/tlog/operator/checkpoint").exists():
                kept = world.blobs.get("tlog/operator/checkpoint")
        world.sequencer.flush()
        world.sequencer.stop()
        assert verify_log(world.resource(), world.vkey(), trusted=kept).size == world.reader.size("operator")
        counts = _requests(world.reader)
    assert len(acknowledged) > ROUNDS
    assert {counts[request] for request in acknowledged} == {1}
    assert set(counts.values()) == {1}


def _round(folder: Path, seconds: float) -> list[str]:
    writer = _start(folder)
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(seconds)
    lines = (first + _kill(writer)).decode().split("\n")
    return lines[:-1]  # what follows the last newline was never acknowledged


def _start(folder: Path) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(one for one in sys.path if one)
    environment = {"PYTHONPATH": path, "PATH": os.environ["PATH"]}
    return subprocess.Popen([sys.executable, str(_WRITER), str(folder)], stdout=subprocess.PIPE, env=environment)


def _kill(writer: subprocess.Popen[bytes]) -> bytes:
    """Kill without warning; gives what it had said by then."""
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert writer.stdout is not None
    with writer.stdout as said:
        return said.read()


def _requests(reader: LogReader) -> Counter[str]:
    found: Counter[str] = Counter()
    for start in range(0, reader.size("operator"), 1000):
        for one in reader.entries("operator", start, 1000):
            found[one.leaf.decode().partition('"request":"')[2].partition('"')[0]] += 1
    return found
