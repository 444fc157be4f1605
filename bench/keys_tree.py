"""Benchmark of the key tree: build, add, look up, erase, and its size.

Usage: python bench/keys_tree.py [--million] [--domains N] [--softhsm] [--write]
Prints a table; --write puts it into bench/results/keys_tree.md.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from troth.kernel.clock import SystemClock
from troth.kernel.data_class import DataClass
from troth.keys.roots.local import LocalRoot
from troth.keys.store import key_page
from troth.keys.tree import Domain, KeyTree, Scope, UnitKey, UnitRequest
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata

RESULT = Path(__file__).parent / "results" / "keys_tree.md"
TENANT = "ten_bench"


class Bench:
    """One tree in a folder of its own, and the lines of the report."""

    def __init__(self, folder: Path, domains: int, token: bool = False) -> None:
        self.database = Database(f"sqlite:///{folder}/bench.db")
        metadata.create_all(self.database.engine)
        self.domains = [
            Domain(LocalRoot(folder / f"roots-{at}", f"local-{at}"), LocalBlobs(folder / f"copies-{at}"))
            for at in range(domains)
        ]
        if token:
            from root_world import Provider  # needs SoftHSM, as the tests of the adapter do

            self.domains[0] = Domain(Provider("pkcs11", folder / "token").root(), LocalBlobs(folder / "copies-token"))
        self.tree = KeyTree(self.database, self.domains, SystemClock())
        self.tree.resume()
        self.lines: list[tuple[str, str, str]] = []

    def report(self, what: str, value: str, goal: str = "") -> None:
        self.lines.append((what, value, goal))
        print(f"{what:66} {value:>30} {goal}", flush=True)

    def build(self, subject: Callable[[int], str], count: int) -> tuple[list[UnitKey], float, float]:
        """`count` own units; the keys, seconds of wall clock, seconds of CPU."""
        requests = [UnitRequest(TENANT, subject(at), DataClass.USER_GENERATED, None) for at in range(count)]
        wall, cpu = time.perf_counter(), time.process_time()
        made = self.tree.units(requests)
        return made, time.perf_counter() - wall, time.process_time() - cpu

    def settle(self) -> None:
        """Let database, disk and collector finish with what was built, or the next figure pays for it."""
        self.database.checkpoint()
        os.sync()
        gc.collect()
        gc.freeze()

    def page_bytes(self) -> tuple[int, int]:
        """Live pages and their bytes."""
        with self.database.read() as connection:
            count, size = connection.execute(select(func.count(), func.sum(func.length(key_page.c.content)))).one()
        return int(count), int(size)


def timed(times: list[float], act: Callable[[], object]) -> None:
    start = time.perf_counter()
    act()
    times.append((time.perf_counter() - start) * 1000)


def spread(times: list[float]) -> str:
    ordered = sorted(times)
    return f"p50 {statistics.median(ordered):.1f} ms, p99 {ordered[int(len(ordered) * 0.99)]:.1f} ms"


def build(bench: Bench, count: int, per_subject: int) -> list[UnitKey]:
    made, wall, cpu = bench.build(lambda at: f"usr_{at // per_subject}", count)
    bench.report(f"build {count:,} units, {per_subject} per subject", f"{wall:.1f} s ({cpu:.1f} s CPU)")
    pages, size = bench.page_bytes()
    goal = "10^6 units in <= 40 MB" if count == 10**6 else ""
    bench.report("pages", f"{size / 1e6:.2f} MB, {size / count:.1f} B/unit, {pages:,} pages", goal)
    return made


def lookups(bench: Bench, made: list[UnitKey]) -> None:
    chance = random.Random(1)
    few = [one.id for one in chance.sample(made, 5_000)]
    bench.tree._state.forget()
    start, cpu = time.perf_counter(), time.process_time()
    for one in few:
        bench.tree.key(one)
    wall, spent = time.perf_counter() - start, time.process_time() - cpu
    bench.report(
        "look up, unit not cached, pages cached as they come", f"{5_000 / wall:,.0f}/s ({5_000 / spent:,.0f}/s CPU)"
    )
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(20):
        for one in few:
            bench.tree.key(one)
    wall, spent = time.perf_counter() - start, time.process_time() - cpu
    bench.report("look up, cached", f"{100_000 / wall:,.0f}/s ({100_000 / spent:,.0f}/s CPU)", ">= 20k/s")
    start, cpu = time.perf_counter(), time.process_time()
    for one in few[:300]:
        bench.tree._state.forget()
        bench.tree.key(one)
    wall, spent = time.perf_counter() - start, time.process_time() - cpu
    bench.report("look up, nothing cached (root opened each time)", f"{300 / wall:,.0f}/s ({300 / spent:,.0f}/s CPU)")


def adds(bench: Bench) -> None:
    times: list[float] = []
    bench.settle()
    for at in range(300):
        timed(times, lambda at=at: bench.tree.own_unit(TENANT, f"usr_{at * 7}", DataClass.USER_GENERATED))  # type: ignore[misc]
    bench.report("add one unit, durable", spread(times))


def erasures(bench: Bench, large: int, rounds: int) -> None:
    """Subjects of both sizes in turn, so that what else the machine does hits both alike."""
    sizes = (10**3, large)
    for at in range(rounds):
        for units in sizes:
            bench.build(lambda _, at=at, units=units: f"usr_large_{units}_{at}", units)  # type: ignore[misc]
    bench.settle()
    live: dict[int, list[float]] = {units: [] for units in sizes}
    sealed: dict[int, list[float]] = {units: [] for units in sizes}
    for at in range(rounds):
        for units in sizes if at % 2 else sizes[::-1]:
            scope = Scope.of_subject(TENANT, f"usr_large_{units}_{at}")
            timed(live[units], lambda scope=scope: bench.tree.revoke(scope))  # type: ignore[misc]
            timed(sealed[units], lambda scope=scope: bench.tree.seal([bench.tree.revoke(scope)]))  # type: ignore[misc]
    for name, times, goal in (("live", live, "p99 <= 50 ms"), ("sealed", sealed, "<= 5 s")):
        for units in sizes:
            bench.report(f"erase a subject of {units:,} units, {name}", spread(times[units]), goal)
        ratio = statistics.median(times[large]) / statistics.median(times[10**3])
        bench.report(f"ratio {large:,} : 1,000 units, {name} (medians)", f"{ratio:.2f}", "<= 1.2")


def batch(bench: Bench, subjects: int, total: int) -> None:
    scopes = [Scope.of_subject(TENANT, f"usr_{at}") for at in random.Random(2).sample(range(subjects), 1_000)]
    bench.settle()
    start, cpu = time.perf_counter(), time.process_time()
    revoked = bench.tree.revoke_all(scopes)
    middle = time.perf_counter()
    proof = bench.tree.seal(revoked)
    end, spent = time.perf_counter(), time.process_time() - cpu
    value = f"{end - start:.2f} s ({spent:.2f} s CPU)"
    bench.report(f"batch of 1,000 subjects ({proof.units:,} units of {total:,})", value, "<= 2 s with SoftHSM")
    bench.report("  of which live effect", f"{middle - start:.2f} s")


def conditions(domains: int, token: bool) -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores shared with other work (load {load:.1f}), Python {platform.python_version()}, SQLite "
        f"{sqlite3.sqlite_version} with synchronous=FULL, {domains} key domain(s) of class A0"
        f"{', the first a SoftHSM token' if token else ', all in folders'}, every page also "
        "written to each domain's folder with fsync. Wall-clock figures are therefore upper bounds of the time needed."
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--million", action="store_true")
    options.add_argument("--domains", type=int, default=1)
    options.add_argument(
        "--softhsm", action="store_true", help="the first domain is a PKCS#11 token (PYTHONPATH=tests)"
    )
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    count = 10**6 if chosen.million else 10**5
    folder = Path(tempfile.mkdtemp(prefix="troth-bench-"))
    try:
        bench = Bench(folder, chosen.domains, chosen.softhsm)
        made = build(bench, count, 20)
        lookups(bench, made)
        adds(bench)
        erasures(bench, 10**5, 12 if chosen.million else 6)
        batch(bench, count // 20, count)
        bench.report("verify all pages and copies", f"{bench.tree.verify():,} units open")
    finally:
        shutil.rmtree(folder)
    rows = "\n".join(f"| {what.strip()} | {value} | {goal} |" for what, value, goal in bench.lines)
    if chosen.write:
        command = "python bench/keys_tree.py" + (" --million" if chosen.million else "")
        command += f" --domains {chosen.domains}" if chosen.domains > 1 else ""
        command += " --softhsm" if chosen.softhsm else ""
        under = conditions(chosen.domains, chosen.softhsm)
        text = f"## `{command}`\n\n{under}\n\n| what | measured | goal |\n|---|---|---|\n{rows}\n"
        RESULT.parent.mkdir(exist_ok=True)
        before = RESULT.read_text() if RESULT.exists() else "# The key tree\n"
        kept = [part for part in before.split("\n## ")[1:] if not part.startswith(f"`{command}`\n")]
        RESULT.write_text(
            "# The key tree\n\n" + "\n".join(f"## {part.strip()}\n" for part in kept) + "\n" * bool(kept) + text
        )


if __name__ == "__main__":
    main()
