"""Publishing the logs of many tenants: mirror, sign, meta log, show; beside it, the price of as many durable files.

    .venv/bin/python bench/meta_log.py [--tenants 1000] [--write]

Prints one row per figure; `--write` replaces bench/results/meta_log.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sqlalchemy import insert

from database_world import opened
from log_world import World, entry
from troth.audit.sequencer import Sequencer
from troth.storage.blobs import LocalBlobs
from troth.storage.outbox import outbox, row

Row = tuple[str, str, str]
_FILES = 6  # of one tenant in a round: tile, bundle, and the checkpoint in two places, some twice


def waiting(world: World, tenants: int, start: int) -> None:
    """One entry of each tenant."""
    with world.database.write() as connection:
        connection.execute(insert(outbox), [row(entry(f"ten_{at:06}", start)) for at in range(tenants)])


def published(world: World, tenants: int, start: int) -> tuple[float, float]:
    """Seconds, and seconds of CPU, until all of them are shown with their proofs."""
    waiting(world, tenants, start)
    world.sequencer.integrate()
    begun, cpu = time.perf_counter(), time.process_time()
    world.sequencer.flush()
    return time.perf_counter() - begun, time.process_time() - cpu


def one_by_one(folder: Path, count: int) -> float:
    """Milliseconds for one small durable file, as `create` makes it."""
    store = LocalBlobs(folder / "single")
    begun = time.perf_counter()
    for at in range(count):
        store.create(f"{at // 100}/{at}", b"x" * 300)
    return (time.perf_counter() - begun) / count * 1e3


def rows(tenants: int) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TROTH_BENCH_DIR")) as name:
        folder = Path(name)
        with opened("sqlite", folder) as database:
            world = World(database, LocalBlobs(folder / "blobs"), folder)
            guard = LocalBlobs(folder / "guard")
            world.sequencer = Sequencer(database, world.blobs, world.key, world.clock, guard=guard)
            first, cpu = published(world, tenants, 0)
            again, again_cpu = published(world, tenants, 1)
            single = [published(world, 1, at)[0] * 1e3 for at in range(2, 12)]
            file = one_by_one(folder, 200)
            proof = []
            for at in range(50):
                begun = time.perf_counter()
                world.prover.proof(f"ten_{at % tenants:06}", 1)
                proof.append((time.perf_counter() - begun) * 1e3)
            world.sequencer.stop()
    floor = tenants * _FILES * file / 1e3
    return [
        ("first round", f"{first:.1f} s", f"{tenants:,} tenants, {cpu / tenants * 1e3:.1f} ms CPU each"),
        ("second round", f"{again:.1f} s", f"all of them again, {again_cpu / tenants * 1e3:.1f} ms CPU each"),
        ("as many durable files one by one", f"{floor:.1f} s", f"{_FILES} a tenant at {file:.1f} ms, measured on 200"),
        ("one tenant of them", f"p50 {statistics.median(single):.0f} ms", "its log and the meta log, 10 rounds"),
        ("joint proof", f"p50 {statistics.median(proof):.1f} ms", "of an entry and of its checkpoint"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    found = rows(chosen.tenants)
    for name, figure, detail in found:
        print(f"{name:36} {figure:>14}  {detail}")
    if chosen.write:
        when = datetime.now(UTC).strftime("%Y-%m-%d")
        machine = f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f} beside it"
        lines = [
            "# Publishing the logs of many tenants",
            "",
            f"`{' '.join(['.venv/bin/python', 'bench/meta_log.py', f'--tenants {chosen.tenants}'])}`, {when}, SQLite; "
            f"{machine}. Each figure is a lower bound on a shared machine; compare within the run.",
            "",
            "| What | Figure | |",
            "|---|---|---|",
            *(f"| {name} | {figure} | {detail} |" for name, figure, detail in found),
        ]
        (Path(__file__).parent / "results" / "meta_log.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
