"""The scheduler under kill -9: no run is lost or made up, no slot is filled twice, and no chain breaks."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from check_world import CheckWorld
from faults.check_crash_worker import CHECKS, opened
from killing import Victims
from troth.audit.log import Filter
from troth.promises import store
from troth.promises.schedule import slots
from troth.promises.status import Period

ROUNDS = int(os.environ.get("TROTH_TEST_CRASH_ROUNDS", "60"))  # `make soak` asks for 500
WORKER = Path(__file__).with_name("check_crash_worker.py")


def test_kill_9_loses_no_run_makes_none_up_and_fills_no_slot_twice(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    chance, begun = random.Random(20261123), time.time()
    acknowledged: set[tuple[str, ...]] = set()
    with tempfile.TemporaryDirectory(prefix="troth-", dir=shared if shared.is_dir() else tmp_path) as name:
        opened(Path(name), begun).database.close()  # nobody is killed while the tables are made
        victims = Victims(WORKER, name, begun, environment={"PYTHONPATH": str(WORKER.parents[1])})
        for number in range(ROUNDS // 2):
            told = victims.killed(chance, number, lines=4)
            acknowledged |= {tuple(words) for verb, *words in told if verb == "ran"}
        victims.close()
        world = opened(Path(name), begun)
        kept = _kept(world)
        assert acknowledged <= kept
        assert len(kept) > ROUNDS // 2
        _whole(world)
        world.database.close()


def _kept(world: CheckWorld) -> set[tuple[str, ...]]:
    columns = (store.check_run.c[one] for one in ("check_id", "sequence", "slot", "link"))
    with world.database.read() as connection:
        return {tuple(map(str, one)) for one in connection.execute(select(*columns))}


def _whole(world: CheckWorld) -> None:
    """Every chain counts from 1 without a hole, by slots of the schedule, and the log tells of the same runs."""
    now = world.now
    evidence = world.reading.over(Period(0, now), 7200)
    assert evidence.keys() == {one.id for one in CHECKS}
    versions = world.schedules.versions()
    assert len(versions) == 1
    world.place()
    assert world.log_world is not None
    leaves = world.log_world.reader.page("operator", Filter(operation="check.run"), before=None, limit=100_000).entries
    for check, chain in evidence.items():
        runs = [one.run for one in chain]
        assert [one.flaw for one in chain if one.flaw] == []
        assert [one.sequence for one in runs] == list(range(1, len(runs) + 1))
        assert max(Counter(one.slot for one in runs).values()) == 1
        due = slots(versions, check, 0, now)
        assert all(one.slot in due and one.slot <= one.at for one in runs)
        assert len(runs) <= len(due)
    assert len(leaves) == sum(len(chain) for chain in evidence.values())
