"""Audit log: durable appends of waiting clients, bulk, proofs, re-audit, restart, requests; pymerkle in the same run.

    .venv/bin/python bench/audit_log.py [--postgres] [--entries 200000] [--write]

Prints one row per figure; `--write` replaces bench/results/audit_log.md. Ours and pymerkle's turns alternate, so that
both meet the same noise.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from audit_appends import Run, by_loop, by_threads, entry, requests, syncs, together
from pymerkle import SqliteTree
from sqlalchemy import insert, text

import postgres_server
from log_world import World
from troth.audit.verify import verify_log, verify_proof
from troth.kernel.scope import as_system
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.isolation import settle
from troth.storage.outbox import Outbox, outbox, row

Row = tuple[str, str, str, str]
PEER_ENTRIES = 100_000  # pymerkle's proofs grow with the log; it was never asked for more
TURNS = 3
MEMORY = Path("/dev/shm")


class Bench:
    """One database with its log, and pymerkle's tree beside it."""

    def __init__(self, folder: Path, url: str | None, entries: int, seconds: float) -> None:
        self.folder, self.entries, self.seconds = folder, entries, seconds
        self.database = Database(url or f"sqlite:///{folder / 'bench.db'}")
        settle(self.database, single_role=True)  # as in production: triggers, on PostgreSQL row-level security
        self.world = World(self.database, LocalBlobs(folder / "blobs"), folder)
        self.peer = SqliteTree(str(folder / "peer.db"))
        self.world.grow(1)

    def rows(self) -> Iterator[Row]:
        gc.collect()
        gc.freeze()  # as the server does when it has started (http/serve.py)
        gc.set_threshold(20_000, 20, 20)
        yield from self.bulk()
        yield self.proofs()
        yield self.audit()
        self.world.sequencer.start()
        yield self.lag()
        recorder = Outbox(self.database)
        yield from self.appends(recorder)
        yield from self.overhead(recorder)
        recorder.close()
        yield self.restart()
        self.database.close()
        self.peer.close()

    def bulk(self) -> list[Row]:
        """What waits in the outbox is placed; pymerkle takes the same leaves in one transaction."""
        few: list[bytes] = []
        for start in range(0, self.entries, 5000):
            rows = [row(entry(number)) for number in range(start, min(start + 5000, self.entries))]
            few += [one["leaf"] for one in rows] if start < PEER_ENTRIES else []
            with self.database.write() as connection:
                connection.execute(insert(outbox), rows)
        begun, cpu = time.perf_counter(), time.process_time()
        self.world.sequencer.integrate()
        placed, used = time.perf_counter(), time.process_time()
        self.world.sequencer.flush()
        signed = time.perf_counter()
        peer_begun, peer_cpu = time.perf_counter(), time.process_time()
        self.peer.append_entries(few)
        self.peer_size = len(few)
        peer_took, peer_used = time.perf_counter() - peer_begun, time.process_time() - peer_cpu
        size = len(few[0])
        cost = f"{(used - cpu) / self.entries * 1e6:.0f} us CPU each (pymerkle {peer_used / len(few) * 1e6:.0f})"
        return [
            (
                "bulk integration",
                f"{self.entries / (placed - begun):,.0f}/s",
                f"{len(few) / peer_took:,.0f}/s",
                f"{self.entries:,} entries of {size} bytes; {cost}; pymerkle keeps no tree, index or tile",
            ),
            (
                "mirror and sign them",
                f"{signed - placed:.2f} s",
                "",
                f"{self.entries // 256:,} tiles and as many bundles",
            ),
        ]

    def proofs(self, count: int = 300) -> Row:
        size = self.world.reader.head("operator").size
        waits, checks = [], []
        for number in range(count):
            index = number * 7919 % size
            begun = time.perf_counter()
            proof = self.world.prover.proof("operator", index)
            made = time.perf_counter()
            verify_proof(proof, self.world.reader.entry("operator", index), self.world.vkey())
            waits.append((made - begun) * 1e3)
            checks.append((time.perf_counter() - made) * 1e3)
        peer = []
        for number in range(3):
            self.peer.cache_clear()
            begun = time.perf_counter()
            self.peer.prove_inclusion(number * 7919 % self.peer_size + 1)
            peer.append((time.perf_counter() - begun) * 1e3)
        p99, check = sorted(waits)[int(count * 0.99)], statistics.median(checks)
        return (
            f"inclusion proof at {size:,} entries",
            f"p50 {statistics.median(waits):.2f} ms, p99 {p99:.2f} ms",
            f"p50 {statistics.median(peer):,.0f} ms",
            f"read entry and verify p50 {check:.2f} ms; pymerkle at {self.peer_size:,} entries",
        )

    def audit(self) -> Row:
        begun = time.perf_counter()
        size = verify_log(self.folder / "blobs/tlog/operator", self.world.vkey()).size
        return (
            "full re-audit",
            f"{size / (time.perf_counter() - begun):,.0f}/s",
            "",
            f"{size:,} entries, from the mirror",
        )

    def lag(self, count: int = 100) -> Row:
        """From the commit of an entry to its place in the tree."""
        waits = []
        size = self.world.reader.size("operator")
        for number in range(count):
            self.world.wait_for(1, start=number)
            begun = time.perf_counter()
            while self.world.reader.size("operator") <= size + number:
                time.sleep(0.001)
            waits.append((time.perf_counter() - begun) * 1e3)
        p50, p99 = statistics.median(waits), sorted(waits)[int(count * 0.99)]
        return ("outbox to sequenced", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms", "", f"{count} single entries")

    def appends(self, recorder: Outbox) -> list[Row]:
        """Clients wait for their entries to be on disk; the sequencer and the publisher work beside them."""
        ways = {
            "1 waiting client": lambda: by_threads(recorder, 1, self.seconds),
            "64 waiting clients, threads": lambda: by_threads(recorder, 64, self.seconds),
            "256 waiting clients, threads": lambda: by_threads(recorder, 256, self.seconds),
            "256 waiting clients, event loop": lambda: by_loop(
                lambda number: recorder.keep(entry(number)), 256, self.seconds
            ),
        }
        runs: dict[str, list[Run]] = {name: [] for name in ways}
        single, disk = [0, 0.0], []
        for _ in range(TURNS):
            for name, way in ways.items():
                runs[name].append(way())
            begun = time.perf_counter()
            while time.perf_counter() < begun + self.seconds / 2:
                self.peer.append_entry(os.urandom(200))
                single[0] += 1
            single[1] += time.perf_counter() - begun
            disk += syncs(self.folder, self.seconds / 4)
        peer = f"{single[0] / single[1]:,.0f}/s"
        found = [(name, together(some)) for name, some in runs.items()]
        return [
            *(
                (f"durable appends, {name}", f"{one.rate:,.0f}/s", peer, f"{one}; {one.cpu_each:.0f} us CPU each")
                for name, one in found
            ),
            (
                "fdatasync of 64 KiB on this disk",
                f"p50 {statistics.median(disk):.1f} ms, p99 {sorted(disk)[int(len(disk) * 0.99)]:.1f} ms",
                "",
                "in the same turns: the limit of one commit",
            ),
        ]

    def overhead(self, recorder: Outbox) -> list[Row]:
        """A request that does nothing, through the real dispatcher, with its two durable entries and without any."""
        rows = []
        for clients in (1, 16):
            kept, lost = [], []
            for _ in range(TURNS):
                kept.append(requests(recorder, clients, self.seconds / 2))
                lost.append(requests(None, clients, self.seconds / 4))
            ours, bare = together(kept), together(lost)
            more = ours.percentile(0.5) - bare.percentile(0.5)
            detail = f"p50 {ours.percentile(0.5):.2f} ms against {bare.percentile(0.5):.2f}; {ours.cpu_each:.0f} us CPU"
            rows.append((f"record of a request (two entries), {clients} at once", f"p50 {more:.2f} ms", "", detail))
        return rows

    def restart(self) -> Row:
        self.world.sequencer.stop()
        begun = time.perf_counter()
        again = self.world.another()
        again.start()
        took = (time.perf_counter() - begun) * 1e3
        again.stop()
        return ("restart", f"{took:.1f} ms", "", "reload the right edge, prove growth since the last signature")


def conditions() -> str:
    load = os.getloadavg()[0]
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{when}; Python {platform.python_version()}; {os.cpu_count()} cores ({platform.machine()}), 1-minute load "
        f"{load:.1f} at the start. The machine is shared with other jobs: rates and waits are noisy lower bounds, "
        f"CPU for each entry is not. {TURNS} turns of each, alternating with pymerkle 7."
    )


@as_system
def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", action="store_true", help="also start a private PostgreSQL and run on it")
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    command = f"python bench/audit_log.py --postgres --write --entries {arguments.entries}"
    parts = ["# Audit log\n", f"`{command}`\n", conditions() + "\n"]
    few = min(arguments.entries, 200_000)
    sections: list[tuple[str, str | None, str | None, int]] = [
        ("SQLite (WAL, synchronous=FULL, secure_delete)", None, os.environ.get("TROTH_BENCH_DIR"), arguments.entries)
    ]
    if MEMORY.is_dir():
        sections.append(("SQLite in memory (tmpfs): what is left when the disk costs nothing", None, str(MEMORY), few))
    if arguments.postgres:
        url = postgres_server.start(Path(tempfile.mkdtemp()))
        sections.append((_server(url), url, os.environ.get("TROTH_BENCH_DIR"), few))
    for title, url, place, entries in sections:
        parts.append(f"\n## {title}\n\n| measure | Troth | pymerkle (SQLite) | |\n|---|---|---|---|")
        print(parts[-1])
        with tempfile.TemporaryDirectory(dir=place) as name:
            for one in Bench(Path(name), url, entries, arguments.seconds).rows():
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
