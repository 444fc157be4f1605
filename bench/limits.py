"""What limits add to a request: taking and settling nine limits, in memory and in Redis beside its bare round trip.

`python bench/limits.py --write` writes bench/results/limits.md. Needs redis-server and the extra `valkey`.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import valkey

from troth.gateway.limits.buckets import Buckets, Change, Claim
from troth.gateway.limits.memory import MemoryBuckets
from troth.gateway.limits.rules import Moment, moment, rule
from troth.gateway.limits.valkey import ValkeyBuckets

RESULT = Path(__file__).parent / "results" / "limits.md"
_NAMES = ("requests-per-minute", "tokens-per-minute", "tokens-per-day")
_NOW = 1_795_000_000_000
_ROUND = 100  # calls of one way before the next has its turn


def claims(scopes: int) -> list[Claim]:
    """Three limits of each scope, wide enough for all rounds."""
    return [Claim(f"{{b}}{scope}{name}", rule(name), 10**12, 1) for scope in range(scopes) for name in _NAMES]


def both(store: Buckets, wanted: list[Claim], when: Moment) -> None:
    """A request: taken and settled."""
    taken = store.take(wanted, when, ("req_bench", when.now + 1000), lambda _place: 0)
    changes = [Change(one, how, when.month, 2) for one, how in zip(wanted, taken.standings, strict=True)]
    store.settle(changes, when, "req_bench")


def measured(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Microseconds of each call, the ways interleaved."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(max(1, rounds // _ROUND)):
        for name, work in ways.items():
            for _ in range(_ROUND):
                began = time.perf_counter_ns()
                work()
                times[name].append((time.perf_counter_ns() - began) / 1000)
    return times


def table(times: dict[str, list[float]], rounds: int) -> str:
    """The result as Markdown."""
    lines = [
        "# What limits add to a request",
        "",
        f"`python bench/limits.py --rounds {rounds} --write`; Python {platform.python_version()}, {os.cpu_count()}"
        f" cores, 1-minute load {os.getloadavg()[0]:.1f}; Redis on a Unix socket of the same machine; one caller at a"
        " time, all ways interleaved in one run. A request takes before the vendor is asked and settles afterwards.",
        "",
        "| way | p50 us | p99 us |",
        "|---|---|---|",
    ]
    for name, found in times.items():
        lines.append(f"| {name} | {statistics.median(found):.1f} | {sorted(found)[int(len(found) * 0.99)]:.1f} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--rounds", default=5000, show_default=True)
@click.option("--write", is_flag=True, help="Write the result beside the others.")
def main(rounds: int, write: bool) -> None:
    """Measure and print."""
    program, when = shutil.which("redis-server") or "redis-server", moment(_NOW)
    with tempfile.TemporaryDirectory() as folder:
        place = f"{folder}/s"
        quiet = ["--port", "0", "--unixsocket", place, "--save", "", "--dir", folder, "--logfile", f"{folder}/log"]
        server = subprocess.Popen([program, *quiet])
        try:
            bare = valkey.Valkey.from_url(f"unix://{place}")
            while not Path(place).exists():
                time.sleep(0.05)
            memory, shared = MemoryBuckets(), ValkeyBuckets(f"unix://{place}")
            nine = claims(3)
            ways: dict[str, Callable[[], object]] = {
                "memory, 9 limits, taken and settled": lambda: both(memory, nine, when),
                "Redis, PING (one bare round trip)": bare.ping,
                "Redis, 9 limits, taken": lambda: shared.take(nine, when, ("req_b", when.now), lambda _place: 0),
                "Redis, 9 limits, taken and settled": lambda: both(shared, nine, when),
            }
            text = table(measured(ways, rounds), rounds)
        finally:
            server.kill()
            server.wait()
    click.echo(text)
    if write:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
