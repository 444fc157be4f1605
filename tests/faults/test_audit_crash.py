"""The audit log under kill -9 and failing I/O: many clients, the real outbox, sequencer and publisher.

Nothing acknowledged is lost, no index is used twice, what is acknowledged stands exactly once, the root is the signed
one, and no entry is ever signed away (`audit_ledger`).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from audit_ledger import Ledger
from database_world import DATABASES, Place, RoomDatabase, create_tables, fresh_place
from faults.audit_crash_worker import LOGS, sequencer_of
from killing import Victims
from log_world import TestKey
from troth.audit.log import LogPublisher
from troth.audit.origins import Origins
from troth.audit.store import entries
from troth.audit.verify import verify_log
from troth.kernel.errors import Conflict

ROUNDS = int(os.environ.get("TROTH_TEST_CRASH_ROUNDS", "60"))  # `make soak` asks for 500
SEED = 20261122
WORKER = Path(__file__).with_name("audit_crash_worker.py")
# What a disk does, or rather does not: writes, short writes, syncs, names.
POINTS = [
    ["posix/io/rw/pwrite"],
    ["posix/io/rw/pwrite/reduce", "posix/io/rw/write/reduce"],
    ["posix/io/sync/fsync", "posix/io/sync/fdatasync"],
    ["posix/io/rw/write", "posix/io/sync/fsync"],
    ["posix/io/dir/rename", "posix/io/dir/unlink"],
    ["posix/io/oc/open"],
    ["posix/io/rw/ftruncate", "posix/io/rw/pwrite", "posix/io/rw/write"],
]


@contextmanager
def memory(fallback: Path) -> Iterator[Path]:
    """A folder in memory: what a killed process wrote stays all the same, and no round waits for a disk."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="troth-", dir=shared if shared.is_dir() else fallback) as name:
        yield Path(name)


def injected() -> str:
    """The library that puts libfiu's failure points around the C library (Debian: fiu-utils)."""
    found = [*Path("/usr/lib").glob("fiu/fiu_posix_preload.so"), *Path("/usr/lib").glob("*/fiu/fiu_posix_preload.so")]
    assert found, "install fiu-utils (scripts/system-packages test)"
    return str(found[0])


def _environment() -> dict[str, str]:
    paths = os.pathsep.join(one for one in (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")) if one)
    return {**os.environ, "PYTHONPATH": paths, "LD_PRELOAD": injected()}


class Rounds:
    """One folder and database, many deaths."""

    def __init__(self, folder: Path, place: Place, seed: int) -> None:
        print("seed", seed)
        self.folder, self.place, self.chance = folder, place, random.Random(seed)
        self.ledger, self.heard = Ledger(folder), Counter[str]()
        self.victims = Victims(WORKER, folder, place.url, environment=_environment())

    def run(self, seed: int, points: list[str]) -> None:
        lines = 0 if seed % 10 == 9 else 200  # every tenth dies while it begins
        said = self.victims.killed(self.chance, seed, *points, lines=lines, seconds=0.05)
        self.heard += Counter(line[0] for line in said)
        assert not [line for line in said if line[0] in ("fault", "died")]
        self.ledger.acknowledged |= {line[2]: line[1] for line in said if line[0] == "acked"}
        with self.database() as database:
            self.ledger.look(database, whole=seed % 10 == 0)

    @contextmanager
    def database(self) -> Iterator[RoomDatabase]:
        """Opened anew, so that what the dead left is recovered."""
        database = RoomDatabase(self.place.url)
        yield database
        database.close()

    def enough(self) -> bool:
        """Whether there was something to lose."""
        return len(self.ledger.acknowledged) > ROUNDS * 10 and self.ledger.signatures > ROUNDS // 4

    def end(self) -> None:
        """The next start finds nothing amiss, finishes what waits, and an auditor accepts the mirror and the server."""
        self.victims.close()
        with self.database() as database:
            sequencer = sequencer_of(self.folder, database)
            sequencer.start()
            sequencer.stop()
            self.ledger.look(database)
            self.ledger.settled()
            for log in LOGS:
                key = str(Origins.of(TestKey(), None).key(log))
                size = verify_log(self.folder / "blobs/tlog" / log, key).size
                assert verify_log(lambda path, log=log: LogPublisher(database).resource(log, path), key).size == size


@contextmanager
def rounds(kind: str, tmp_path: Path, seed: int) -> Iterator[Rounds]:
    with memory(tmp_path) as folder, fresh_place(kind, folder) as place:
        create_tables(place)
        made = Rounds(folder, place, seed)
        yield made
        made.end()


@pytest.mark.parametrize("kind", DATABASES)
def test_kill_9_at_random_moments_loses_nothing(kind: str, tmp_path: Path) -> None:
    count = ROUNDS if kind == "sqlite" else ROUNDS // 4
    with rounds(kind, tmp_path, SEED) as made:
        for seed in range(4 * count):
            made.run(seed, [])
            if seed >= count - 1 and made.enough():
                break  # a machine that does other work beside this needs more rounds until there was as much to lose
    assert made.heard["refused"] == 0
    assert made.enough()


def test_failing_disks_lose_nothing(tmp_path: Path) -> None:
    with rounds("sqlite", tmp_path, SEED) as made:
        for seed in range(ROUNDS // 2):
            made.run(seed, POINTS[seed % len(POINTS)])
    assert made.heard["refused"] > ROUNDS
    assert len(made.ledger.acknowledged) > ROUNDS * 10


_SYNCS = ["posix/io/sync/fsync", "posix/io/sync/fdatasync"]
_SPACE = ["posix/io/rw/pwrite", "posix/io/rw/write", "posix/io/rw/ftruncate"]


@pytest.mark.parametrize("points", [_SYNCS, _SPACE], ids=["does-not-sync", "is-full"])
def test_on_a_disk_that_fails_nothing_is_acknowledged_or_signed_until_it_works(
    points: list[str], tmp_path: Path
) -> None:
    with memory(tmp_path) as folder, fresh_place("sqlite", folder) as place:
        create_tables(place)
        command = [sys.executable, str(WORKER), str(folder), place.url]
        asked = f"dark {' '.join(points)}\n".encode()
        ran = subprocess.run(command, input=asked, stdout=subprocess.PIPE, check=True, env=_environment(), timeout=60)
        lines = [line.split() for line in ran.stdout.decode().splitlines()]
        said = {(line[0], line[1]): (line[2], line[3]) for line in lines if len(line) == 5}
        assert {said[name, step][0] for name in ("before", "after") for step in ("record", "within", "sign")} == {
            "done"
        }
        assert "done" not in {said["during", step][0] for step in ("record", "within", "sign")}
        assert said["during", "sign"][1] == said["before", "sign"][1]
        assert said["after", "sign"][1] != said["before", "sign"][1]
        with RoomDatabase(place.url).read() as connection:
            leaves = [bytes(leaf) for leaf in connection.scalars(select(entries.c.leaf).order_by(entries.c.position))]
        found = [json.loads(leaf)["request"] for leaf in leaves]
        assert found == [
            "before-waiting",
            "before-record",
            "before-within",
            "during-waiting",
            "after-record",
            "after-within",
        ]


def test_while_one_process_leads_a_second_is_refused(tmp_path: Path) -> None:
    with memory(tmp_path) as folder, fresh_place("sqlite", folder) as place:
        create_tables(place)
        victims = Victims(WORKER, folder, place.url, environment=_environment())
        second = sequencer_of(folder, RoomDatabase(place.url))

        def try_it() -> None:
            with pytest.raises(Conflict):
                second.start()

        victims.killed(random.Random(SEED), 0, meanwhile=try_it)
        second.start()
        second.stop()
        victims.close()
