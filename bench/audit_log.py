"""Audit log: durable appends with waiting clients, bulk integration, proofs, full re-audit, restart.

    .venv/bin/python bench/audit_log.py [--postgres] [--entries 200000] [--write]

Prints one row per figure; `--write` replaces bench/results/audit_log.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sqlalchemy import insert, text

import postgres_server
from log_world import World, entry
from troth.audit.verify import verify_log, verify_proof
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata
from troth.storage.outbox import Outbox, outbox, row

Row = tuple[str, str, str]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def appends(world: World, clients: int, seconds: float) -> Row:
    """Clients that each wait for their entry to be on disk, while the sequencer runs beside them."""
    recorder, waits, lock = Outbox(world.database), [], threading.Lock()
    end = time.perf_counter() + seconds

    def client(number: int) -> None:
        mine = []
        while (begun := time.perf_counter()) < end:
            recorder.record(entry("operator", number))
            mine.append(time.perf_counter() - begun)
        with lock:
            waits.extend(mine)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(waits) / (time.perf_counter() - begun)
    recorder.close()
    p50, p99 = statistics.median(waits) * 1e3, percentile(waits, 0.99) * 1e3
    return (f"durable appends, {clients} waiting clients", f"{rate:,.0f}/s", f"ack p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def lag(world: World, count: int = 100) -> Row:
    """From the commit of an entry to its place in the tree."""
    waits = []
    size = world.reader.size("operator")
    for number in range(count):
        world.wait_for(1, start=number)
        begun = time.perf_counter()
        while world.reader.size("operator") <= size + number:
            time.sleep(0.001)
        waits.append((time.perf_counter() - begun) * 1e3)
    p50, p99 = statistics.median(waits), percentile(waits, 0.99)
    return ("outbox to sequenced", f"p50 {p50:.0f} ms", f"p99 {p99:.0f} ms, {count} single entries")


def bulk(world: World, entries: int) -> list[Row]:
    rows = [row(entry("operator", number)) for number in range(entries)]
    size = len(rows[0]["leaf"])
    for start in range(0, entries, 5000):
        with world.database.write() as connection:
            connection.execute(insert(outbox), rows[start : start + 5000])
    begun = time.perf_counter()
    world.sequencer.integrate()
    placed = time.perf_counter()
    world.sequencer.flush()
    signed = time.perf_counter()
    return [
        ("bulk integration", f"{entries / (placed - begun):,.0f}/s", f"{entries:,} entries of {size} bytes"),
        ("mirror and sign them", f"{signed - placed:.2f} s", f"{entries // 256:,} tiles and as many bundles, fsynced"),
    ]


def proofs(world: World, count: int = 300) -> Row:
    size = world.reader.head("operator").size
    waits, checks = [], []
    for number in range(count):
        index = number * 7919 % size
        begun = time.perf_counter()
        proof = world.prover.proof("operator", index)
        made = time.perf_counter()
        verify_proof(proof, world.reader.entry("operator", index), world.vkey())
        waits.append((made - begun) * 1e3)
        checks.append((time.perf_counter() - made) * 1e3)
    p50, p99 = statistics.median(waits), percentile(waits, 0.99)
    check = statistics.median(checks)
    return (
        f"proof at {size:,} entries",
        f"p50 {p50:.2f} ms",
        f"p99 {p99:.2f} ms; read entry and verify p50 {check:.2f} ms",
    )


def audit(world: World) -> Row:
    mirror = world.folder / "blobs/tlog/operator"
    begun = time.perf_counter()
    size = verify_log(mirror, world.vkey()).size
    return (
        "full re-audit from the mirror",
        f"{size / (time.perf_counter() - begun):,.0f} entries/s",
        f"{size:,} entries",
    )


def restart(world: World) -> Row:
    world.sequencer.stop()
    begun = time.perf_counter()
    again = world.another()
    again.start()
    took = (time.perf_counter() - begun) * 1e3
    again.stop()
    return ("restart, guard checked", f"{took:.1f} ms", "reload the right edge, prove growth since the last signature")


def run(url: str | None, entries: int, seconds: float) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TROTH_BENCH_DIR")) as name:
        folder = Path(name)
        database = Database(url or f"sqlite:///{folder / 'bench.db'}")
        if url:
            metadata.drop_all(database.engine)
        metadata.create_all(database.engine)
        world = World(database, LocalBlobs(folder / "blobs"), folder)
        world.grow(1)
        rows = bulk(world, entries)
        rows += [proofs(world), audit(world)]
        world.sequencer.start()
        rows += [lag(world)]
        rows += [appends(world, clients, seconds) for clients in (1, 8, 64, 256)]
        rows += [restart(world)]
        database.close()
    return rows


def conditions() -> str:
    load = os.getloadavg()[0]
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{when}; Python {platform.python_version()}; {os.cpu_count()} cores ({platform.machine()}), 1-minute load "
        f"{load:.1f} at the start. The machine is shared with other jobs, so the figures are noisy lower bounds."
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", action="store_true", help="also start a private PostgreSQL and run on it")
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    parts = [
        "# Audit log\n",
        "`" + "python bench/audit_log.py --postgres --write" + f" --entries {arguments.entries}`\n",
        conditions() + "\n",
    ]
    urls = [postgres_server.start(Path(tempfile.mkdtemp()))] if arguments.postgres else []
    for url in [None, *urls]:
        title = "SQLite (WAL, synchronous=FULL, secure_delete)" if url is None else _server(url)
        parts.append(f"\n## {title}\n\n| measure | value | |\n|---|---|---|")
        print(parts[-1])
        for one in run(url, arguments.entries, arguments.seconds):
            parts.append("| " + " | ".join(one) + " |")
            print(parts[-1], flush=True)
    if arguments.write:
        (Path(__file__).parent / "results/audit_log.md").write_text("\n".join(parts) + "\n", encoding="utf-8")


def _server(url: str) -> str:
    database = Database(url)
    with database.read() as connection:
        version = connection.scalar(text("SHOW server_version"))
    database.close()
    return f"PostgreSQL {version} (fsync on, same machine)"


if __name__ == "__main__":
    main()
