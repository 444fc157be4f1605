"""What the audit record adds to a request, with and without sealed details, all in one run beside no record at all.

    .venv/bin/python bench/audit_details.py [--rounds 400] [--write]

One installation on SQLite in a temporary folder; `account.show` by a signed-in person, in process, one request at a
time. CPU is that of the whole process, so it holds on a busy machine; the wall clock includes the disk.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from troth.identity.messages import Nothing
from troth.identity.users import NewUser
from troth.kernel.caller import Authentication, Caller, Connection, Origin
from troth.kernel.dispatch import Dispatcher
from troth.kernel.scope import SYSTEM, within
from troth.settings.load import load
from troth.wiring import build

RESULT = Path(__file__).parent / "results" / "audit_details.md"
OPERATION = "account.show"


class Nowhere:
    """A recorder that keeps nothing: the bare operation."""

    def record(self, entry: Any, changes: Any = ()) -> None:
        """Forget it."""

    def submit(self, entry: Any, changes: Any = ()) -> Future[None]:
        """Forget it."""
        done: Future[None] = Future()
        done.set_result(None)
        return done

    async def keep(self, entry: Any, changes: Any = ()) -> None:
        """Forget it."""

    def record_within(self, connection: Any, entry: Any) -> None:
        """Forget it."""


def timed(work: Any) -> tuple[float, float]:
    """Milliseconds of one call: of the clock, and of the processor in all threads."""
    begun, used = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - begun) * 1000, (time.process_time() - used) * 1000


def measured(folder: Path, rounds: int) -> list[tuple[str, float, float, float]]:
    """(name, p50 ms, p99 ms, p50 ms of processor) of each way."""
    troth = build(load(data={"folder": folder / "data", "keys": folder / "keys"}))
    troth.start()
    try:
        with within(SYSTEM):
            return _ways(troth.system, rounds)
    finally:
        troth.stop()


def _ways(system: Any, rounds: int) -> list[tuple[str, float, float, float]]:
    base = system.base
    tenant = system.identity.tenants.create("Bench", base.settings.data.jurisdiction).id
    user = system.identity.users.create(NewUser(tenant, "b@example.org", "B", frozenset({"member"}), "svc")).id
    origin = Origin(
        "api", "203.0.113.7", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"
    )
    bare = Connection("TLSv1.3", "public")
    proof = Authentication("password+totp", 2, 0, "ses_bench")
    caller = Caller(user, "user", tenant, user, frozenset({"member"}), authentication=proof, connection=bare)
    known = replace(caller, connection=replace(bare, origin=origin))
    registry = system.dispatcher.registry

    def road(recorder: Any) -> Dispatcher:
        return Dispatcher(registry, system.decider, recorder, base.clock, base.journal, details=base.details)

    none, kept = road(Nowhere()), road(base.outbox)
    sealed = {"door": "api", "address": origin.address, "agent": origin.agent, "session": "ses_bench"}
    ways = {
        "no record at all": lambda: none.run(OPERATION, caller, Nothing()),
        "two entries, no details": lambda: kept.run(OPERATION, caller, Nothing()),
        "two entries, sealed details": lambda: kept.run(OPERATION, known, Nothing()),
        "sealing alone": lambda: base.details.seal((tenant, user), sealed),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for at in range(rounds + 20):
        for name, way in ways.items():  # interleaved: what else the machine does hits all alike
            took = timed(way)
            if at >= 20:
                times[name].append(took)
    in_a_row = [timed(ways["sealing alone"]) for _ in range(2000)]
    return [(name, *_figures(some)) for name, some in (*times.items(), ("sealing, 2,000 in a row", in_a_row))]


def _figures(some: list[tuple[float, float]]) -> tuple[float, float, float]:
    clock, processor = zip(*some, strict=True)
    return statistics.median(clock), statistics.quantiles(clock, n=100)[98], statistics.median(processor)


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        rows = measured(Path(name), arguments.rounds)
    load_now = os.getloadavg()[0]
    lines = [
        "# What the audit record adds to a request\n",
        f"`python bench/audit_details.py --rounds {arguments.rounds} --write`; Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, 1-minute load {load_now:.1f}; SQLite (WAL, synchronous=FULL), `{OPERATION}`, one "
        "request at a time, all ways interleaved in one run.\n",
        "| way | p50 ms | p99 ms | CPU p50 ms |",
        "|---|---|---|---|",
        *(f"| {way} | {p50:.3f} | {p99:.3f} | {cpu:.3f} |" for way, p50, p99, cpu in rows),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.write:
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
