"""What limits add to a request: taking and settling nine limits, in memory and in Redis beside its bare round trip;
reading two budgets that stop on SQLite, holding an estimate against them and giving it back, and keeping the row.

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
from dataclasses import replace
from pathlib import Path

import click
import valkey
from sqlalchemy import insert

from troth.gateway.limits.alerts import Alerts
from troth.gateway.limits.buckets import Buckets, Change, Claim
from troth.gateway.limits.budgets import Budgets
from troth.gateway.limits.memory import MemoryBuckets
from troth.gateway.limits.promises import SharedRunning
from troth.gateway.limits.rules import Moment, moment, rule
from troth.gateway.limits.running import Promises
from troth.gateway.limits.store import UsageRow, budgets
from troth.gateway.limits.valkey import ValkeyBuckets
from troth.kernel.clock import SystemClock
from troth.storage.database import Database, metadata
from troth.storage.outbox import Outbox

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


class Purse:
    """Two budgets of one tenant on SQLite, one of them a person's, with room for all rounds."""

    def __init__(self, database: Database, running: Promises | None = None) -> None:
        self._database, clock = database, SystemClock()
        self._outbox = Outbox(database)
        self.budgets = Budgets(database, clock, Alerts(database, self._outbox, clock), "EUR", running=running)

    def fill(self) -> None:
        """Set them."""
        place = {"tenant": "ten_a", "span": "month", "amount": 10**14, "currency": "EUR", "stops": True}
        who = {"set_by": "usr_a", "set_at": 0}
        with self._database.write() as connection:
            for scope, target in (("tenant", "ten_a"), ("user", "usr_a")):
                row = place | who | {"id": f"bud_{scope}", "scope": scope, "target": target, "person": ""}
                connection.execute(insert(budgets), row)

    def admitted(self, when: Moment, *, ended: bool = False) -> None:
        """A request that is admitted and gives back. `ended`: others end meanwhile, so the sums are read again."""
        standings = self.budgets.holding("ten_a", "usr_a", "", when)
        self.budgets.require(standings, when, {})
        if ended:
            standings = replace(standings, mark=-1)
        self.budgets.promise(standings, 1000, (when, when.now + 1000), {})()

    def spent(self, when: Moment) -> None:
        """The row of a request and both sums, in a transaction of its own."""
        row = UsageRow(
            "ten_a", when.now, "req_a", "usr_a", "", "chat.complete", "m", "acme", 1, 1, 0, 0, 1, 1, "EUR", "a"
        )
        with self._database.write() as connection:
            self.budgets.spend(connection, row)

    def close(self) -> None:
        """Let the thread of the outbox go."""
        self._outbox.close()


def table(times: dict[str, list[float]], rounds: int) -> str:
    """The result as Markdown."""
    lines = [
        "# What limits add to a request",
        "",
        f"`python bench/limits.py --rounds {rounds} --write`; Python {platform.python_version()}, {os.cpu_count()}"
        f" cores, 1-minute load {os.getloadavg()[0]:.1f}; Redis on a Unix socket of the same machine; one caller at a"
        " time, all ways interleaved in one run. A request takes before the vendor is asked and settles afterwards. The"
        " transaction of a row is in truth shared with the closing record and those of others.",
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
            database = Database(f"sqlite:///{folder}/db")
            metadata.create_all(database.engine)
            sharing = SharedRunning(shared, b"s" * 32)
            purse, far = Purse(database), Purse(database, sharing)
            purse.fill()
            ways |= {
                "SQLite, 2 budgets, read, held in memory and given back": lambda: purse.admitted(when),
                "the same, when others ended meanwhile": lambda: purse.admitted(when, ended=True),
                "the same, held in Redis and given back behind": lambda: far.admitted(when),
                "SQLite, the row of a request and 2 sums, one transaction": lambda: purse.spent(when),
            }
            text = table(measured(ways, rounds), rounds)
            for one in (purse, far, sharing):
                one.close()
        finally:
            server.kill()
            server.wait()
    click.echo(text)
    if write:
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
