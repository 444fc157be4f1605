"""Processes that run checks by the schedule until they are killed, and say which runs were acknowledged.

Usage: check_crash_worker.py FOLDER BEGUN; then one line a round on standard input. Each forks a process of its own (so
that nothing is imported again), which says its id and then one line for each run. Whole lines end with a dot. An hour
of the schedule takes a tenth of a second here.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from check_world import CheckWorld, hourly
from troth.promises.runs import Run
from troth.storage.database import Database, metadata

FASTER = 36_000
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHECKS = hourly(["one", "two", "three"])


class FastClock:
    """Goes on from `begun` (seconds since the epoch), faster than the world's, also from one process to the next."""

    def __init__(self, begun: float) -> None:
        self._begun = begun

    def now(self) -> datetime:
        return START + timedelta(seconds=(time.time() - self._begun) * FASTER)


def opened(folder: Path, begun: float) -> CheckWorld:
    """The world in a folder, as it was left."""
    fresh = not (folder / "troth.db").exists()
    database = Database(f"sqlite:///{folder}/troth.db")
    if fresh:
        metadata.create_all(database.engine)
    return CheckWorld(database, folder, CHECKS, clock=FastClock(begun))  # type: ignore[arg-type]


def say(*words: object) -> None:
    print(*words, ".", flush=True)


def main(folder: Path, begun: float) -> None:
    world = opened(folder, begun)
    run = world.runner.run

    def said(check, slot=None) -> Run:  # type: ignore[no-untyped-def]
        done = run(check, slot)
        say("ran", done.check, done.sequence, done.slot, done.link)
        return done

    world.runner.run = said  # type: ignore[method-assign]
    say("ready")
    while True:
        world.scheduler.tick()
        time.sleep(0.002)


if __name__ == "__main__":
    assert CHECKS[0].digest  # read and known before the first fork
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            main(Path(sys.argv[1]), float(sys.argv[2]))
            os._exit(0)
        say("pid", child)
        os.waitpid(child, 0)
        print("\nended", flush=True)
