"""Benchmark of backups beside restic: first backup, incremental, verification, restore, on the same data in one run.

Usage: python bench/backup.py [--objects N] [--restic PATH] [--write]
restic is an apt package, installed by hand for this (`apt-get install restic`); without it Troth is measured alone.
Both write to two places, as Troth always does: restic backs up the data folder twice, into two repositories.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from troth.backup import places
from troth.kernel.data_class import DataClass
from troth.kernel.ids import new_id
from troth.kernel.scope import SYSTEM, within
from troth.settings.load import Settings
from troth.settings.sections import Backup, BackupLocation, Data
from troth.vault.objects import KeepRequest
from troth.wiring import Troth, opened
from troth.wiring.restoring import Wish, remaining, restore

RESULT = Path(__file__).parent / "results" / "backup.md"
_MEAN_BYTES = 27_500  # as 275 MB in 10,000 files
_PLACES = 2


class Bench:
    """One installation in a folder of its own, and the lines of the report."""

    def __init__(self, folder: Path, restic: str | None) -> None:
        self.folder = folder
        locations = tuple(BackupLocation(jurisdiction="eu", folder=folder / f"place-{at}") for at in range(_PLACES))
        self.settings = Settings(
            data=Data(folder=folder / "data", keys=folder / "keys"), backup=Backup(locations=locations)
        )
        self.restic = restic
        self.lines: list[tuple[str, str, str]] = []
        self._chance = random.Random(7)

    def fill(self, troth: Troth, count: int) -> int:
        """Keep `count` objects of `count`/50 people; bytes."""
        tenant = troth.system.identity.tenants.create(f"Bench {time.time_ns()}", "eu").id
        people = [new_id("usr") for _ in range(max(1, count // 50))]
        sizes = [max(100, int(self._chance.expovariate(1 / _MEAN_BYTES))) for _ in range(count)]

        def keep(at: int) -> None:
            with within(SYSTEM):
                troth.system.vault.objects.keep(
                    KeepRequest(
                        tenant=tenant,
                        subject=people[at % len(people)],
                        data_class=DataClass.USER_GENERATED,
                        kind="upload",
                        media_type="application/octet-stream",
                        name="file",
                        content=os.urandom(sizes[at]),
                    )
                )

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(keep, range(count)))
        return sum(sizes)

    def report(self, what: str, ours: float, size: int, theirs: float | None) -> None:
        rate = f"{ours:.1f} s, {size / ours / 1e6:.0f} MB/s"
        beside = "-" if theirs is None else f"{theirs:.1f} s, {size / theirs / 1e6:.0f} MB/s"
        self.lines.append((what, rate, f"{beside} ({theirs / ours:.1f} x)" if theirs else beside))
        print(f"{what:44} {rate:26} {self.lines[-1][2]}", flush=True)

    def troth_backup(self) -> float:
        with opened(self.settings, sequencing=False) as troth:
            return _timed(troth.system.backups.run)

    def troth_verify(self) -> float:
        with remaining(self.settings) as left:
            return _timed(lambda: [left.verifying.verified(places.chosen(one, left.keys, None)) for one in left.places])

    def troth_restore(self) -> float:
        with within(SYSTEM), remaining(self.settings) as left:
            return _timed(lambda: restore(left, self.folder / "restored", Wish()))

    def restic_all(self, *arguments: str) -> float | None:
        """The same on both repositories."""
        return None if self.restic is None else sum(self._restic(at, *arguments) for at in range(_PLACES))

    def restic_once(self, *arguments: str) -> float | None:
        return None if self.restic is None else self._restic(0, *arguments)

    def _restic(self, at: int, *arguments: str) -> float:
        assert self.restic is not None
        command = [self.restic, "-q", "-r", str(self.folder / f"restic-{at}"), *arguments]
        environment = {**os.environ, "RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": str(self.folder / "cache")}
        return _timed(lambda: subprocess.run(command, check=True, env=environment))


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    os.sync()
    return time.perf_counter() - begin


def run(folder: Path, count: int, restic: str | None) -> Bench:
    bench = Bench(folder, restic)
    data = str(bench.settings.data.folder)
    with opened(bench.settings) as troth:
        size = bench.fill(troth, count)
    bench.restic_all("init")
    bench.report("first backup, two places", bench.troth_backup(), size, bench.restic_all("backup", data))
    with opened(bench.settings) as troth:
        bench.fill(troth, max(1, count // 100))
    bench.report("again with 1 % more", bench.troth_backup(), size, bench.restic_all("backup", data))
    bench.report(
        "every byte verified, two places", bench.troth_verify(), size, bench.restic_all("check", "--read-data")
    )
    target = str(folder / "restic-restored")
    theirs = bench.restic_once("restore", "latest", "--target", target)
    bench.report("restore (ours: verified, replayed, probed)", bench.troth_restore(), size, theirs)
    return bench


def _table(bench: Bench, count: int) -> str:
    version = "not installed: left out"
    if bench.restic:
        version = subprocess.run([bench.restic, "version"], capture_output=True, text=True, check=True).stdout.strip()
    size = sum(path.stat().st_size for path in (bench.folder / "data" / "objects").rglob("*") if path.is_file())
    rows = "\n".join(f"| {what} | {ours} | {theirs} |" for what, ours, theirs in bench.lines)
    return f"""# Backups beside restic

`python bench/backup.py --objects {count}`. {time.strftime("%Y-%m-%d")}, {platform.machine()}, {os.cpu_count()} cores,
load average {os.getloadavg()[0]:.1f}, Python {platform.python_version()}; {version}; {size / 1e6:.0f} MB in {count}
objects and their database, wall clock to the end of a sync. The machine is shared: times are upper bounds.

| what | Troth | restic (times Troth's) |
|---|---|---|
{rows}

Troth reads back what it wrote, signs the manifest and enters it into the audit log. Its restore first verifies every
byte, then replays the erasures, computes the logs anew, and opens up to 1,000 live objects. restic restores files only.
restic encrypts everything once more under one key for all; Troth copies ciphertext whose keys can be destroyed apart.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=3000)
    parser.add_argument("--restic", default=shutil.which("restic"))
    parser.add_argument("--write", action="store_true")
    wish = parser.parse_args()
    if wish.restic is None:
        print("restic is not installed (apt-get install restic): measuring Troth alone.")
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        bench = run(Path(name), wish.objects, wish.restic)
        if wish.write:
            RESULT.write_text(_table(bench, wish.objects))


if __name__ == "__main__":
    main()
